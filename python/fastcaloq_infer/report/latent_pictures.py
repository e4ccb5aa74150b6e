"""Pictures of the latents of held-out showers: what a perfect flow would make Gaussian."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.report.style import (
    GEANT4_FILL,
    GEANT4_LINE,
    GENERATED,
    SERIES,
    new_figure,
    style,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from fastcaloq_infer.evaluation.results import Likelihood

_LEVEL = 0.01  # family-wise error rate of the tests
_SHOWN = 11  # dimensions drawn; one panel more shows the tests
_RATIO = (0.5, 1.5)


def latent_figure(figures: Likelihood) -> Figure:
    """Draw histograms of the latents against N(0, 1) with ratios, and the p values of all tests."""
    from scipy import stats  # type: ignore[import-untyped]

    latent = figures.latent
    edges = np.array(latent.edges)
    below = stats.norm.cdf(edges)
    below[[0, -1]] = 0.0, 1.0  # the outermost bins are open
    expected = np.diff(below)
    shown = latent.counts[:_SHOWN]
    columns = 3
    rows = -(-(len(shown) + 1) // columns)
    with style():
        figure = new_figure(9.0, 2.8 * rows + 0.3)
        # One grid, a histogram above its ratio in every column, so that all have one width.
        grid = figure.add_gridspec(2 * rows, columns, height_ratios=(2, 1) * rows)
        for k, counts in enumerate(shown):
            row, column = divmod(k, columns)
            main = figure.add_subplot(grid[2 * row, column])
            ratio = figure.add_subplot(grid[2 * row + 1, column], sharex=main)
            _histogram(main, ratio, edges, np.array(counts), expected)
            main.set_title(f"$z_{{{k + 1}}}$", loc="left")
            if column == 0:
                main.set_ylabel("showers per bin")
                ratio.set_ylabel("ratio to\nN(0, 1)")
                figure.align_ylabels([main, ratio])
        row, column = divmod(len(shown), columns)
        _p_values(figure.add_subplot(grid[2 * row : 2 * row + 2, column]), figures)
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=2)
    return figure


def _histogram(
    main: Axes,
    ratio: Axes,
    edges: NDArray[np.float64],
    counts: NDArray[np.int64],
    expected: NDArray[np.float64],
) -> None:
    n = counts.sum()
    main.stairs(n * expected, edges, fill=True, color=GEANT4_FILL, label="N(0, 1)")
    main.stairs(counts, edges, color=GENERATED, linewidth=1.3, label="held-out showers")
    main.set_yscale("log")
    main.set_ylim(0.5, 3 * max(counts.max(), n * expected.max()))
    main.tick_params(labelbottom=False)
    # Where fewer than five showers are expected a ratio says nothing.
    enough = n * expected >= 5
    middle = 0.5 * (edges[1:] + edges[:-1])[enough]
    value = (counts / (n * expected))[enough]
    error = (np.sqrt(np.maximum(counts, 1)) / (n * expected))[enough]
    ratio.axhline(1, color=GEANT4_LINE, linewidth=0.8)
    ratio.errorbar(middle, value, error, fmt="o", markersize=2, color=GENERATED, linewidth=0.8)
    ratio.set_xlim(edges[0], edges[-1])
    ratio.set_ylim(*_RATIO)
    for outside, place, marker in (
        (value > _RATIO[1], _RATIO[1] - 0.06, "^"),
        (value < _RATIO[0], _RATIO[0] + 0.06, "v"),
    ):
        ratio.plot(
            middle[outside], np.full(outside.sum(), place), marker, markersize=3, color=GENERATED
        )
    main.set_xlim(edges[0], edges[-1])


def _p_values(axes: Axes, figures: Likelihood) -> None:
    """Draw ordered p values of all tests against their expectation."""
    tests = figures.latent.tests
    n = len(tests)
    rank = np.arange(1, n + 1)
    least = 1e-12
    names = ("dimension", "correlations", "radius", "classifier")
    for name, marker, colour in zip(names, "osD^", SERIES[:4], strict=True):
        here = np.array([i for i, test in enumerate(tests) if test.name == name], dtype=int)
        if len(here):
            axes.plot(
                (rank[here] - 0.5) / n,
                [max(tests[i].p_value, least) for i in here],
                marker,
                markersize=3.5,
                label=name,
                color=colour,
            )
    axes.plot([0.5 / n, 1], [0.5 / n, 1], color=GEANT4_LINE, linewidth=0.8)
    axes.axhline(_LEVEL / n, color=GEANT4_LINE, linewidth=0.8, linestyle=":")
    axes.set_xscale("log")
    axes.set_yscale("log")
    smallest = max(tests[0].p_value, least)
    axes.set_ylim(min(0.3 * smallest, 0.05 * _LEVEL / n), 100.0)
    failed = len(figures.latent.rejected(_LEVEL))
    axes.set_title(f"{failed} of {n} tests fail", loc="left")
    axes.set_xlabel("expected p value")
    axes.set_ylabel("p value")
    axes.legend(loc="upper left", fontsize=7.5, handletextpad=0.2, ncols=2)
