"""The model of kind ``swap_test``: measured registers, and coupling blocks if wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from fastcaloq_infer.errors import ConfigError, ModelError
from fastcaloq_infer.flow.blocks import coupling_blocks
from fastcaloq_infer.flow.energy_flow import EnergyFlow, standard_normal_log_prob
from fastcaloq_infer.flow.kinds.swap_test.measurement import MeasuredBlock, Measurement
from fastcaloq_infer.flow.permutation import coupling_permutations
from fastcaloq_infer.flow.transform import Composition
from fastcaloq_infer.memory import available_memory, gigabytes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Generator, Tensor

    from fastcaloq_infer.flow.condition import Validity
    from fastcaloq_infer.flow.config import FlowConfig
    from fastcaloq_infer.flow.kinds.swap_test.config import SwapTestConfig
    from fastcaloq_infer.flow.transform import Transform
    from fastcaloq_infer.preprocessing.energies import EnergyPreprocessing

__all__ = ["SwapTestFlow", "build", "invert", "swap_test_blocks", "with_fidelity"]

_REDRAWS = 100
_BATCH = 1024  # showers of a step, for the size that is asked of the memory


def build(
    quantum: SwapTestConfig,
    flow: FlowConfig,
    preprocessing: EnergyPreprocessing,
    validity: Validity,
) -> SwapTestFlow:
    """Return the flow with random weights.

    Raises
    ------
    ConfigError
        A register of one qubit per layer does not fit in memory.
    """
    blocks = swap_test_blocks(quantum, flow, preprocessing.n_layers, 2)
    return SwapTestFlow(quantum.fidelity_weight, flow, blocks, preprocessing, validity)


def swap_test_blocks(
    quantum: SwapTestConfig, flow: FlowConfig, features: int, context: int
) -> Composition:
    """Return the blocks over ``features`` coordinates that see ``context`` numbers besides.

    Raises
    ------
    ConfigError
        The states of a batch do not fit in memory.
    """
    # The state, one tangent per coordinate, and what a gradient keeps of every layer.
    needed = _BATCH * (features + 1) * 2**features * 16 * (quantum.n_layers + 1)
    available = available_memory()
    if available is not None and needed > available:
        raise ConfigError(
            f"quantum.kind 'swap_test' takes one qubit per layer: the states of {_BATCH} showers "
            f"with {features} layers need {gigabytes(needed)}, of which {gigabytes(available)} are "
            "available; use data with fewer layers or another quantum.kind"
        )
    blocks: list[Transform] = [
        MeasuredBlock(permutation, Measurement(quantum, features, context))
        for permutation in coupling_permutations(
            features, 0, quantum.n_blocks, flow.permutation_seed
        )
    ]
    if quantum.coupling:
        blocks += coupling_blocks(flow, features, context).transforms  # type: ignore[arg-type]
    return Composition(blocks)


def with_fidelity(
    blocks: Sequence[Transform], x: Tensor, context: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Latents (N, L), log|det| (N,), and fidelities (N, registers) of the inverse preparations."""
    total = x.new_zeros(len(x))
    fidelities = []
    for block in blocks:
        if isinstance(block, MeasuredBlock):
            for step in block.transforms[:-1]:
                x, log_abs_det = step(x, context)
                total = total + log_abs_det
            observation = block.measurement.observe(x, context)
            fidelities.append(block.measurement.fidelity(observation, context).to(x.dtype))
            log_abs_det = torch.linalg.slogdet(observation.jacobian).logabsdet.to(x.dtype)
            x = observation.z.to(x.dtype)
        else:
            x, log_abs_det = block(x, context)
        total = total + log_abs_det
    return x, total, torch.stack(fidelities, dim=1)


def invert(
    blocks: Sequence[Transform], z: Tensor, context: Tensor, *, polish: bool = True
) -> tuple[Tensor, Tensor]:
    """Coordinates (N, L) of latents, and whether (N,) every register's inverse was found.

    Without ``polish`` the learnt inverses are taken as they are, and have gradients.
    """
    found = torch.ones(len(z), dtype=torch.bool, device=z.device)
    for block in reversed(blocks):
        if not isinstance(block, MeasuredBlock):
            z = block.inverse(z, context)[0]
            continue
        if polish:
            x, solved = block.measurement.invert(z, context)
            found = found & solved
        else:
            x = block.measurement.learnt_inverse(z, context)
        z = x.to(z.dtype)
        for step in reversed(block.transforms[:-1]):
            z = step.inverse(z, context)[0]  # type: ignore[operator]
    return z, found


class SwapTestFlow(EnergyFlow):
    """A flow that begins with measured registers.

    Its log density is exact where the registers are univocal; latents that no shower has are drawn
    again, so that drawn showers follow the density over its integral (below 1 by their fraction).

    Parameters
    ----------
    fidelity_weight
        Nats that a fidelity of 0 costs in a training, per register.
    config, blocks, preprocessing, validity
        As of `EnergyFlow`.
    """

    def __init__(
        self,
        fidelity_weight: float,
        config: FlowConfig,
        blocks: Composition,
        preprocessing: EnergyPreprocessing,
        validity: Validity,
    ) -> None:
        super().__init__(config, blocks, preprocessing, validity)
        self.fidelity_weight = fidelity_weight

    def training_loss(self, x: Tensor, condition: Tensor) -> Tensor:
        """Negative log density (N,) plus the weighted sum of 1 - fidelity over the registers."""
        blocks, context = self.coupling_blocks, self._context(condition)
        z, log_abs_det, fidelities = with_fidelity(blocks, x, context)
        missing: Tensor = (1.0 - fidelities).sum(dim=1)
        nll = -standard_normal_log_prob(z) - log_abs_det
        return nll + self.fidelity_weight * missing

    def draw_coordinates(self, condition: Tensor, generator: Generator | None = None) -> Tensor:
        """Map standard normal latents back: with gradients by the learnt inverse as it is.

        Raises
        ------
        ModelError
            Latents of a shower have no inverse after many draws.
        """
        blocks, context = self.coupling_blocks, self._context(condition)

        def latents(rows: int) -> Tensor:
            return torch.randn(
                (rows, self.n_layers),
                generator=generator,
                dtype=condition.dtype,
                device=condition.device,
            )

        if torch.is_grad_enabled():
            return invert(blocks, latents(len(condition)), context, polish=False)[0]
        x = context.new_zeros((len(condition), self.n_layers))
        open_rows = torch.arange(len(condition), device=condition.device)
        for _ in range(_REDRAWS):
            drawn, found = invert(blocks, latents(len(open_rows)), context[open_rows])
            x[open_rows[found]] = drawn[found]
            open_rows = open_rows[~found]
            if not len(open_rows):
                return x
        raise ModelError(
            f"{len(open_rows)} of {len(condition)} showers found no inverse in {_REDRAWS} draws: "
            "the measurement is not univocal; train longer or with a larger fidelity_weight"
        )
