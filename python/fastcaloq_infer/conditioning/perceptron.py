"""A classical conditioner as arrays: what a model file carries, and its evaluation in NumPy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class MLPConstants:
    """A tanh network as arrays: weights [in, out] and biases [out], float64, layer by layer."""

    weights: list[NDArray[np.float64]]
    biases: list[NDArray[np.float64]]

    def evaluate(self, c: NDArray[np.float64]) -> NDArray[np.float64]:
        """Features (B, Q) of inputs (B, n_inputs)."""
        rows = np.asarray(c, dtype=np.float64)
        for weight, bias in zip(self.weights, self.biases, strict=True):
            rows = np.tanh(rows @ weight + bias)
        return rows
