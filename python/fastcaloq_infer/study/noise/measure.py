"""Fidelity of a model whose circuit runs with shots or noise, against both."""

from __future__ import annotations

import math
import zlib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch

from fastcaloq_infer.conditioning import QuantumConditioner
from fastcaloq_infer.errors import InputError
from fastcaloq_infer.evaluation.samples.groups import energy_groups, match_counts
from fastcaloq_infer.evaluation.samples.sample import as_sample
from fastcaloq_infer.flow.energy_flow import EnergyFlow
from fastcaloq_infer.quantum.execution import Execution
from fastcaloq_infer.sampling.showers import Showers
from fastcaloq_infer.study.execute import aucs
from fastcaloq_infer.study.layer_figures import layer_figures
from fastcaloq_infer.study.noise.features import GivenFeatures, measured, outcome_probabilities

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from fastcaloq_infer.data import LayerEnergies
    from fastcaloq_infer.flow.energy_model import EnergyModel

    Array = NDArray[np.float64]

__all__ = ["Point", "Subject", "points"]

_ROWS = 8192
_FLOOR = 22  # stream of the floor's rows
_ZEROS, _LATENTS = 20, 21  # seeds: the same places of zeros and latents at every point
SHOTS = (10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000)
PROBABILITIES = (0.001, 0.003, 0.01, 0.03, 0.1)

Series = Literal["exact", "fresh", "table", "depolarising", "readout"]


@dataclass(frozen=True)
class Point:
    """One way to run the circuit.

    Attributes
    ----------
    series
        ``exact``, ``fresh`` (shots, every shower measures), ``table`` (shots, once per incident
        energy), ``depolarising`` or ``readout``.
    value
        Shots, or the probability.
    """

    series: Series
    value: float

    @property
    def execution(self) -> Execution:
        """The circuit's noise."""
        return Execution(
            depolarising=self.value if self.series == "depolarising" else 0.0,
            readout_error=self.value if self.series == "readout" else 0.0,
        )

    @property
    def shots(self) -> int | None:
        """Measurements; None: expectation values."""
        return int(self.value) if self.series in ("fresh", "table") else None


def points(shots: tuple[int, ...] = SHOTS, noise: tuple[float, ...] = PROBABILITIES) -> list[Point]:
    """All points, the exact one first."""
    found = [Point("exact", math.inf)]
    found += [Point("fresh", n) for n in shots] + [Point("table", n) for n in shots]
    found += [Point("depolarising", p) for p in noise] + [Point("readout", p) for p in noise]
    return found


