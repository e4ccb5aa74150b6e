"""Whether a production can be drawn at all, found out before any work is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.errors import InputError
from fastcaloq_infer.output.spectrum import Spectrum, energies_of_validity, eta_of_validity

if TYPE_CHECKING:
    from fastcaloq_infer.artefact import Card
    from fastcaloq_infer.output.schema import OutOfRange


def check_request(
    card: Card,
    n: int,
    energies: Spectrum | None,
    eta: Spectrum | None,
    seed: int,
    first_event: int,
    out_of_range: OutOfRange,
) -> tuple[Spectrum, Spectrum]:
    """Return the laws of energy and eta, after refusing what no model or generator can do.

    Arguments as of `produce`.

    Raises
    ------
    InputError
        As `produce`.
    """
    _check_numbers(n, seed, first_event)
    validity = card.validity
    energies = energies or energies_of_validity(*validity.incident_energy)
    eta = eta or eta_of_validity(*validity.eta)
    if out_of_range != "clip":
        known = validity if out_of_range == "refuse" else card.extrapolation
        others = "clip or extrapolate" if out_of_range == "refuse" else "clip"
        _check_range("incident energies", " MeV", energies.bounds, known.incident_energy, others)
        _check_range("|eta|", "", _absolute(eta.bounds), known.eta, others)
    return energies, eta


def _check_numbers(n: int, seed: int, first_event: int) -> None:
    if n < 1:
        raise InputError(f"the number of showers is {n}, but a file needs at least 1")
    for name, value in (("seed", seed), ("first event", first_event)):
        if not 0 <= value < 2**64:
            raise InputError(f"{name} {value} does not fit the random generator; use 0 to 2^64 - 1")
    if first_event + n > 2**64:
        raise InputError(
            f"events {first_event} to {first_event + n - 1} go beyond 2^64 - 1; start lower"
        )


def _absolute(bounds: tuple[float, float]) -> tuple[float, float]:
    low, high = sorted(map(abs, bounds))
    return (0.0 if bounds[0] < 0 < bounds[1] else low), high


def _check_range(
    what: str, unit: str, asked: tuple[float, float], valid: tuple[float, float], others: str
) -> None:
    """Refuse at once what the sampler would refuse at the first shower outside, perhaps late."""
    # The model compares in float32.
    low, high = (np.float32(value) for value in valid)
    if np.float32(asked[0]) < low or np.float32(asked[1]) > high:
        raise InputError(
            f"{what} of {asked[0]:g} to {asked[1]:g}{unit} asked, but the model goes from "
            f"{valid[0]:g} to {valid[1]:g}{unit}; stay inside, or choose {others} (--out-of-range)"
        )
