"""The picture of a training: likelihoods and learning rate against the epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.files import atomic_path

if TYPE_CHECKING:
    from pathlib import Path

    from fastcaloq_infer.training.history import History

__all__ = ["plot_learning_curve"]

_TRAIN, _HELD_OUT, _RATE = "#8aa5c8", "#0b3c6f", "#b5541c"


def plot_learning_curve(
    history: History, path: Path, title: str, rate: tuple[list[float], list[float]]
) -> None:
    """Draw nats per shower on training and held-out showers, and the learning rate.

    The vertical range is set by all but the first tenth of the training, whose steep fall would
    otherwise flatten everything that follows.

    Parameters
    ----------
    history
        Records to draw.
    path
        PNG file to write.
    title
        Name of the model.
    rate
        Epochs and the learning rates there.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    records = history.records
    epoch = np.array([record.epoch for record in records])
    train = np.array([record.train_nll for record in records])
    held_out = np.array([record.validation_nll for record in records])
    marker = "o" if len(records) < 20 else None

    figure = Figure(figsize=(7.0, 5.0), layout="constrained")
    FigureCanvasAgg(figure)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    style = {"marker": marker, "markersize": 3}
    upper.plot(epoch, train, color=_TRAIN, label="training, running weights", **style)
    upper.plot(epoch, held_out, color=_HELD_OUT, label="held out, averaged weights", **style)
    best = history.best
    if best is not None:
        upper.plot(best.epoch, best.validation_nll, "o", color=_HELD_OUT, markersize=6)
        upper.axhline(best.validation_nll, color=_HELD_OUT, linewidth=0.7, linestyle=":")
        label = f"best held out: {best.validation_nll:.3f} nats per shower at epoch {best.epoch:g}"
        upper.plot([], [], "o", color=_HELD_OUT, label=label)
    late = epoch >= 0.1 * epoch[-1] if len(records) else np.array([], dtype=bool)
    shown = np.concatenate([train[late], held_out[late]])
    shown = shown[np.isfinite(shown)]
    if shown.size and np.ptp(shown) > 0:
        margin = 0.06 * float(np.ptp(shown))
        upper.set_ylim(float(shown.min()) - margin, float(shown.max()) + margin)
    upper.set_ylabel("negative log likelihood [nats per shower]")
    upper.set_title(title, loc="left")
    upper.legend(frameon=False, loc="upper right")
    lower.plot(*rate, color=_RATE)
    lower.set_ylabel("learning rate")
    lower.set_ylim(bottom=0)
    lower.set_xlim(left=0)
    lower.xaxis.set_major_locator(MaxNLocator(integer=True))
    lower.ticklabel_format(axis="y", style="sci", scilimits=(0, 0))
    lower.set_xlabel("epoch")
    for axes in (upper, lower):
        axes.grid(alpha=0.25, linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=150, format="png", metadata={"Software": None})
