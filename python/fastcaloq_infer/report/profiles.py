"""Where the energy lies in every layer: along the rings, around them, and whether it adds up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fastcaloq_infer.evaluation.targets import LAYER_SUM_TARGET
from fastcaloq_infer.report.binned import Binned, Edges
from fastcaloq_infer.report.panels import Panel, panel_figure
from fastcaloq_infer.report.style import GEANT4_LINE, energy_label, new_figure, style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from fastcaloq_infer.evaluation.results import Profile
    from fastcaloq_infer.report.lineup import Model

_LEAST = 1e-9  # relative difference drawn for an exact sum
_SPAN = {"r": 0.5, "alpha": 0.2}  # of the ratio panels
_PER_BIN = {
    "r": "energy per ring /\nincident energy",
    "alpha": "energy per sector /\nincident energy",
}


def profile_figure(models: Sequence[Model], axis: str, energies: Sequence[int]) -> Figure:
    """Mean energy per ring (``r``) or sector (``alpha``): a row per layer, a column per energy.

    ``energies`` are the numbers of the incident energies to draw.
    """
    centers = [models[0].evaluation.incident_energies[g] for g in energies]
    found = [
        {(p.layer, p.incident_energy): p for p in model.evaluation.profiles if p.axis == axis}
        for model in models
    ]
    panels = []
    for layer in dict.fromkeys(layer for layer, _ in found[0]):
        for energy in centers:
            own = [profiles[layer, energy] for profiles in found]
            title = rf"layer {layer}, $E_\mathrm{{inc}}$ = {energy_label(energy)}"
            panels.append(_panel(own, title, axis))
    return panel_figure(panels, models, _PER_BIN[axis], ratio_span=_SPAN[axis])


def _panel(own: Sequence[Profile], title: str, axis: str) -> Panel:
    first = own[0]
    edges = np.array(first.edges)
    if axis == "r" and edges[0] <= 0:
        edges[0] = edges[1] / 2  # rings become ten times wider from the core to the rim
    return Panel(
        title=title,
        label="$r$ [mm], the first ring from 0" if axis == "r" else r"$\alpha$ [rad]",
        edges=Edges(edges, logarithmic=axis == "r"),
        reference=_binned(first.reference, first.reference_error),
        generated=tuple(_binned(p.generated, p.generated_error) for p in own),
        floor=_binned(first.floor, first.floor_error),
        log_y=axis == "r",
    )


def _binned(mean: Sequence[float], error: Sequence[float]) -> Binned:
    return Binned(np.array(mean), np.array(error))


def layer_sum_figure(models: Sequence[Model]) -> Figure:
    """How far the voxels of every layer are from adding up to its energy."""
    layers = models[0].evaluation.layer_ids
    with style():
        figure = new_figure(7.0, 3.2)
        axes = figure.subplots()
        for i, model in enumerate(models):
            sums = model.evaluation.layer_sums
            places = [layers.index(s.layer) + 0.12 * (i - (len(models) - 1) / 2) for s in sums]
            look: dict[str, Any] = {"color": model.colour, "linestyle": "none"}
            for what, marker, fill, text in (
                ("largest", model.marker, model.colour, "largest"),
                ("median", model.marker, "white", "median"),
            ):
                values = [max(getattr(s, what), _LEAST) for s in sums]
                label = f"{model.label}, {text}"
                axes.plot(places, values, marker, markerfacecolor=fill, label=label, **look)
            axes.vlines(
                places,
                [max(s.median, _LEAST) for s in sums],
                [max(s.largest, _LEAST) for s in sums],
                color=model.colour,
                linewidth=0.8,
            )
        axes.axhline(
            LAYER_SUM_TARGET, color=GEANT4_LINE, linewidth=0.8, linestyle=":", label="target"
        )
        axes.set_yscale("log")
        axes.set_xticks(range(len(layers)), [f"layer {layer}" for layer in layers])
        axes.set_xlim(-0.6, len(layers) - 0.4)
        axes.set_ylabel("|sum of voxels - layer energy| /\nlayer energy")
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure
