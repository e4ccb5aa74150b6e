"""Samples that share showers, found by content whatever the order of the rows.

A generator that is compared with its own reference, or a reference with itself, looks perfect and
says nothing. Showers are continuous, so two that agree in the bits of every value are one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from fastcaloq_infer.evaluation.samples.sample import Sample

REFUSED = 0.5
"""Shared fraction of either sample from which a comparison is refused; below, it is noted."""

_WHAT = {
    "reference": ("the reference", "the held-out showers of the simulation"),
    "generated": ("the generated sample", "the generated showers"),
    "floor": ("the floor sample", "an independent sample of the reference (--floor)"),
}


def refuse_copies(samples: dict[str, Sample]) -> Iterator[str]:
    """Look for shared showers in every pair of samples; yield a note where there are a few.

    Raises
    ------
    InputError
        A sample holds more than half of another, or comes to more than half from it.
    """
    voxels = all(sample.voxel_energy is not None for sample in samples.values())
    prints = {role: fingerprints(sample, voxels=voxels) for role, sample in samples.items()}
    for first, second in (
        ("reference", "generated"),
        ("reference", "floor"),
        ("floor", "generated"),
    ):
        if first not in prints or second not in prints:
            continue
        known, found = prints[first], prints[second]
        if len(known) == 0 or len(found) == 0:
            continue
        shared = int(np.isin(found, known).sum())
        of_known = int(np.isin(known, found).sum())
        (name_1, _), (name_2, give) = _WHAT[first], _WHAT[second]
        if shared >= REFUSED * len(found) or of_known >= REFUSED * len(known):
            itself = f"{name_1} itself" if shared == len(found) else f"in good part {name_1}"
            raise InputError(
                f"{name_2} is {itself}, value by value ({shared} of its {len(found)} showers): "
                f"the figures would be perfect and mean nothing; give {give}"
            )
        if shared:
            yield (
                f"{shared} of {len(found)} showers of {name_2} are copies of showers of {name_1}, "
                "value by value: they are not independent of it"
            )


def fingerprints(sample: Sample, *, voxels: bool) -> NDArray[np.uint64]:
    """Return a 64-bit number per shower that holds energy, shape (n,).

    Equal showers have equal numbers; different ones differ but for one pair in 2^64. Values are
    compared as float32, which is what files hold.

    Parameters
    ----------
    sample
        The showers.
    voxels
        Whether to look at voxels, or at layer energies.
    """
    deposits = sample.voxel_energy if voxels else None
    values = sample.layer_energy if deposits is None else deposits
    rows = np.flatnonzero(sample.layer_energy.any(axis=1))
    # Odd multipliers, fixed: a linear hash modulo 2^64 of the bits.
    rng = np.random.default_rng(0)
    factors = rng.integers(0, 2**63, values.shape[1] + 1, dtype=np.uint64) * 2 + 1
    numbers: NDArray[np.uint64] = _bits(sample.incident_energy[rows]) * factors[0]
    for start in range(0, len(rows), 10_000):
        part = slice(start, start + 10_000)
        numbers[part] += _bits(values[rows[part]]) @ factors[1:]
    return numbers


def _bits(values: NDArray[np.floating]) -> NDArray[np.uint64]:
    # Adding 0 makes -0 and 0 one.
    rounded: NDArray[np.float32] = np.ascontiguousarray(values, np.float32) + np.float32(0)
    return np.asarray(rounded.view(np.uint32), np.uint64)
