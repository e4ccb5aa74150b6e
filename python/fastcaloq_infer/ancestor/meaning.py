"""Key by key, what a setting of the prototype is here: ours, or nothing, and why."""

from __future__ import annotations

from typing import Final

__all__ = ["NOTHING", "SAME"]

SAME: Final = {
    "batchsize": "batch_size",
    "qinn_batch_size": "batch_size",
    "qinn_epochs": "epochs",
    "qinn_lr": "optimiser.lr",
    "G_lr": "optimiser.lr",
    "qinn_weight_decay": "optimiser.weight_decay",
    "qinn_progress_every": "evaluate_every",
    "n_qubits": "quantum.n_qubits",
    "n_q_layers": "quantum.n_layers",
    "depth_per_block": "quantum.n_layers",
    "n_blocks": "flow.n_blocks",
}
"""Settings that keep their value, and our key for them."""

_CRITIC = "of the critic; the likelihood needs none (loss.kind: wasserstein has one of its own)"
_GAN = "of the GAN; a flow learns by likelihood in one network"
_STATE = "the circuit is trained with the flow, and its weights are in the run's checkpoint"
_INVERSE = "the inverse is exact by construction, so there is nothing to reconstruct"
_WIDTH = "no width to choose: features are expectation values, and every subnet sees all of them"

NOTHING: Final = {
    "dmodel": _CRITIC,
    "D_size": _CRITIC,
    "D_lr": _CRITIC,
    "D_beta1": _CRITIC,
    "discriminatorLayers": _CRITIC,
    "dgratio": _CRITIC,
    "lam": "weight of the critic's gradient penalty; the likelihood needs no critic",
    "latent_dim": "a bijection has as many latents as coordinates, one per layer",
    "latent_mean": "latents are standard normal",
    "latent_std": "latents are standard normal",
    "conditional_dim": "the flow is always conditioned on incident energy and eta",
    "nvoxels": "follows from the binning",
    "use_bias": _GAN,
    "G_beta1": _GAN,
    "optimizer": "the optimiser is AdamW",
    "datasize": "the file knows how many showers it has (data.limit uses fewer)",
    "label_scheme": "the condition is the logarithm of the incident energy, and eta",
    "preprocess": "energies become coordinates by a bijection fitted to the showers",
    "qinn_module_path": "the network is this package's own",
    "qinn_module_class": "the network is this package's own",
    "qinn_output_dim": _WIDTH,
    "in_features": "the circuit's inputs are incident energy and eta",
    "out_features": _WIDTH,
    "qinn_state_path": _STATE,
    "qinn_save_state_if_missing": _STATE,
    "qinn_require_state": _STATE,
    "qinn_eval_batch_size": "batches of any size draw the same showers",
    "qinn_recon_weight": _INVERSE,
    "qinn_prior_weight": "the likelihood holds the latents to the normal distribution",
    "nonneg_output": "energies are never negative, by construction",
}
"""Settings that have no meaning here, and the reason."""
