"""What a flow makes of showers: latents, log densities, and showers of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from fastcaloq_infer.errors import InputError

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    from fastcaloq_infer.evaluation.samples.sample import Sample

    Array = NDArray[np.float64]

_CHUNK = 10_000
_LOG_2PI = float(np.log(2.0 * np.pi))


class InvertibleFlow(Protocol):
    """An invertible model of layer energies such as :class:`~fastcaloq_infer.flow.EnergyFlow`."""

    def forward(
        self,
        layer_energy: torch.Tensor,
        incident_energy: torch.Tensor,
        eta: torch.Tensor,
        generator: torch.Generator | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Map (N, L) MeV to latents (N, L) and log|det| (N,); the generator places zeros."""

    def inverse(
        self, z: torch.Tensor, incident_energy: torch.Tensor, eta: torch.Tensor
    ) -> torch.Tensor:
        """Map latents (N, L) to layer energies (N, L) in MeV."""


class Encoded(NamedTuple):
    """Latents (N, L) and log densities (N,) in nats, density in MeV; -inf where there is none."""

    z: Array
    log_prob: Array


def encode(flow: InvertibleFlow, sample: Sample, seed: int) -> Encoded:
    """Return latents and log densities with one draw of the zeros' places (seeded), in float64."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    latents, log_probs = [], []
    with torch.no_grad():
        for part in _chunks(sample.n_showers):
            z, log_abs_det = flow.forward(
                torch.as_tensor(sample.layer_energy[part]), *_condition(sample, part), generator
            )
            latents.append(z.numpy())
            log_probs.append((log_abs_det - 0.5 * (z.square() + _LOG_2PI).sum(dim=1)).numpy())
    encoded = Encoded(np.concatenate(latents), np.concatenate(log_probs))
    if np.isnan(encoded.log_prob).any() or np.isposinf(encoded.log_prob).any():
        row = int(np.flatnonzero(~(encoded.log_prob < np.inf))[0])
        raise InputError(
            f"the flow gives shower {row} ({sample.incident_energy[row]:.6g} MeV) no number as its "
            "density: the figures would be meaningless; check the model, or drop the shower"
        )
    return encoded


def generate(flow: InvertibleFlow, sample: Sample, copies: int, seed: int) -> Sample:
    """Draw ``copies`` showers per row at the sample's conditions; row i of copy c is c N + i."""
    from dataclasses import replace

    import torch

    generator = torch.Generator().manual_seed(seed)
    n, layers = sample.layer_energy.shape
    energies = []
    with torch.no_grad():
        for _ in range(copies):
            for part in _chunks(n):
                condition = _condition(sample, part)
                size = (len(condition[0]), layers)
                z = torch.randn(size, generator=generator, dtype=torch.float64)
                energies.append(flow.inverse(z, *condition).numpy())
    if sample.eta is None:
        raise _no_eta()
    return replace(
        sample.without_voxels(),
        incident_energy=np.tile(sample.incident_energy, copies),
        eta=np.tile(sample.eta, copies),
        layer_energy=np.concatenate(energies),
    )


def _chunks(n: int) -> list[slice]:
    return [slice(start, min(start + _CHUNK, n)) for start in range(0, n, _CHUNK)]


def _condition(sample: Sample, part: slice) -> tuple[torch.Tensor, torch.Tensor]:
    import torch

    if sample.eta is None:
        raise _no_eta()
    return (
        torch.as_tensor(sample.incident_energy[part]),
        torch.as_tensor(np.array(sample.eta[part])),
    )


def _no_eta() -> InputError:
    return InputError(
        "the held-out showers have no eta, which the density depends on: state it when reading them"
    )
