"""Pictures of an inspection: latents, states, features, and what circuits like this one can do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.quantum.diagnostics import (
    bloch_vectors,
    haar_probabilities,
    meyer_wallach,
    purities,
)
from fastcaloq_infer.report.page import Picture
from fastcaloq_infer.report.style import (
    E_INC,
    GEANT4_FILL,
    GEANT4_LINE,
    MARKERS,
    SERIES,
    new_figure,
    style,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from fastcaloq_infer.inspection.look import Look
    from fastcaloq_infer.training.snapshot import Snapshot

__all__ = ["all_pictures"]

_EDGES = np.linspace(-4.0, 4.0, 33)
_BINS = 40


def all_pictures(found: Look) -> list[Picture]:
    """Return what can be drawn of this run."""
    pictures = []
    last = found.snapshots[-1]
    if len(last.latents):
        pictures.append(
            Picture(
                "latents",
                "Latents of fixed showers",
                "Held-out showers seen from the latent side: a perfect flow makes them standard "
                "normal (grey). Below, where a course was saved, the distance from that.",
                lambda: latents_figure(found),
            )
        )
    if len(last.states):
        pictures += [
            Picture(
                "bloch",
                "Bloch vectors of the qubits",
                "Every qubit by itself, from the lowest incident energy to the highest; on the "
                "circle it is pure, in the middle maximally entangled with the others.",
                lambda: bloch_figure(found),
            ),
            Picture(
                "entanglement",
                "Purity and entanglement",
                "Purity of single qubits and Meyer and Wallach's Q: averaged over the incident "
                "energies in the course of a training, else of the trained model against energy. "
                "The dotted line is the Q of random states.",
                lambda: entanglement_figure(found),
            ),
        ]
    if last.features.shape[1]:
        pictures.append(
            Picture(
                "features",
                "Features against incident energy",
                "What every coupling subnet sees besides the condition.",
                lambda: features_figure(found),
            )
        )
    if found.figures.expressibility is not None:
        pictures.append(
            Picture(
                "landscape",
                "What such circuits can do",
                "Left: overlap of pairs of states with all angles random, against random states of "
                "all (Sim, Johnson and Aspuru-Guzik 2019). Right: variance of a gradient against "
                "the number of qubits, as deep as this circuit and deep enough to look random "
                "(barren plateaus, McClean et al. 2018).",
                lambda: landscape_figure(found),
            )
        )
    return pictures


def _shown(snapshots: list[Snapshot]) -> list[Snapshot]:
    """First, middle and last."""
    places = dict.fromkeys((0, len(snapshots) // 2, len(snapshots) - 1))
    return [snapshots[place] for place in places]


def latents_figure(found: Look) -> Figure:
    """Histograms of the latents with N(0, 1); below, the distance from it against the step."""
    shown = _shown(found.snapshots)
    dimensions = shown[0].latents.shape[1]
    course = len(found.snapshots) > 1
    middle = 0.5 * (_EDGES[1:] + _EDGES[:-1])
    density = np.exp(-0.5 * middle**2) / np.sqrt(2.0 * np.pi)
    with style():
        figure = new_figure(2.1 * dimensions + 0.6, 4.6 if course else 3.2)
        heights = (2, 1) if course else (1,)
        grid = figure.subplots(
            len(heights), dimensions, height_ratios=heights, sharey="row", squeeze=False
        )
        for k, axes in enumerate(grid[0]):
            axes.stairs(density, _EDGES, fill=True, color=GEANT4_FILL, label="N(0, 1)")
            for snapshot, colour in zip(shown, SERIES, strict=False):
                counts = np.histogram(snapshot.latents[:, k], _EDGES)[0]
                share = counts / (len(snapshot.latents) * np.diff(_EDGES))
                axes.stairs(share, _EDGES, color=colour, label=f"step {snapshot.step:,}")
            axes.set_xlabel(f"$z_{{{k + 1}}}$")
        grid[0][0].set_ylabel("density")
        if course:
            _distances(found, list(grid[1]))
        handles, labels = grid[0][0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))
    return figure


def _distances(found: Look, row: list[Axes]) -> None:
    moments = [m for m in found.figures.moments if m.latent_distance is not None]
    values = np.array([moment.latent_distance for moment in moments])
    for k, axes in enumerate(row):
        axes.plot(
            [moment.step for moment in moments], values[:, k], "o-", markersize=2.5, color=SERIES[0]
        )
        axes.set_ylim(0.0, 1.1 * values.max())
        axes.set_xlabel("step")
    row[0].set_ylabel("$W_1$ from N(0, 1)")


def bloch_figure(found: Look) -> Figure:
    """Draw every qubit in the x-z plane, incident energy as colour, first and last snapshot."""
    shown = _shown(found.snapshots)
    shown = [shown[0], shown[-1]] if len(shown) > 1 else shown
    n = bloch_vectors(shown[-1].states).shape[1]
    turn = np.linspace(0.0, 2.0 * np.pi, 200)
    with style():
        figure = new_figure(1.7 * n + 1.2, 1.9 * len(shown) + 0.5)
        grid = figure.subplots(len(shown), n, sharex=True, sharey=True, squeeze=False)
        colours = None
        for row, snapshot in zip(grid, shown, strict=True):
            bloch = bloch_vectors(snapshot.states)
            for k, axes in enumerate(row):
                axes.plot(np.cos(turn), np.sin(turn), color=GEANT4_LINE, linewidth=0.8)
                colours = axes.scatter(
                    bloch[:, k, 0],
                    bloch[:, k, 2],
                    c=np.log10(snapshot.incident_energy),
                    s=8,
                    cmap="viridis",
                )
                axes.set_aspect("equal")
                axes.set_title(f"qubit {k}, step {snapshot.step:,}", fontsize=8)
            row[0].set_ylabel(r"$\langle Z\rangle$")
        for axes in grid[-1]:
            axes.set_xlabel(r"$\langle X\rangle$")
        if colours is not None:
            figure.colorbar(colours, ax=grid, label=r"$\log_{10}(E_\mathrm{inc}/\mathrm{MeV})$")
    return figure


def entanglement_figure(found: Look) -> Figure:
    """Purity of every qubit and Q against the step, or against energy where there is one step."""
    snapshots = [snapshot for snapshot in found.snapshots if len(snapshot.states)]
    bloch = np.array([bloch_vectors(snapshot.states) for snapshot in snapshots])
    purity, entanglement = purities(bloch), meyer_wallach(bloch)  # (S, C, n), (S, C)
    if len(snapshots) > 1:
        x, label = np.array([snapshot.step for snapshot in snapshots]), "step"
        purity, entanglement = purity.mean(axis=1), entanglement.mean(axis=1)
    else:
        x, label = snapshots[0].incident_energy, E_INC
        purity, entanglement = purity[0], entanglement[0]
    with style():
        figure = new_figure(8.0, 3.2)
        left, right = figure.subplots(1, 2)
        for k in range(purity.shape[1]):
            left.plot(
                x,
                purity[:, k],
                marker=MARKERS[k % len(MARKERS)],
                markersize=3,
                color=SERIES[k % len(SERIES)],
                label=f"qubit {k}",
            )
        left.set_ylabel("purity of a qubit")
        left.set_ylim(0.48, 1.02)
        left.legend(fontsize=7, ncols=2)
        right.plot(x, entanglement, "o-", markersize=3, color=SERIES[0], label="circuit")
        if found.figures.haar_entanglement is not None:
            right.axhline(
                found.figures.haar_entanglement, linestyle=":", color=GEANT4_LINE, label="random"
            )
        right.legend()
        right.set_ylabel("entanglement Q")
        right.set_ylim(0.0, 1.05)
        for axes in (left, right):
            axes.set_xlabel(label)
            axes.set_xscale("linear" if len(snapshots) > 1 else "log")
    return figure


def features_figure(found: Look) -> Figure:
    """Features against incident energy, one panel per shown snapshot."""
    shown = _shown(found.snapshots)
    with style():
        figure = new_figure(3.2 * len(shown) + 0.6, 3.0)
        row = figure.subplots(1, len(shown), sharey=True, squeeze=False)[0]
        for axes, snapshot in zip(row, shown, strict=True):
            for k in range(snapshot.features.shape[1]):
                colour = SERIES[k % len(SERIES)]
                lines = ("-", "--", ":", "-.")[k // len(SERIES) % 4]
                axes.plot(snapshot.incident_energy, snapshot.features[:, k], lines, color=colour)
            axes.set_xscale("log")
            axes.set_xlabel(E_INC)
            axes.set_title(f"step {snapshot.step:,}", loc="left")
        row[0].set_ylabel("feature")
    return figure


def landscape_figure(found: Look) -> Figure:
    """Expressibility, and gradient variance against qubits."""
    figures = found.figures
    with style():
        figure = new_figure(8.4, 3.4)
        left, right = figure.subplots(1, 2)
        edges = np.linspace(0.0, 1.0, _BINS + 1)
        n = int(found.snapshots[-1].states.shape[1]).bit_length() - 1
        expected = haar_probabilities(edges, n)
        counts = np.histogram(np.clip(found.fidelity, 0.0, 1.0), edges)[0] / len(found.fidelity)
        left.stairs(expected, edges, fill=True, color=GEANT4_FILL, label="random states")
        left.stairs(counts, edges, color=SERIES[0], label="circuit, angles random")
        left.set_yscale("log")
        left.set_ylim(0.5 / len(found.fidelity), 2.0)
        left.set_xlabel("fidelity of a pair")
        left.set_ylabel("share per bin")
        if figures.expressibility is not None:
            left.set_title(f"divergence {figures.expressibility.divergence:.3f} nats", loc="left")
        left.legend()
        depths = dict.fromkeys(point.n_layers for point in figures.gradient_variances)
        for depth, colour, marker in zip(depths, SERIES, MARKERS, strict=False):
            points = [p for p in figures.gradient_variances if p.n_layers == depth]
            right.errorbar(
                [p.n_qubits for p in points],
                [p.variance for p in points],
                [p.error for p in points],
                marker=marker,
                color=colour,
                capsize=2,
                label=f"{depth} layers",
            )
        first = figures.gradient_variances[0]
        qubits = np.array([p.n_qubits for p in figures.gradient_variances])
        guide = first.variance * 2.0 ** (first.n_qubits - np.unique(qubits))
        right.plot(np.unique(qubits), guide, ":", color=GEANT4_LINE, label=r"$\propto 2^{-n}$")
        right.set_yscale("log")
        right.set_xlabel("qubits n")
        right.set_ylabel(r"variance of $\partial\langle Z_0\rangle/\partial\theta$")
        right.legend()
    return figure
