"""The memory never changes a feature, never outgrows its bound, and forgets the right ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastcaloq_infer.artefact.sections import Condition, Ranges
from fastcaloq_infer.serving.cache import FeatureCache
from fastcaloq_infer.serving.conditions import condition_keys, conditions_of, eta_everywhere


def double_of(keys: np.ndarray) -> np.ndarray:
    return np.stack([keys, 2 * keys], axis=1).astype(np.float32)


@settings(max_examples=100, deadline=None)
@given(
    capacity=st.integers(0, 12),
    batches=st.lists(st.lists(st.integers(0, 30), max_size=40), max_size=12),
)
def test_is_a_bounded_memory_of_the_function(capacity: int, batches: list[list[int]]) -> None:
    cache = FeatureCache(capacity, 2)
    for batch in batches:
        keys = np.array(batch, dtype=np.uint64)
        assert np.array_equal(cache.features(keys, double_of), double_of(keys))
        assert len(cache) <= capacity


def test_forgets_what_was_not_asked_for_longest() -> None:
    cache = FeatureCache(3, 2)
    asked: list[list[int]] = []

    def compute(keys: np.ndarray) -> np.ndarray:
        asked.append(keys.tolist())
        return double_of(keys)

    for key in (1, 2, 3, 1, 4, 1, 3, 2):
        cache.features(np.array([key], dtype=np.uint64), compute)
    assert asked == [[1], [2], [3], [4], [2]]
    assert (cache.hits, cache.misses) == (3, 5)


def test_each_missing_condition_is_asked_for_once() -> None:
    cache = FeatureCache(10, 2)
    keys = np.array([7, 5, 7, 5, 5], dtype=np.uint64)
    seen: list[list[int]] = []
    cache.features(keys, lambda missing: (seen.append(missing.tolist()), double_of(missing))[1])
    assert seen == [[5, 7]]


def test_a_failure_leaves_nothing_behind() -> None:
    cache = FeatureCache(10, 2)

    def fail(_: np.ndarray) -> np.ndarray:
        raise ValueError("away")

    with pytest.raises(ValueError, match="away"):
        cache.features(np.array([1], dtype=np.uint64), fail)
    assert len(cache) == 0


def test_keys_are_the_exact_float32_condition() -> None:
    energy = np.array([256.0, np.nextafter(np.float32(256.0), np.float32(300.0))], np.float32)
    eta = np.array([-0.2, 0.2], np.float32)
    keys = condition_keys(energy, eta, None)
    assert len(set(keys.tolist())) == 2
    back = conditions_of(keys)
    assert np.array_equal(back[0], energy)
    assert np.array_equal(back[1], np.abs(eta))
    zeros = condition_keys(energy[[0, 0]], np.array([0.0, -0.0], np.float32), None)
    assert zeros[0] == zeros[1]


def test_one_eta_stands_for_all_where_it_does_not_matter() -> None:
    scale = {"log_energy_center": 8.0, "log_energy_half_width": 3.0, "eta_center": 0.225}
    ranges = Ranges(incident_energy=(1.0, 2.0), eta=(0.2, 0.25))
    assert eta_everywhere(Condition(**scale, eta_half_width=0.025), ranges) is None
    assert eta_everywhere(Condition(**scale, eta_half_width=1e30), ranges) == 0.2
    keys = condition_keys(np.full(2, 5, np.float32), np.array([0.2, 0.25], np.float32), 0.2)
    assert keys[0] == keys[1]
