"""Lines of figures of whole showers: profiles of the layers, and whether energies add up."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from fastcaloq_infer.evaluation.targets.lights import (
    LAYER_SUM_TARGET,
    PROFILE_TARGET,
    share_light,
    traffic_light,
)
from fastcaloq_infer.evaluation.targets.line import TargetLine

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fastcaloq_infer.evaluation.results import LayerSum, Profile

LEAST_ENERGY = 0.01
"""Of E_inc: rings and sectors with less are not held to the target of profiles."""


def profile_lines(profiles: Sequence[Profile]) -> Iterator[TargetLine]:
    """Yield the worst ring and the worst sector, where there are several."""
    for axis, what in (("r", "ring"), ("alpha", "sector")):
        # (light is red, difference, error, floor's difference, where) of every ring or sector
        places = [
            (abs(g / r - 1), math.hypot(eg, er) / r, abs(f / r - 1), p, k)
            for p in profiles
            if p.axis == axis
            for k, (r, er, g, eg, f) in enumerate(
                zip(
                    p.reference,
                    p.reference_error,
                    p.generated,
                    p.generated_error,
                    p.floor,
                    strict=True,
                )
            )
            if r >= LEAST_ENERGY
        ]
        if not places:
            continue
        lights = [share_light(v, e, PROFILE_TARGET, len(places)) for v, e, *_ in places]
        i = max(range(len(places)), key=lambda i: (lights[i] == "red", places[i][0]))
        value, error, _, worst, k = places[i]
        yield TargetLine(
            f"largest relative difference of a {what}'s mean energy",
            f"{what} {k} of layer {worst.layer} at {worst.incident_energy:.6g} MeV",
            value,
            error,
            max(floor for _, _, floor, *_ in places),
            PROFILE_TARGET,
            lights[i],
        )


def sum_line(sums: Sequence[LayerSum]) -> TargetLine:
    """Return the layer whose voxels add up worst."""
    worst = max(sums, key=lambda s: s.largest)
    return TargetLine(
        "largest relative difference of a layer's energy and its voxels",
        f"layer {worst.layer}",
        worst.largest,
        0.0,
        0.0,
        LAYER_SUM_TARGET,
        traffic_light(worst.largest, 0.0, LAYER_SUM_TARGET),
    )
