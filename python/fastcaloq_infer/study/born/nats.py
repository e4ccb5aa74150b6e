"""The difference of held-out likelihood to a flow, taken apart into bins and circuit.

On the same held-out showers, in nats per shower (positive is worse)::

    total   = <log p_flow> - <log p_born>
    bins    = <log p_flow> - <log p_flow averaged over the bins>
    circuit = <log p_flow averaged over the bins> - <log p_born>

The flow averaged over the bins is the best that any distribution of the bins does, as far as the
flow is right; its probabilities are the shares of many draws, with a pseudo-count of 0.1
per bin. The histogram of the training showers in the same bins, with the pseudo-count that suits
showers set aside best, stands beside the circuit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

import numpy as np
import torch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastcaloq_infer.data import LayerEnergies
    from fastcaloq_infer.flow.kinds.born.model import BornModel

__all__ = ["Binned", "Shares", "bin_showers", "compare", "histogram_log_prob"]

_ROWS = 100_000
_FLOW_COUNT = 0.1
_COUNTS = (1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3)


@dataclass(frozen=True)
class Binned:
    """Showers in the bins of a model.

    Attributes
    ----------
    place
        Index of the incident energy, (N,).
    number
        Number of the bin, (N,).
    log_inside
        Log density in MeV inside the bin, (N,), nats; not finite where there is none.
    """

    place: NDArray[np.int64]
    number: NDArray[np.int64]
    log_inside: NDArray[np.float64]

    def __getitem__(self, rows: NDArray[np.bool_]) -> Binned:
        return Binned(self.place[rows], self.number[rows], self.log_inside[rows])

    def counts(self, n_energies: int, n_bins: int) -> NDArray[np.float64]:
        """Numbers of showers (E, D)."""
        flat = np.bincount(self.place * n_bins + self.number, minlength=n_energies * n_bins)
        return flat.reshape(n_energies, n_bins).astype(np.float64)


class Shares(TypedDict):
    """Log likelihoods in nats per held-out shower, and how many there were."""

    showers: int
    flow: float
    binned_flow: float
    histogram: float
    circuit: float
    pseudo_count: float


@torch.no_grad()
def bin_showers(
    model: BornModel,
    layer_energy: NDArray[np.floating],
    incident_energy: NDArray[np.floating],
    energies: NDArray[np.float64],
    seed: int = 0,
) -> Binned:
    """Put showers (N, L), (N,) in MeV into the bins of a model; ``seed`` places the zeros.

    ``energies`` are the incident energies there are, ascending.
    """
    noise = torch.Generator().manual_seed(seed)
    numbers, inside = [], []
    for start in range(0, len(incident_energy), _ROWS):
        rows = slice(start, start + _ROWS)
        layers = torch.as_tensor(layer_energy[rows], dtype=torch.float64)
        energy = torch.as_tensor(incident_energy[rows], dtype=torch.float64)
        x, log_abs_det = model.preprocessing(layers, energy, noise)
        number, log_density = model.bins.locate(x)
        numbers.append(number.numpy())
        inside.append((log_abs_det + log_density).numpy())
    place = np.abs(incident_energy[:, None] - energies[None, :]).argmin(axis=1)
    return Binned(place, np.concatenate(numbers), np.concatenate(inside))


def histogram_log_prob(
    counts: NDArray[np.float64], showers: Binned, pseudo_count: float
) -> NDArray[np.float64]:
    """Log density (N,) of showers under bins filled with ``counts`` (E, D) + ``pseudo_count``."""
    filled = counts + pseudo_count
    log_share = np.log(filled) - np.log(filled.sum(axis=1, keepdims=True))
    result: NDArray[np.float64] = log_share[showers.place, showers.number] + showers.log_inside
    return result


def compare(
    model: BornModel,
    log_prob: dict[str, NDArray[np.float64]],
    drawn: NDArray[np.float64],
    train: LayerEnergies,
    validation: LayerEnergies,
    held_out: LayerEnergies,
) -> Shares:
    """Take the difference apart.

    Parameters
    ----------
    model
        In float64.
    log_prob
        Of the ``held_out`` showers under the ``flow`` and the model (``circuit``), (N,) nats.
    drawn
        Numbers of the flow's draws in the model's bins, (E, D).
    train, validation, held_out
        Showers of the training, of those set aside, and of neither.
    """
    energies = np.unique(held_out.incident_energy).astype(np.float64)

    def binned(showers: LayerEnergies) -> Binned:
        found = bin_showers(model, showers.layer_energy, showers.incident_energy, energies)
        return found[np.isfinite(found.log_inside)]

    counts = binned(train).counts(len(energies), model.n_bins)
    aside = binned(validation)
    scores = {count: histogram_log_prob(counts, aside, count).mean() for count in _COUNTS}
    best = max(scores, key=lambda count: scores[count])
    judged = bin_showers(model, held_out.layer_energy, held_out.incident_energy, energies)
    kept = np.isfinite(log_prob["flow"]) & np.isfinite(log_prob["circuit"])
    judged = judged[kept]
    return Shares(
        showers=int(kept.sum()),
        flow=float(log_prob["flow"][kept].mean()),
        binned_flow=float(histogram_log_prob(drawn, judged, _FLOW_COUNT).mean()),
        histogram=float(histogram_log_prob(counts, judged, best).mean()),
        circuit=float(log_prob["circuit"][kept].mean()),
        pseudo_count=best,
    )
