"""The picture of a training: likelihoods and learning rate against the epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.files import atomic_path

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from fastcaloq_infer.training.history import History

__all__ = ["plot_learning_curve"]

_TRAIN, _HELD_OUT, _RATE = "#8aa5c8", "#0b3c6f", "#b5541c"
_AVERAGED = "held out, averaged weights"


def plot_learning_curve(
    history: History, path: Path, title: str, rate: tuple[list[float], list[float]]
) -> None:
    """Draw the loss on training and held-out showers, and the learning rate.

    Where more than the likelihood is minimised, the held-out likelihood has a panel of its own.

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
    best = history.best
    alone = all(record.likelihood_alone for record in records)
    figure = Figure(figsize=(7.0, 5.0 if alone else 7.0), layout="constrained")
    FigureCanvasAgg(figure)
    heights = (3, 1) if alone else (3, 2, 1)
    upper, *middle, lower = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights)
    unit = " nats per shower" if alone else ""
    training = [record.train_loss for record in records], _TRAIN, "training, running weights"
    held_out = [record.validation_loss for record in records], _HELD_OUT, _AVERAGED
    _curves(upper, epoch, training, held_out)
    if best is not None:
        upper.plot(best.epoch, best.validation_loss, "o", color=_HELD_OUT, markersize=6)
        upper.axhline(best.validation_loss, color=_HELD_OUT, linewidth=0.7, linestyle=":")
        value = f"{best.validation_loss:.3f}" if alone else f"{best.validation_loss:.4g}"
        label = f"best held out: {value}{unit} at epoch {best.epoch:g}"
        upper.plot([], [], "o", color=_HELD_OUT, label=label)
    upper.set_ylabel("negative log likelihood [nats per shower]" if alone else "loss")
    upper.set_title(title, loc="left")
    upper.legend(frameon=False, loc="upper right")
    for axes in middle:
        nats = [record.validation_nll for record in records]
        _curves(axes, epoch, (nats, _HELD_OUT, _AVERAGED))
        axes.set_ylabel("negative log likelihood\n[nats per shower]")
    lower.plot(*rate, color=_RATE)
    lower.set_ylabel("learning rate")
    lower.set_ylim(bottom=0)
    lower.set_xlim(left=0)
    lower.xaxis.set_major_locator(MaxNLocator(integer=True))
    lower.ticklabel_format(axis="y", style="sci", scilimits=(0, 0))
    lower.set_xlabel("epoch")
    for axes in (upper, *middle, lower):
        axes.grid(alpha=0.25, linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=150, format="png", metadata={"Software": None})


def _curves(axes: Axes, epoch: NDArray[np.float64], *curves: tuple[list[float], str, str]) -> None:
    """Draw curves (values, colour, label) on a range that fits all but the first tenth of them."""
    for values, colour, label in curves:
        marker = "o" if len(epoch) < 20 else None
        axes.plot(epoch, values, color=colour, label=label, marker=marker, markersize=3)
    late = epoch >= 0.1 * epoch[-1] if len(epoch) else np.array([], dtype=bool)
    shown = np.concatenate([np.array(values)[late] for values, _, _ in curves])
    shown = shown[np.isfinite(shown)]
    if shown.size and np.ptp(shown) > 0:
        margin = 0.06 * float(np.ptp(shown))
        axes.set_ylim(float(shown.min()) - margin, float(shown.max()) + margin)
