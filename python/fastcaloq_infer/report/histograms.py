"""Pictures of distributions: E_tot/E_inc per incident energy, and every layer's energy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.report.comparison import (
    add_legend,
    bin_showers,
    choose_edges,
    comparison_grid,
    draw_comparison,
)
from fastcaloq_infer.report.style import energy_label, style

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from fastcaloq_infer.evaluation.groups import EnergyGroups
    from fastcaloq_infer.evaluation.sample import Sample


def total_energy_figure(reference: Sample, generated: Sample, groups: EnergyGroups) -> Figure:
    """E_tot/E_inc, one panel per incident energy, with ratio panels."""
    return _per_energy_figure(
        reference,
        generated,
        groups,
        lambda sample: sample.total_energy / sample.incident_energy,
        r"$E_\mathrm{tot}\,/\,E_\mathrm{inc}$",
    )


def layer_energy_figure(
    reference: Sample, generated: Sample, groups: EnergyGroups, column: int, layer: int
) -> Figure:
    """Energy of one layer, one panel per incident energy; empty showers above the panel."""
    return _per_energy_figure(
        reference,
        generated,
        groups,
        lambda sample: sample.layer_energy[:, column],
        rf"$E_{{\mathrm{{layer\ {layer}}}}}$ [MeV]",
    )


def _per_energy_figure(
    reference: Sample,
    generated: Sample,
    groups: EnergyGroups,
    feature: Callable[[Sample], NDArray[np.float64]],
    label: str,
) -> Figure:
    with style():
        figure, panels = comparison_grid(len(groups))
        values = [feature(sample) for sample in (reference, generated)]
        members = [groups.rows(sample) for sample in (reference, generated)]
        for g, (energy, (main, ratio)) in enumerate(zip(groups.centers, panels, strict=True)):
            ref, gen = (v[m[g]] for v, m in zip(values, members, strict=True))
            edges, log_x = choose_edges(ref)
            draw_comparison(
                main, ratio, bin_showers(ref, edges), bin_showers(gen, edges), edges, log_x=log_x
            )
            main.set_title(rf"$E_\mathrm{{inc}}$ = {energy_label(energy)}", loc="left")
            _note_empty(main, ref, gen)
            ratio.set_xlabel(label)
        add_legend(figure, panels[0][0])
    return figure


def all_layers_figure(
    reference: Sample, generated: Sample, groups: EnergyGroups, layer_ids: tuple[int, ...]
) -> Figure:
    """Every layer's energy over all incident energies, logarithmic axes, with ratio panels.

    The generated showers are weighted to the reference's mixture of incident energies.
    """
    weights = mixture_weights(reference, generated, groups)
    with style():
        figure, panels = comparison_grid(len(layer_ids))
        for column, (layer, (main, ratio)) in enumerate(zip(layer_ids, panels, strict=True)):
            ref, gen = reference.layer_energy[:, column], generated.layer_energy[:, column]
            edges, log_x = choose_edges(ref)
            draw_comparison(
                main,
                ratio,
                bin_showers(ref, edges),
                bin_showers(gen, edges, weights),
                edges,
                log_x=log_x,
                log_y=True,
            )
            main.set_title(f"layer {layer}", loc="left")
            _note_empty(main, ref, gen, weights)
            ratio.set_xlabel(rf"$E_{{\mathrm{{layer\ {layer}}}}}$ [MeV]")
        add_legend(figure, panels[0][0])
    return figure


def mixture_weights(
    reference: Sample, generated: Sample, groups: EnergyGroups
) -> NDArray[np.float64]:
    """Return weights (N,) that give the generated sample the reference's energy mixture."""
    weights = np.zeros(generated.n_showers)
    for ref, gen in zip(groups.rows(reference), groups.rows(generated), strict=True):
        weights[gen] = len(ref) / max(len(gen), 1)
    return weights


def _note_empty(
    axes: Axes,
    reference: NDArray[np.float64],
    generated: NDArray[np.float64],
    weights: NDArray[np.float64] | None = None,
) -> None:
    """Write the fractions of empty showers, which a histogram of energies cannot hold."""
    empty = float((reference == 0).mean())
    empty_generated = float(np.average(generated == 0, weights=weights))
    if empty or empty_generated:
        text = f"empty: Geant4 {100 * empty:.1f} %\ngenerated {100 * empty_generated:.1f} %"
        axes.set_title(text, loc="right", fontsize=7.5)
