"""Networks as judges of a two-sample test: ours, and the CaloChallenge's as it is published.

Both are multilayer perceptrons on standardised inputs, trained by binary cross-entropy. Every
random number (weights, order, dropout) comes from one seeded generator of their own, and a
training uses one thread: the same seed gives the same scores whatever else runs beside it.

The challenge's (https://github.com/CaloChallenge/homepage, ``code/evaluate.py``; Krause et al.,
arXiv:2410.21611, section 3): inputs -> 2048 -> 2048 -> 2048 -> 1, leaky ReLU (slope 0.01), no
dropout, Adam with learning rate 2e-4, batches of 1000, 50 epochs, the epoch with the best
accuracy on the validation part is kept. The script computes in float64; here float32, which
halves the time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch
    from numpy.typing import NDArray

    from fastcaloq_infer.evaluation.classifiers.trees import Labelled


@dataclass(frozen=True)
class Recipe:
    """A network and how it is trained.

    Attributes
    ----------
    width, hidden
        Neurons per hidden layer, and number of hidden layers.
    slope
        Of the leaky ReLU; 0 is a ReLU.
    dropout
        Probability of dropping a hidden neuron in training.
    learning_rate, weight_decay
        Of AdamW; without decay it is Adam.
    cosine
        Whether the learning rate falls to 0 along a half cosine over all epochs.
    batch, epochs, steps
        Showers per step; passes over the training part; steps at least (more passes over a small
        training part).
    best
        The validation figure that decides which pass is kept.
    """

    width: int
    hidden: int
    slope: float
    dropout: float
    learning_rate: float
    weight_decay: float
    cosine: bool
    batch: int
    epochs: int
    steps: int
    best: Literal["loss", "accuracy"]

    def __str__(self) -> str:
        return (
            f"{self.hidden} hidden layers of {self.width}, dropout {self.dropout:g}, learning rate "
            f"{self.learning_rate:g}, batches of {self.batch}, {self.epochs} epochs, early "
            f"stopping: the epoch of best validation {self.best} is kept"
        )


OURS = Recipe(
    width=128,
    hidden=3,
    slope=0.01,
    dropout=0.5,
    learning_rate=1e-3,
    weight_decay=0.3,
    cosine=True,
    batch=512,
    epochs=12,
    steps=600,
    best="loss",
)

CHALLENGE = Recipe(
    width=2048,
    hidden=3,
    slope=0.01,
    dropout=0.0,
    learning_rate=2e-4,
    weight_decay=0.0,
    cosine=False,
    batch=1000,
    epochs=50,
    steps=0,
    best="accuracy",
)


def network(
    recipe: Recipe,
    train: Labelled,
    validation: Labelled,
    test: NDArray[np.floating[Any]],
    seed: int,
    progress: Callable[[float], None],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Train and return the logits of the validation and of the test part.

    Parameters
    ----------
    train, validation
        Inputs (N, F), used in float32, and labels (N,), 0 or 1.
    test
        Inputs (M, F).
    progress
        Called with the fraction done.
    """
    import torch

    generator = torch.Generator().manual_seed(seed)
    torch.set_num_threads(1)  # of this thread; the caller restores the process's number
    x, known, unseen = (
        torch.from_numpy(inputs).float() for inputs in (train[0], validation[0], test)
    )
    y = torch.from_numpy(train[1]).float()
    model = _Network(recipe, x.shape[1], generator)
    optimiser = torch.optim.AdamW(
        model.weights, recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True
    )
    best, kept = -math.inf, [w.detach().clone() for w in model.weights]
    steps = math.ceil(len(y) / recipe.batch)
    epochs = max(recipe.epochs, math.ceil(recipe.steps / steps))
    for epoch in range(epochs):
        order = torch.randperm(len(y), generator=generator)
        for step, rows in enumerate(torch.split(order, recipe.batch)):
            if recipe.cosine:
                done = (epoch * steps + step) / (epochs * steps)
                rate = recipe.learning_rate * 0.5 * (1 + math.cos(math.pi * done))
                optimiser.param_groups[0]["lr"] = rate
            loss = torch.nn.functional.binary_cross_entropy_with_logits(
                model(x[rows], drop=True), y[rows]
            )
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        found = _quality(recipe, model.scores(known), validation[1])
        if found > best:
            best, kept = found, [w.detach().clone() for w in model.weights]
        if epoch + 1 < epochs:
            progress((epoch + 1) / epochs)
        if recipe.best == "accuracy" and best == 1.0:
            break
    with torch.no_grad():
        for weight, value in zip(model.weights, kept, strict=True):
            weight.copy_(value)
    progress(1.0)
    return model.scores(known), model.scores(unseen)


class _Network:
    """A multilayer perceptron whose every random number comes from one generator.

    ``torch.nn.Linear`` and ``Dropout`` draw from torch's global one, which trainings in parallel
    would share. The initial weights have the distribution of ``torch.nn.Linear``.
    """

    def __init__(self, recipe: Recipe, inputs: int, generator: torch.Generator) -> None:
        import torch

        self.recipe, self.generator = recipe, generator
        sizes = [inputs, *[recipe.width] * recipe.hidden, 1]
        self.weights: list[torch.Tensor] = []
        for fan_in, fan_out in pairwise(sizes):
            for shape in ((fan_out, fan_in), (fan_out,)):
                uniform = 2 * torch.rand(shape, generator=generator) - 1
                self.weights.append((uniform / math.sqrt(fan_in)).requires_grad_())

    def __call__(self, x: torch.Tensor, *, drop: bool) -> torch.Tensor:
        import torch

        keep = 1 - self.recipe.dropout
        for k in range(0, len(self.weights) - 2, 2):
            x = torch.nn.functional.linear(x, self.weights[k], self.weights[k + 1])
            x = torch.nn.functional.leaky_relu(x, self.recipe.slope)
            if drop and keep < 1:
                x = x * torch.rand(x.shape, generator=self.generator).lt_(keep).div_(keep)
        return torch.nn.functional.linear(x, self.weights[-2], self.weights[-1])[:, 0]

    def scores(self, x: torch.Tensor) -> NDArray[np.float64]:
        """Return the logits, shape (N,)."""
        import torch

        with torch.no_grad():
            parts = [self(part, drop=False) for part in torch.split(x, 4096)]
        logits: NDArray[np.float64] = torch.cat(parts).double().numpy()
        return logits


def _quality(recipe: Recipe, logits: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    if recipe.best == "accuracy":
        return float(((logits > 0) == (labels == 1)).mean())
    return -float(np.logaddexp(0.0, np.where(labels == 1, -logits, logits)).mean())