class Subject:
    """A trained flow and the held-out showers it is judged on.

    Parameters
    ----------
    model
        Energy flow with a circuit as conditioner.
    held_out, floor
        Showers of the simulation, no training has seen them, and an independent sample.

    Raises
    ------
    InputError
        The model has no circuit that conditions it.
    """

    def __init__(self, model: EnergyModel, held_out: LayerEnergies, floor: LayerEnergies) -> None:
        if not isinstance(model, EnergyFlow) or not isinstance(
            model.conditioner, QuantumConditioner
        ):
            raise InputError(
                "the model is not conditioned by a circuit, so there are no features that shots or "
                "noise could reach; give one of quantum.kind conditioner"
            )
        self.held_out, self.floor = held_out, floor
        self._flow = model.double().eval().requires_grad_(False)
        self._conditioner = model.conditioner
        energy, eta, layers = (
            torch.as_tensor(column, dtype=torch.float64)
            for column in (held_out.incident_energy, held_out.eta, held_out.layer_energy)
        )
        self._energy = energy
        self._condition: torch.Tensor = model.condition(energy, eta)
        zeros = torch.Generator().manual_seed(_ZEROS)
        self._x, self._log_abs_det = model.preprocessing(layers, energy, zeros)
        latents = torch.Generator().manual_seed(_LATENTS)
        self._z = torch.randn(self._x.shape, generator=latents, dtype=torch.float64)
        self._distinct, place = torch.unique(self._condition, dim=0, return_inverse=True)
        self._place = place.numpy()

    def floor_auc(self, repeats: int, classifiers: int) -> list[float]:
        """Return the AUC of Geant4 against independent Geant4, judged like the model's."""
        first, other = as_sample(self.held_out, "held-out"), as_sample(self.floor, "floor")
        groups = energy_groups(first)
        counts = np.array([len(rows) for rows in groups.rows(first)])
        found: list[float] = []
        for seed in range(1, repeats + 1):
            random = np.random.default_rng([seed, _FLOOR])
            equal = match_counts(other, groups, counts, random)
            found += aucs(self.held_out, equal, classifiers, seed)
        return found

    def _features(self, point: Point, random: np.random.Generator) -> Array:
        probabilities = outcome_probabilities(self._conditioner, self._distinct, point.execution)
        circuit = self._conditioner.circuit.circuit
        fresh = point.series == "fresh"
        return measured(probabilities, self._place, circuit, point.shots, random, fresh=fresh)

    def judge(self, point: Point, seed: int, *, draws: int, classifiers: int) -> dict[str, Any]:
        """Judge one realisation of the measurements.

        Parameters
        ----------
        point
            How the circuit runs.
        seed
            Of the measurements.
        draws
            Measurements per shower over which the density is averaged where every shower measures:
            the density of what is drawn is the mean over features, and the logarithm of a mean of
            a few is below it.
        classifiers
            Number of boosted trees trained for the AUC; 0: none.

        Returns
        -------
        dict
            ``log_likelihood`` in nats per held-out shower, root mean square ``feature_error``, the
            figures of `LayerFigures`, ``auc``.
        """
        name = zlib.crc32(f"{point.series} {point.value:g}".encode())
        random = np.random.default_rng([seed, name])
        features = [
            self._features(point, random) for _ in range(draws if point.series == "fresh" else 1)
        ]
        exact = self._features(Point("exact", math.inf), random)
        densities = np.stack([self._log_density(f) for f in features])
        log_prob = np.logaddexp.reduce(densities, axis=0) - math.log(len(densities))
        showers = self._drawn(features[0])
        figures = layer_figures(self.held_out, showers, self.floor, seed)
        found = aucs(self.held_out, showers, classifiers, seed)
        return {
            "log_likelihood": float(log_prob[np.isfinite(log_prob)].mean()),
            "feature_error": float(np.sqrt(np.square(features[0] - exact).mean())),
            **asdict(figures),
            "auc": float(np.mean(found)) if found else None,
        }

    def _parts(self, features: Array) -> Iterator[slice]:
        """Give the flow these features, part of the showers by part."""
        given = GivenFeatures(features, torch.float64)
        self._flow.conditioner = given
        try:
            for start in range(0, len(features), _ROWS):
                given.start = start
                yield slice(start, start + _ROWS)
        finally:
            self._flow.conditioner = self._conditioner

    @torch.no_grad()
    def _log_density(self, features: Array) -> Array:
        values = [
            self._flow.coordinate_log_prob(self._x[part], self._condition[part])
            for part in self._parts(features)
        ]
        found: Array = (torch.cat(values) + self._log_abs_det).numpy()
        return found

    @torch.no_grad()
    def _drawn(self, features: Array) -> Showers:
        eta = torch.as_tensor(self.held_out.eta, dtype=torch.float64)
        layers = [
            self._flow.inverse(self._z[part], self._energy[part], eta[part])
            for part in self._parts(features)
        ]
        return Showers(
            incident_energy=self.held_out.incident_energy,
            eta=self.held_out.eta.astype(np.float32),
            layer_energy=torch.cat(layers).numpy().astype(np.float32),
            event=np.arange(len(self._x), dtype=np.uint64),
            n_out_of_range=0,
        )
