"""Pictures that need the showers themselves: distributions, voxel spectra, average showers."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.errors import InputError
from fastcaloq_infer.report.histograms import overall_figure, per_energy_figure
from fastcaloq_infer.report.page import Picture
from fastcaloq_infer.report.polar import average, polar_figure
from fastcaloq_infer.report.quantities import quantities
from fastcaloq_infer.report.style import energy_label
from fastcaloq_infer.report.voxels import voxel_spectrum_figure, voxel_spectrum_per_energy_figure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.figure import Figure

    from fastcaloq_infer.report.lineup import Lineup
    from fastcaloq_infer.report.quantities import Quantity

MAX_LAYERS = 12
"""Of detectors with more layers, as many at equal distances are shown by their features."""

_READING = (
    "Grey: the reference with its statistical error (hatched; in the ratio a band). Colours: "
    "generated, with statistical error bars in the ratio; dashed: a second sample of it. "
    "Triangles mark ratios outside of the panel by more than chance. S is the separation power."
)
_TOGETHER = (
    "All incident energies together, in the reference's proportions. Showers in which a feature is "
    "undefined because the layer is empty count in the normalisation; their share is written in "
    "the panel."
)
_FAMILIES = {
    "layer_energies": ("Energy of every layer", ("E",)),
    "centres": ("Centres of energy", ("centre_eta", "centre_phi", "centre_r")),
    "widths": ("Widths", ("width_eta", "width_phi", "width_r")),
    "sparsity": ("Sparsity", ("sparsity",)),
}


def shower_pictures(lineup: Lineup, *, details: bool = True) -> Iterator[Picture]:
    """Yield the pictures that compare showers; ``details`` adds folded ones per energy."""
    found = quantities(lineup)
    voxels = lineup.has_voxels
    yield Picture(
        "total_energy",
        "Total energy at every incident energy",
        f"Sum of the layer energies over the incident energy. {_READING}",
        partial(total_energy_figure, lineup, found),
        kind="palette",
    )
    if voxels:
        yield from _averages(lineup, details=details)
    for name, (title, families) in _FAMILIES.items():
        shown = _thinned([q for q in found if q.family in families], lineup.layer_ids)
        if shown:
            yield Picture(
                name,
                title,
                f"{_TOGETHER} {_READING}",
                partial(overall_figure, lineup, shown),
                kind="palette",
            )
    if voxels:
        yield Picture(
            "voxels",
            "Voxel energies",
            "Number of voxels with an energy in the bin, mean over showers; errors follow from the "
            f"spread between showers. {_READING}",
            partial(voxel_spectrum_figure, lineup),
            kind="palette",
        )
    if details and len(lineup.layer_ids) <= MAX_LAYERS:
        yield from _details(lineup, found)


def total_energy_figure(lineup: Lineup, found: Sequence[Quantity] = ()) -> Figure:
    """E_tot/E_inc, one panel per incident energy; ``found`` saves computing the features again."""
    total = [q for q in found or quantities(lineup) if q.family == "E_tot"]
    return per_energy_figure(lineup, total)


def _averages(lineup: Lineup, *, details: bool) -> Iterator[Picture]:
    """Yield an average shower per energy: a mixture of energies would show the highest alone."""
    some = energies_to_show(len(lineup.groups))
    for g in range(len(lineup.groups)) if details else some:
        energy = energy_label(float(lineup.groups.centers[g]))
        yield Picture(
            f"average_shower_{g}",
            f"Average shower at {energy}",
            "Mean energy per voxel seen along the particle: alpha = 0 to the right, the radius "
            "drawn logarithmically where rings differ much (circles: r in mm). Light grey: no "
            "energy, or a ratio known to worse than 25 %.",
            partial(average_figure, lineup, g),
            folded=g not in some,
        )


def _details(lineup: Lineup, found: Sequence[Quantity]) -> Iterator[Picture]:
    some = energies_to_show(len(lineup.groups))
    if lineup.has_voxels:
        yield Picture(
            "voxels_per_energy",
            "Voxel energies at every incident energy",
            _READING,
            partial(voxel_spectrum_per_energy_figure, lineup),
            kind="palette",
            folded=True,
        )
    for name, (title, families) in _FAMILIES.items():
        shown = [quantity for quantity in found if quantity.family in families]
        if families == ("E",):
            for quantity in shown:
                yield Picture(
                    f"layer_{quantity.layer}",
                    f"Energy of layer {quantity.layer} at every incident energy",
                    _READING,
                    partial(per_energy_figure, lineup, [quantity]),
                    kind="palette",
                    folded=True,
                )
        elif shown:
            yield Picture(
                f"{name}_per_energy",
                f"{title} at {len(some)} incident energies",
                _READING,
                partial(per_energy_figure, lineup, shown, some),
                kind="palette",
                folded=True,
            )


def energies_to_show(count: int) -> list[int]:
    """Return the numbers of the lowest, a middle and the highest of ``count`` energies."""
    return sorted({0, count // 2, count - 1})


def average_figure(lineup: Lineup, group: int) -> Figure:
    """Average showers of all samples and their ratios at one incident energy."""
    binning, samples = lineup.reference.binning, [lineup.reference, *lineup.samples]
    voxels = [sample.voxel_energy for sample in samples if sample.voxel_energy is not None]
    if binning is None or len(voxels) < len(samples):
        raise InputError("a sample has no voxels: average showers cannot be drawn; give voxels")
    showers = []
    labels = [lineup.models[0].simulation, *(model.label for model in lineup.models)]
    for label, sample, energy in zip(labels, samples, voxels, strict=True):
        showers.append(average(label, energy[lineup.groups.rows(sample)[group]]))
    return polar_figure(showers, binning, ratio_to=0)


def _thinned(shown: list[Quantity], layer_ids: tuple[int, ...]) -> list[Quantity]:
    if len(layer_ids) <= MAX_LAYERS:
        return shown
    places = np.linspace(0, len(layer_ids) - 1, MAX_LAYERS).round().astype(int)
    kept = {layer_ids[place] for place in places}
    return [quantity for quantity in shown if quantity.layer in kept]
