"""Kind ``born``: bins of the layer energies are the outcomes of measuring a circuit's state."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from fastcaloq_infer.errors import ConfigError
from fastcaloq_infer.flow.energy_model import EnergyModel
from fastcaloq_infer.flow.kinds.born.binning import CoordinateBins
from fastcaloq_infer.memory import available_memory
from fastcaloq_infer.quantum.born import BornCircuit
from fastcaloq_infer.quantum.distinct import distinct_rows

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from fastcaloq_infer.flow.condition import Validity
    from fastcaloq_infer.flow.config import FlowConfig
    from fastcaloq_infer.flow.kinds.born.config import BornConfig
    from fastcaloq_infer.preprocessing.energies import EnergyPreprocessing
    from fastcaloq_infer.quantum.circuit import Circuit

__all__ = ["BornModel", "build"]

#: Conditions evaluated together where no gradient is wanted.
_AT_ONCE = 64
#: States of one condition that a training step keeps, at most (12 to 16 qubits; counted).
_KEPT_PER_LAYER, _KEPT_PER_UPLOAD, _KEPT = 4, 6, 4


class BornModel(EnergyModel):
    r"""Layer energies by measuring :math:`|\psi(c)\rangle = F\,U(\theta; c)|z\rangle` once.

    .. math:: p(x|c) = [(1 - \epsilon)\,|\langle b|\psi(c)\rangle|^2 + \epsilon/D]\;
              \prod_k f_{k,b_k}(x_k)

    b is the bin of the coordinates x, D the number of bins, f the density inside a bin, and
    :math:`\epsilon` a small share (``floor``) that keeps every likelihood finite.

    Parameters
    ----------
    config
        Bins and circuit.
    preprocessing, validity
        As of `EnergyModel`.

    Raises
    ------
    ConfigError
        Bins that do not fit the layers, or a circuit that does not fit in memory.
    """

    def __init__(
        self, config: BornConfig, preprocessing: EnergyPreprocessing, validity: Validity
    ) -> None:
        super().__init__(preprocessing, validity)
        self.config = config
        registers = config.registers(preprocessing.n_layers)
        circuit = config.circuit(sum(registers))
        self._checked = 0
        self._refuse_too_large(circuit, len(preprocessing.knots))
        self.bins = CoordinateBins(registers, preprocessing)
        self.circuit = BornCircuit(circuit, config.start, config.output, registers, config.spread)

    @property
    def n_bins(self) -> int:
        """Number of bins of all coordinates together, D."""
        return self.circuit.circuit.dimension

    def probabilities(self, condition: Tensor) -> Tensor:
        """Probabilities (N, D) of the bins, float64, at scaled conditions (N, 2)."""
        if torch.is_grad_enabled():
            self._refuse_too_large(self.circuit.circuit, len(condition))
            pure = self.circuit(condition)
        else:
            parts = (condition[at : at + _AT_ONCE] for at in range(0, len(condition), _AT_ONCE))
            pure = torch.cat([self.circuit(part) for part in parts])
        mixed: Tensor = (1.0 - self.config.floor) * pure + self.config.floor / self.n_bins
        return mixed

    def coordinate_log_prob(self, x: Tensor, condition: Tensor) -> Tensor:
        """Log density (N,): that of the bin and that inside it."""
        number, log_density = self.bins.locate(x)
        distinct, place = _distinct(condition)
        table = self.probabilities(distinct).log().reshape(-1, 1)
        # embedding: its gradient sums equal rows in a fixed order, whatever the threads.
        log_prob: Tensor = functional.embedding(place * self.n_bins + number, table)[:, 0]
        return log_prob.to(x.dtype) + log_density

    @torch.no_grad()
    def draw_coordinates(self, condition: Tensor, generator: Generator | None = None) -> Tensor:
        """Measure, then place uniformly inside the bin; no gradient passes a measurement."""
        number = self.draw_bins(condition, generator)
        shape = (len(condition), self.n_layers)
        uniform = torch.rand(
            shape, generator=generator, dtype=condition.dtype, device=condition.device
        )
        return self.bins.draw(number, uniform)

    @torch.no_grad()
    def draw_bins(self, condition: Tensor, generator: Generator | None = None) -> Tensor:
        """Numbers of bins (N,) at scaled conditions (N, 2)."""
        distinct, place = _distinct(condition)
        uniform = torch.rand(
            len(condition), generator=generator, dtype=torch.float64, device=condition.device
        )
        number = torch.empty_like(place)
        for start in range(0, len(distinct), _AT_ONCE):
            cumulative = self.probabilities(distinct[start : start + _AT_ONCE]).cumsum(dim=1)
            # All tables one after the other, raised by 1 each: one search serves all rows.
            levels = torch.arange(len(cumulative), device=place.device)
            ladder = (cumulative / cumulative[:, -1:] + levels[:, None]).flatten()
            rows = (place >= start) & (place < start + len(cumulative))
            level = place[rows] - start
            found = torch.searchsorted(ladder, level + uniform[rows], right=True)
            number[rows] = (found - level * self.n_bins).clamp(0, self.n_bins - 1)
        return number

    @torch.no_grad()
    def initialise_coordinates(self, x: Tensor, condition: Tensor) -> None:
        """Set the edges of the bins."""
        self.bins.fit(x, self.config.edges)

    def _refuse_too_large(self, circuit: Circuit, conditions: int) -> None:
        """Refuse a training step that does not fit in memory."""
        if conditions <= self._checked:
            return
        states = circuit.n_layers * _KEPT_PER_LAYER + circuit.n_uploads * _KEPT_PER_UPLOAD + _KEPT
        needed, available = 16 * circuit.dimension * conditions * states, available_memory()
        if available is not None and needed > available:
            raise ConfigError(
                f"quantum: {circuit.n_qubits} qubits in {circuit.n_layers} layers "
                f"need {needed / 2**30:.1f} GiB for a step with {conditions} different incident "
                f"particles, but {available / 2**30:.1f} GiB are available; use fewer "
                "'quantum.bits' or layers, or a smaller batch of a continuous spectrum"
            )
        self._checked = conditions


def _distinct(condition: Tensor) -> tuple[Tensor, Tensor]:
    """Different conditions (U, 2) and the one of every row (N,)."""
    found = distinct_rows(condition)
    if found is not None:
        return found
    return condition, torch.arange(len(condition), device=condition.device)


def build(
    quantum: BornConfig, flow: FlowConfig, preprocessing: EnergyPreprocessing, validity: Validity
) -> BornModel:
    """Return the model in torch's default dtype; it has no coupling blocks, so no ``flow``.

    Raises
    ------
    ConfigError
        As of `BornModel`.
    """
    return BornModel(quantum, preprocessing, validity)
