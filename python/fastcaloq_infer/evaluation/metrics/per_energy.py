"""The figures per incident energy that need no training: over features, layers and energies."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.evaluation.metrics.histograms import (
    SHOWERS_PER_BIN,
    histogram,
    null_separation,
    reference_edges,
    separation_error,
    separation_power,
)
from fastcaloq_infer.evaluation.metrics.moments import (
    largest_difference,
    layer_correlations,
    response_moments,
)
from fastcaloq_infer.evaluation.progress import silent
from fastcaloq_infer.evaluation.results import (
    Correlation,
    Extreme,
    Matrix,
    Moments,
    Response,
    Separation,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastcaloq_infer.evaluation.features.high_level import Features
    from fastcaloq_infer.evaluation.progress import Progress
    from fastcaloq_infer.evaluation.samples.groups import EnergyGroups
    from fastcaloq_infer.evaluation.samples.sample import Sample

REPEATS = 10
"""Most generated samples of the reference's size over which a separation is averaged."""

RUNAWAY = 2.0
"""Totals above so many times the largest of Geant4 cannot be a fluctuation."""


def separations(
    tables: dict[str, Features],
    samples: dict[str, Sample],
    groups: EnergyGroups,
    rng: np.random.Generator,
    notes: list[str],
    progress: Progress = silent,
) -> tuple[Separation, ...]:
    """Return separations of every feature at every energy (of E_layer/E_inc for E_layer).

    ``samples`` holds reference and floor with equal counts, and all generated showers: where there
    are more of them, the separation is the mean over disjoint samples of the reference's size, so
    that the luck of one draw does not decide. ``tables`` are their features. Where the reference
    has too few values for two bins there is nothing to compare: left out, with a note.
    """
    rows = {role: groups.rows(sample) for role, sample in samples.items()}
    names, units = tables["reference"].names, tables["reference"].units
    figures, few = [], set()
    for number, (name, unit) in enumerate(zip(names, units, strict=True)):
        columns = {
            # An energy is compared as a fraction: a group may hold a range of incident energies.
            role: table.values[:, number] / (samples[role].incident_energy if unit == "MeV" else 1)
            for role, table in tables.items()
        }
        for g, energy in enumerate(groups.centers):
            values = {role: columns[role][rows[role][g]] for role in samples}
            figure = _separation(name, float(energy), values, rng)
            # An always empty layer has one bin, too, however many showers there are.
            if figure.bins < 2 and figure.showers < 2 * SHOWERS_PER_BIN:
                few.add((float(energy), figure.showers))
            else:
                figures.append(figure)
        progress("separation powers", (number + 1) / len(names))
    for energy, showers in sorted(few):
        notes.append(
            f"no separation powers at {energy:.6g} MeV where all values are one bin: {showers} "
            f"showers do not fill two of {SHOWERS_PER_BIN}"
        )
    return tuple(figures)


def _separation(
    name: str, energy: float, values: dict[str, NDArray[np.float64]], rng: np.random.Generator
) -> Separation:
    edges = reference_edges(values["reference"])
    ref, floor = (histogram(values[role], edges) for role in ("reference", "floor"))
    parts = _disjoint(values["generated"], len(values["reference"]), rng)
    gen = np.array([histogram(part, edges) for part in parts])
    repeated = separation_power(ref, gen)
    null = null_separation(ref, floor, rng)
    return Separation(
        feature=name,
        incident_energy=energy,
        showers=int(ref.sum()),
        bins=int(((ref + gen.sum(axis=0)) > 0).sum()),
        value=float(repeated.mean()),
        error=(
            float(repeated.std(ddof=1)) / math.sqrt(len(repeated))
            if len(repeated) > 1
            else separation_error(ref, gen[0], rng)
        ),
        floor=float(separation_power(ref, floor)),
        floor_mean=null.mean,
        floor_spread=null.spread,
        floor_upper=null.upper,
    )


def _disjoint(
    values: NDArray[np.float64], size: int, rng: np.random.Generator
) -> list[NDArray[np.float64]]:
    """Split values into up to ``REPEATS`` random samples of ``size``; fewer values are one."""
    repeats = min(REPEATS, len(values) // size)
    if repeats <= 1:
        return [rng.permutation(values)[:size]]
    return np.split(rng.permutation(values)[: repeats * size], repeats)


def responses(samples: dict[str, Sample], groups: EnergyGroups) -> tuple[Response, ...]:
    """Return mean and relative width of E_tot/E_inc at every energy, from all showers."""
    ratio = {role: s.total_energy / s.incident_energy for role, s in samples.items()}
    rows = {role: groups.rows(sample) for role, sample in samples.items()}
    figures = []
    for g, energy in enumerate(groups.centers):
        ref, gen, floor = (
            Moments(**asdict(response_moments(ratio[role][rows[role][g]]))) for role in samples
        )
        figures.append(
            Response(incident_energy=float(energy), reference=ref, generated=gen, floor=floor)
        )
    return tuple(figures)


def extremes(samples: dict[str, Sample], groups: EnergyGroups) -> tuple[Extreme, ...]:
    """Return the largest totals at every energy and the number of runaway showers."""
    ratio = {role: s.total_energy / s.incident_energy for role, s in samples.items()}
    rows = {role: groups.rows(sample) for role, sample in samples.items()}
    figures = []
    for g, energy in enumerate(groups.centers):
        ref, gen, floor = (ratio[role][rows[role][g]] for role in samples)
        largest = max(float(ref.max()), float(floor.max()))
        figures.append(
            Extreme(
                incident_energy=float(energy),
                reference=float(ref.max()),
                generated=float(gen.max()),
                floor=float(floor.max()),
                runaways=int((gen > RUNAWAY * largest).sum()),
                floor_runaways=int((ref > RUNAWAY * floor.max()).sum()),
            )
        )
    return tuple(figures)


def correlations(samples: dict[str, Sample], groups: EnergyGroups) -> tuple[Correlation, ...]:
    """Return the correlations of the layer energies at every energy, from all showers."""
    rows = {role: groups.rows(sample) for role, sample in samples.items()}
    figures = []
    for g, energy in enumerate(groups.centers):
        ref, gen, floor = (
            layer_correlations(sample.layer_energy[rows[role][g]])
            for role, sample in samples.items()
        )
        figures.append(
            Correlation(
                incident_energy=float(energy),
                reference=_matrix(ref),
                generated=_matrix(gen),
                floor=_matrix(floor),
                largest_difference=largest_difference(ref, gen),
                floor_largest_difference=largest_difference(ref, floor),
            )
        )
    return tuple(figures)


def _matrix(values: NDArray[np.float64]) -> Matrix:
    return tuple(tuple(float(v) if np.isfinite(v) else None for v in row) for row in values)
