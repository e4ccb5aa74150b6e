"""A bounded memory of features, looked up for whole batches at a time."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


class FeatureCache:
    """Features of at most ``capacity`` conditions; what was not asked for longest goes first.

    Sorted arrays instead of a dictionary: a batch is looked up by one binary search for all rows
    (10,000 rows among 15 energies: 0.2 ms; a dictionary takes 1 ms). May be used by many threads;
    the lock is not held while ``compute`` runs.

    Attributes
    ----------
    hits, misses
        Rows found, and rows that had to be computed.
    """

    def __init__(self, capacity: int, n_features: int) -> None:
        self.capacity = capacity
        self.hits = self.misses = 0
        self._lock = Lock()
        self._tick = 0
        self._keys = np.empty(0, dtype=np.uint64)
        self._values = np.empty((0, n_features), dtype=np.float32)
        self._used = np.empty(0, dtype=np.int64)

    def __len__(self) -> int:
        """Return how many conditions are remembered."""
        return len(self._keys)

    def features(
        self,
        keys: NDArray[np.uint64],
        compute: Callable[[NDArray[np.uint64]], NDArray[np.float32]],
    ) -> NDArray[np.float32]:
        """Features (N, Q) of ``keys`` (N,); ``compute`` gets those not remembered, each once.

        With capacity 0 it gets all of them, in their order.
        """
        if not self.capacity:
            return compute(keys)
        with self._lock:
            place, found = self._find(keys)
            self._tick += 1
            if found.all():
                self.hits += len(keys)
                self._used[place] = self._tick
                return self._values.take(place, axis=0)
            known = place[found]
            self.hits += len(known)
            self.misses += len(keys) - len(known)
            self._used[known] = self._tick
            result = np.empty((len(keys), self._values.shape[1]), dtype=np.float32)
            result[found] = self._values[known]
        new, index = np.unique(keys[~found], return_inverse=True)
        values = compute(new)
        result[~found] = values[index]
        with self._lock:
            self._insert(new, values)
        return result

    def _find(self, keys: NDArray[np.uint64]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        if not len(self._keys):
            return np.zeros(len(keys), dtype=np.intp), np.zeros(len(keys), dtype=np.bool_)
        place = self._keys.searchsorted(keys)
        return place, self._keys.take(place, mode="clip") == keys

    def _insert(self, keys: NDArray[np.uint64], values: NDArray[np.float32]) -> None:
        # Another thread may have brought some of them meanwhile; the first answer stays.
        _, known = self._find(keys)
        keys, values = keys[~known][: self.capacity], values[~known][: self.capacity]
        self._tick += 1
        keep = np.arange(len(self._keys))
        excess = len(keep) + len(keys) - self.capacity
        if excess > 0:
            keep = np.sort(np.argpartition(self._used, excess - 1)[excess:])
        merged = np.concatenate([self._keys[keep], keys])
        order = np.argsort(merged, kind="stable")
        self._keys = merged[order]
        self._values = np.concatenate([self._values[keep], values])[order]
        used = np.full(len(keys), self._tick, dtype=np.int64)
        self._used = np.concatenate([self._used[keep], used])[order]
