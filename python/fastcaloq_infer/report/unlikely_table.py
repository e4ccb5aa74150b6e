"""The least likely showers as a table, for a physicist to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib import colormaps
from matplotlib.transforms import Bbox

from fastcaloq_infer.report.style import GEANT4_FILL, new_figure, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from fastcaloq_infer.evaluation.results import Likelihood

_LISTED = 12


def unlikely_figure(figures: Likelihood) -> Figure:
    """Draw the least likely showers as a table, layers coloured by how extreme they are."""
    showers = figures.unlikely[:_LISTED]
    heads = ["row", "E$_{inc}$ [MeV]", "nats below\nmedian", "less likely\nof its own"]
    heads += [f"layer {layer}\n[MeV]" for layer in figures.layer_ids]
    with style():
        figure = new_figure(9.0, 0.26 * (len(showers) + 2) + 0.1, automatic=False)
        axes = figure.add_axes((0.01, 0.01, 0.98, 0.98))
        axes.set_axis_off()
        cells = [
            [
                str(s.row),
                f"{s.incident_energy:,.0f}",
                f"{s.below_median:.1f}",
                f"{100 * s.tail:.2f} %",
                *(
                    f"{energy:,.0f}" if energy >= 100 else f"{energy:.3g}"
                    for energy in s.layer_energy
                ),
            ]
            for s in showers
        ]
        colours = [
            ["white"] * 4 + [colormaps["RdBu_r"](0.2 + 0.6 * q) for q in s.quantiles]
            for s in showers
        ]
        table = axes.table(
            cells, cellColours=colours, colLabels=heads, cellLoc="right", bbox=Bbox.unit()
        )
        table.auto_set_font_size(False)
        table.set_fontsize(8.5)
        for (row, _), cell in table.get_celld().items():
            cell.set_edgecolor(GEANT4_FILL)
            if row == 0:
                cell.set_height(2 * cell.get_height())
                cell.set_linewidth(0)
    return figure
