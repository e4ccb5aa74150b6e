"""Gradient-boosted trees (scikit-learn) as the judge of a two-sample test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

Labelled = tuple["NDArray[np.floating[Any]]", "NDArray[np.int64]"]
"""Inputs (N, F) and labels (N,): 0 for the first sample, 1 for the second."""


def trees(
    train: Labelled,
    validation: Labelled,
    test: NDArray[np.floating[Any]],
    seed: int,
    progress: Callable[[float], None],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Train and return the logits of the validation and of the test part.

    The validation part decides how many trees are kept (20 without improvement end it).
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(
        learning_rate=0.05,
        max_iter=400,
        max_leaf_nodes=15,
        min_samples_leaf=50,
        l2_regularization=1.0,
        early_stopping=True,
        n_iter_no_change=20,
        random_state=seed,
    )
    model.fit(*train, X_val=validation[0], y_val=validation[1])
    progress(1.0)
    return (
        np.asarray(model.decision_function(validation[0]), dtype=np.float64),
        np.asarray(model.decision_function(test), dtype=np.float64),
    )
