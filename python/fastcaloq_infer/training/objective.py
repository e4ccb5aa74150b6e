"""What a training minimises, unless its section ``loss`` says more: a negative log likelihood.

The part of the likelihood that has no weights (preprocessing, encoding) is computed in float64 for
all showers at once: every epoch where noise is in it, else once. A step then costs the network and
the conditioner alone.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Self

import torch
from torch import nn

from fastcaloq_infer.errors import InputError
from fastcaloq_infer.training.memory import refuse_too_large

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from fastcaloq_infer.flow.energy_model import EnergyModel
    from fastcaloq_infer.flow.shape.voxel_flow import VoxelFlow
    from fastcaloq_infer.training.data import ShowerTensors

__all__ = ["MaximumLikelihood", "Objective", "Prepared", "ShapeLikelihood"]

Prepared = tuple["Tensor", ...]
"""Tensors with one row per shower."""


class Objective(nn.Module, ABC):
    """A loss over showers, split into what depends on the weights and what does not.

    Attributes
    ----------
    flow
        The flow that is trained.
    noisy
        Whether rows hold noise, so that every epoch prepares its own.
    rows_at_once
        How many rows may be looked at together without a step's memory becoming a burden.
    """

    flow: nn.Module
    noisy: bool
    rows_at_once: ClassVar[int]

    @abstractmethod
    def prepare(self, showers: ShowerTensors, generator: Generator | None) -> Prepared:
        """Return what a step needs, one row per shower; ``generator`` draws all noise."""

    @abstractmethod
    def forward(self, *batch: Tensor) -> Tensor:
        """Return the loss (B,) of a batch of prepared rows; its mean is minimised."""

    def nll(self, *batch: Tensor) -> Tensor:
        """Return the negative log likelihood (B,) of prepared rows, in nats per shower."""
        nll: Tensor = self(*batch)
        return nll

    def before_step(self, batch: list[Tensor], factor: float) -> None:
        """Do what the loss needs before a step on ``batch``.

        ``factor`` is the present learning rate in units of the peak's.
        """

    def held_out(self, nll: float, rows: Prepared) -> float:
        """Return the loss by which looks are compared, the same at equal weights.

        Parameters
        ----------
        nll
            Mean negative log likelihood of the held-out rows.
        rows
            The held-out rows, prepared.
        """
        return nll

    def companions(self) -> dict[str, Any]:
        """Return the state of what is trained or drawn beside the flow; tensors are not copied."""
        return {}

    def load_companions(self, state: dict[str, Any]) -> None:
        """Restore :meth:`companions`."""

    def to_device(self, device: torch.device) -> Self:
        """Move the weights, and what prepares the rows, beside the data."""
        return self.to(device)


class MaximumLikelihood(Objective):
    """Negative log likelihood of layer energies in nats per shower, of a density in MeV.

    Equal to ``-flow.log_prob``; a test holds them together.

    Parameters
    ----------
    flow
        The flow to train, in the dtype of the training.
    """

    flow: EnergyModel
    noisy = True  # in layers without energy
    rows_at_once = 8192

    def __init__(self, flow: EnergyModel) -> None:
        super().__init__()
        self.flow = flow
        # A double of its own: the logits of fractions near 0 and 1 lose digits in float32. In a
        # list, so that it is neither moved nor saved with the weights.
        self._preprocessing = [copy.deepcopy(flow.preprocessing).double()]

    @torch.no_grad()
    def prepare(self, showers: ShowerTensors, generator: Generator | None) -> Prepared:
        """Return coordinates (N, L), scaled condition (N, 2) and log|det| (N,)."""
        x, log_abs_det = self._preprocessing[0](
            showers.layer_energy, showers.incident_energy, generator
        )
        condition = self.flow.condition(showers.incident_energy, showers.eta)
        dtype = next(self.flow.parameters()).dtype
        return x.to(dtype), condition.to(dtype), log_abs_det.to(dtype)

    def forward(self, *batch: Tensor) -> Tensor:
        """Return the negative log likelihood (B,) of prepared rows."""
        x, condition, log_abs_det = batch
        if self.training:
            return self.flow.training_loss(x, condition) - log_abs_det
        return -self.flow.coordinate_log_prob(x, condition) - log_abs_det

    def to_device(self, device: torch.device) -> Self:
        """Move the weights and the float64 preprocessing beside the data."""
        self._preprocessing[0].to(device)
        return super().to_device(device)


class ShapeLikelihood(Objective):
    """Negative log likelihood of voxels given their layers' energies, a density in MeV.

    Equal to ``-flow.log_prob``; a test holds them together.

    Parameters
    ----------
    flow
        The flow to train, in the dtype of the training.
    mixed
        In training mode, let torch do the flow's large matrix products in bfloat16.
    """

    flow: VoxelFlow
    rows_at_once = 1024

    def __init__(self, flow: VoxelFlow, *, mixed: bool = False) -> None:
        super().__init__()
        self.flow = flow
        self._mixed = mixed
        self.noisy = flow.noisy

    @torch.no_grad()
    def prepare(self, showers: ShowerTensors, generator: Generator | None) -> Prepared:
        """Return what :meth:`VoxelFlow.prepare` does, without ever holding a second copy of it.

        Raises
        ------
        InputError
            The rows do not fit in memory, or there are no voxels.
        """
        if showers.voxels is None:
            raise InputError("a shape flow learns from voxels, but there are layer energies only")
        voxels, n = showers.voxels, len(showers)
        rows: Prepared | None = None
        for start in range(0, n, self.rows_at_once):
            part = slice(start, start + self.rows_at_once)
            prepared = self.flow.prepare(
                voxels[part], showers.incident_energy[part], showers.eta[part], generator
            )
            if rows is None:
                needed = n * sum(tensor.nbytes // len(tensor) for tensor in prepared)
                refuse_too_large(needed, f"{n} showers as a training sees them", voxels.device)
                rows = tuple(tensor.new_empty(n, *tensor.shape[1:]) for tensor in prepared)
            for whole, tensor in zip(rows, prepared, strict=True):
                whole[part] = tensor
        if rows is None:
            raise InputError("there is no shower to learn from or to be judged on; add showers")
        return rows

    def forward(self, *batch: Tensor) -> Tensor:
        """Return the negative log likelihood (B,) of prepared rows."""
        if not (self._mixed and self.training):
            return self.flow.nll(*batch)
        with torch.autocast(batch[0].device.type, torch.bfloat16):
            return self.flow.nll(*batch)
