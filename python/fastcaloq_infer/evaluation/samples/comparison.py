"""Three samples made comparable: reference, generated and floor.

What is done to them is said in notes, so that nobody has to guess: voxels below the challenge's
cut are zero, energies that not all samples have are left out, counts are made equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.errors import InputError
from fastcaloq_infer.evaluation.features.binnings import voxel_cut
from fastcaloq_infer.evaluation.metrics.profiles import layer_sums
from fastcaloq_infer.evaluation.samples.common_energies import ROLES, enough, inside, spectra
from fastcaloq_infer.evaluation.samples.copies import refuse_copies
from fastcaloq_infer.evaluation.samples.groups import EnergyGroups, energy_groups, match_counts
from fastcaloq_infer.evaluation.samples.sample import LayerEnergyTable, Level, Sample, as_sample
from fastcaloq_infer.evaluation.samples.spectrum import follow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fastcaloq_infer.evaluation.results import LayerSum


@dataclass(frozen=True)
class Comparison:
    """What figures are computed from.

    Attributes
    ----------
    samples
        By role: all showers at energies that all three have.
    equal
        By role: the same number of showers in every group, ordered by group.
    groups
        Groups of incident energy, from the reference.
    counts
        Showers of each equal sample per group, shape (G,).
    layer_ids
        Numbers of the L layers.
    level
        ``layers`` or ``voxels``.
    energy_threshold, voxel_threshold
        Energies (MeV) at or below which a layer, below which a voxel was set to zero.
    seed
        Of every random choice.
    given
        By role: showers as they were given.
    held_out
        The reference as given, before any cut: what a likelihood is of.
    layer_sums
        How far the generated voxels, as given, are from adding up to their layer energies.
    notes
        What was done to the samples.
    """

    samples: dict[str, Sample]
    equal: dict[str, Sample]
    groups: EnergyGroups
    counts: NDArray[np.intp]
    layer_ids: tuple[int, ...]
    level: Level
    energy_threshold: float
    voxel_threshold: float
    seed: int
    given: dict[str, int]
    held_out: Sample
    layer_sums: tuple[LayerSum, ...]
    notes: tuple[str, ...]


def compare(
    reference: LayerEnergyTable,
    generated: LayerEnergyTable,
    floor: LayerEnergyTable | None = None,
    *,
    seed: int = 1,
    level: Level | None = None,
    layer_ids: Sequence[int] | None = None,
    energy_threshold: float = 0.0,
    voxel_threshold: float | None = None,
    reweight: bool = False,
) -> Comparison:
    """Check three samples, make them comparable and say what was done.

    Parameters
    ----------
    reference, generated, floor
        Samples, or tables with ``incident_energy`` (N,) and ``layer_energy`` (N, L), MeV. Without
        a floor sample the reference is split into two halves of equal spectrum.
    seed
        Of every random choice.
    level
        ``layers`` leaves voxels aside; by default voxels are used if all samples have them.
    layer_ids
        Numbers of the L layers; by default those of the reference, or 0 ... L - 1.
    energy_threshold
        Layer energies at or below it (MeV) count as empty in all samples.
    voxel_threshold
        Voxels below it (MeV) are set to zero in all samples; by default the challenge's cut.
    reweight
        Make generated and floor sample follow the reference's incident-energy spectrum.

    Raises
    ------
    InputError
        Bad energies or shapes, different binnings or layers, a sample that is another one, or too
        few showers at every energy.
    """
    tables = {"reference": reference, "generated": generated, "floor": floor}
    samples = {
        role: as_sample(table, role, threshold=energy_threshold, level=level)
        for role, table in tables.items()
        if table is not None
    }
    notes: list[str] = []
    ids = _layer_ids(samples, layer_ids)
    samples, level = _common_level(samples, notes)
    binning = samples["reference"].binning
    cut = voxel_cut(binning) if voxel_threshold is None and binning else voxel_threshold or 0.0
    rng = np.random.default_rng([seed, 5])
    if floor is None:
        for _ in refuse_copies(samples):  # of the whole reference; what is noted is of its half
            pass
        samples["reference"], samples["floor"] = _halves(samples["reference"], rng)
        notes.append(
            "without a floor sample, the reference was split into two halves of equal spectrum: "
            "generated showers are compared with one half, the other half is the floor"
        )
    held_out = samples["reference"]
    sums = layer_sums(samples["generated"], ids) if energy_threshold <= 0 else ()
    samples = {role: sample.cut(cut) for role, sample in samples.items()}
    given = {role: samples[role].n_showers for role in ROLES}
    notes.extend(refuse_copies(samples))
    groups = enough(energy_groups(samples["reference"]), samples, notes)
    samples = inside(samples, groups, notes)
    spectra(samples, groups, notes, reweight=reweight)
    if reweight:
        for role in ROLES[1:]:
            samples[role] = follow(samples[role], samples["reference"], groups, rng)
        groups = enough(groups, samples, notes)
    _empty_showers(samples, notes)
    counts = np.min([groups.counts(samples[role]) for role in ROLES], axis=0)
    if reweight:
        share = groups.counts(samples["reference"])
        counts = (share * float(np.min(counts / share)) + 1e-9).astype(np.intp)
    equal = {
        role: match_counts(samples[role], groups, counts, np.random.default_rng([seed, i]))
        for i, role in enumerate(ROLES)
    }
    return Comparison(
        {role: samples[role] for role in ROLES},
        equal,
        groups,
        counts,
        ids,
        level,
        energy_threshold,
        cut if level == "voxels" else 0.0,
        seed,
        given,
        held_out,
        sums,
        tuple(notes),
    )


def _layer_ids(samples: dict[str, Sample], given: Sequence[int] | None) -> tuple[int, ...]:
    reference = samples["reference"]
    ids = tuple(given or reference.layer_ids or range(reference.n_layers))
    layers = {role: sample.n_layers for role, sample in samples.items()}
    if len({*layers.values(), len(ids)}) != 1:
        raise InputError(
            f"the samples have different numbers of layers ({layers}, {len(ids)} layer names): "
            "they cannot be compared; give samples of the same detector"
        )
    for role, sample in samples.items():
        if sample.layer_ids and sample.layer_ids != ids:
            raise InputError(
                f"the {role} sample has the layers {sample.layer_ids}, the reference {ids}: they "
                "cannot be compared; give samples of the same detector"
            )
    return ids


def _common_level(samples: dict[str, Sample], notes: list[str]) -> tuple[dict[str, Sample], Level]:
    """Keep voxels if all samples have them, in one binning."""
    without = [role for role, sample in samples.items() if sample.voxel_energy is None]
    if without:
        if len(without) < len(samples):
            notes.append(
                f"the {' and the '.join(without)} sample holds layer energies only: figures of "
                "voxels are left out, and no cut was applied to voxels"
            )
        return {role: sample.without_voxels() for role, sample in samples.items()}, "layers"
    binnings = {role: sample.binning for role, sample in samples.items() if sample.binning}
    reference = binnings["reference"]
    for role, binning in binnings.items():
        if binning.layers != reference.layers:
            raise InputError(
                f"the {role} sample is binned as {binning.name!r}, the reference as "
                f"{reference.name!r}, with other edges: voxels cannot be compared; give samples in "
                "one binning"
            )
    return samples, "voxels"


def _halves(reference: Sample, rng: np.random.Generator) -> tuple[Sample, Sample]:
    """Split at random, every second shower in order of incident energy to the same half."""
    mixed = rng.permutation(reference.n_showers)
    order = mixed[np.argsort(reference.incident_energy[mixed], kind="stable")]
    return reference.take(np.sort(order[::2])), reference.take(np.sort(order[1::2]))


def _empty_showers(samples: dict[str, Sample], notes: list[str]) -> None:
    empty = {role: int((samples[role].total_energy == 0).sum()) for role in ROLES}
    if any(empty.values()):
        parts = [f"{empty[role]} of {samples[role].n_showers} ({role})" for role in ROLES]
        notes.append(
            f"showers without any energy: {', '.join(parts)}; they count as showers whose every "
            "layer is empty"
        )
