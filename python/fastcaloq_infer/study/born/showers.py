"""Layer energies of showers by measurement, beside those of the simulation and of a flow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.files import atomic_path
from fastcaloq_infer.report.binned import bin_showers
from fastcaloq_infer.report.panel_grid import add_legend, panel_grid
from fastcaloq_infer.report.style import GEANT4_FILL, GEANT4_LINE, SERIES, picture, style

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["SHOWN_ENERGIES", "draw_showers"]

SHOWN_ENERGIES = (512.0, 32768.0)
"""MeV; below, layers behind the second are mostly empty, above, none is."""

_REFERENCE = "Geant4"
_COLOURS = (SERIES[1], SERIES[0])
_LINES = ((0, (3, 1)), "-")
_RATIOS = (0.25, 1.75)
_BINS = 32


def _quantities(layers: NDArray[np.float64], energy: float) -> dict[str, NDArray[np.float64]]:
    return {
        r"$E_\mathrm{tot}/E_\mathrm{inc}$": layers.sum(axis=1) / energy,
        r"$E_1/E_\mathrm{inc}$": layers[:, 1] / energy,
        r"$E_2/E_\mathrm{inc}$": layers[:, 2] / energy,
    }


def draw_showers(samples: Mapping[str, Mapping[float, NDArray[np.float64]]], path: Path) -> None:
    """Draw three quantities at every energy, each above its ratio to the first sample.

    Parameters
    ----------
    samples
        Name to incident energy (MeV) to layer energies (N, L) in MeV, `SHOWN_ENERGIES` each; the
        first sample is that of the simulation.
    path
        PNG to write.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    reference, *models = samples
    with style():
        figure, pairs = panel_grid(3 * len(SHOWN_ENERGIES), "showers per bin /\nall", _REFERENCE)
        rest = iter(pairs)
        for energy in SHOWN_ENERGIES:
            values = {name: _quantities(sample[energy], energy) for name, sample in samples.items()}
            for label in values[reference]:
                pair = next(rest)
                _draw(pair, {name: found[label] for name, found in values.items()}, models)
                pair[0].set_title(f"{energy:,.0f} MeV", loc="left")
                pair[1].set_xlabel(label)
        add_legend(figure, pairs[0])
    with atomic_path(path) as temporary:
        temporary.write_bytes(picture(figure, "palette"))


def _draw(
    pair: tuple[Axes, Axes], values: Mapping[str, NDArray[np.float64]], models: list[str]
) -> None:
    main, ratio = pair
    truth = next(iter(values.values()))
    low, high = np.quantile(truth, (0.002, 0.998))
    edges = np.linspace(low, high, _BINS + 1)  # the last showers at either end are not drawn
    expected = bin_showers(truth, edges)
    main.stairs(expected.fraction, edges, fill=True, color=GEANT4_FILL, label=_REFERENCE)
    known = expected.fraction > 0
    scale = np.where(known, expected.fraction, 1.0)
    band = np.where(known, expected.error / scale, 0.0)
    ratio.stairs(1 + band, edges, baseline=1 - band, fill=True, color=GEANT4_FILL)
    ratio.axhline(1.0, color=GEANT4_LINE, linewidth=0.8)
    for name, colour, line in zip(models, _COLOURS, _LINES, strict=False):
        found = bin_showers(values[name], edges).fraction
        main.stairs(found, edges, color=colour, linestyle=line, linewidth=1.3, label=name)
        quotient = np.where(known, found / scale, np.nan)
        ratio.stairs(quotient, edges, baseline=None, color=colour, linestyle=line)
    ratio.set_ylim(*_RATIOS)
