"""What a configuration of QC4HEP-BO/FastCaloQ (branch qINN) may hold: every key, with its type.

Two kinds of file exist: of the GAN whose generator is the quantum network (``model: BNReLUqINN``)
and of the stand-alone network (keys ``qinn_...`` alone).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveFloat, PositiveInt

from fastcaloq_infer.errors import ConfigError
from fastcaloq_infer.training.config_errors import validate

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["AncestorConfig", "ModuleArguments", "read_ancestor"]

MODEL: Final = "BNReLUqINN"

NonNegative = Annotated[float, Field(ge=0)]
Widths = tuple[NonNegativeInt, ...]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ModuleArguments(_Strict):
    """``qinn_module_kwargs``: arguments of the quantum network."""

    in_features: PositiveInt | None = None
    out_features: PositiveInt | None = None
    hidden_features: PositiveInt | None = None
    use_pennylane: bool = True
    n_qubits: PositiveInt | None = None
    n_q_layers: PositiveInt | None = None
    depth_per_block: PositiveInt | None = None
    n_blocks: PositiveInt | None = None
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    q_device: str = "default.qubit"
    q_diff_method: str = "best"
    q_shots: PositiveInt | None = None
    q_entanglement: Literal["linear", "ring"] = "ring"
    nonneg_output: bool = True
    q_capture_quantum_state: bool = False
    q_capture_state_kind: Literal["statevector", "density_matrix"] = "statevector"
    q_capture_every_n_calls: PositiveInt = 100


class AncestorConfig(_Strict):
    """One file; a key that is missing has the prototype's default."""

    model: str | None = None
    dmodel: str | None = None
    lam: NonNegative | None = None
    latent_dim: PositiveInt | None = None
    latent_mean: float | None = None
    latent_std: NonNegative | None = None
    conditional_dim: NonNegativeInt | None = None
    generatorLayers: Widths | None = None  # noqa: N815  the file's name
    discriminatorLayers: Widths | None = None  # noqa: N815
    nvoxels: PositiveInt | None = None
    use_bias: bool | None = None
    G_size: PositiveFloat | None = None
    D_size: PositiveFloat | None = None
    G_lr: PositiveFloat | None = None
    D_lr: PositiveFloat | None = None
    G_beta1: NonNegative | None = None
    D_beta1: NonNegative | None = None
    optimizer: str | None = None
    batchsize: PositiveInt | None = None
    datasize: PositiveInt | None = None
    dgratio: PositiveInt | None = None
    label_scheme: str | None = None
    preprocess: str | None = None
    qinn_module_path: str | None = None
    qinn_module_class: str | None = None
    qinn_module_kwargs: ModuleArguments = ModuleArguments()
    qinn_output_dim: PositiveInt | None = None
    qinn_torch_device: str | None = None
    qinn_state_path: str | None = None
    qinn_save_state_if_missing: bool | None = None
    qinn_deterministic_init: bool | None = None
    qinn_init_seed: NonNegativeInt | None = None
    qinn_require_state: bool | None = None
    qinn_batch_size: PositiveInt | None = None
    qinn_eval_batch_size: PositiveInt | None = None
    qinn_epochs: PositiveInt | None = None
    qinn_lr: PositiveFloat | None = None
    qinn_weight_decay: NonNegative | None = None
    qinn_recon_weight: NonNegative | None = None
    qinn_prior_weight: NonNegative | None = None
    qinn_checkpoint_every: PositiveInt | None = None
    qinn_progress_every: PositiveInt | None = None
    qinn_seed: NonNegativeInt | None = None


def read_ancestor(path: Path) -> AncestorConfig:
    """Read and check a file.

    Raises
    ------
    ConfigError
        Missing, no JSON object, unknown keys (by name), impossible values, or another model.
    """
    try:
        raw = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_once)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not a text file"
        raise ConfigError(f"cannot read {path}: {reason}; check the path") from error
    except json.JSONDecodeError as error:
        raise ConfigError(
            f"{path} is no JSON: {error.msg} in line {error.lineno}; correct it there"
        ) from error
    except ValueError as error:
        raise ConfigError(f"{path}: {error}; leave one of them out") from error
    if not isinstance(raw, dict):
        raise ConfigError(f"{path} does not hold a JSON object, which a configuration is")
    config = validate(AncestorConfig, raw, str(path))
    quantum = any(key.startswith("qinn_") for key in raw)
    if config.model not in (None, MODEL) or not quantum:
        what = f"is of model {config.model!r}" if config.model else "names no quantum network"
        raise ConfigError(
            f"{path} {what}, but what can become ours is a file of model {MODEL} or of the "
            "stand-alone network (keys qinn_...); give one of those"
        )
    return config


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a key given twice, of which JSON would silently keep the last."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            msg = f"key '{key}' is given twice"
            raise ValueError(msg)
        found[key] = value
    return found
