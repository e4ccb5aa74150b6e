"""What whole states cost: known shots, simulated tomography, the program, too many qubits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fastcaloq_infer.errors import InputError
from fastcaloq_infer.study.states.__main__ import states
from fastcaloq_infer.study.states.cost import measure
from fastcaloq_infer.study.states.tomography import estimate_infidelity, fewest_shots


def test_one_copy_of_a_qubit_is_known_to_two_thirds() -> None:
    # Massar and Popescu 1995, Phys. Rev. Lett. 74, 1259: (N + 1) / (N + 2).
    assert fewest_shots(1, 1.0 / 3.0) == pytest.approx(1.0)
    assert fewest_shots(1, 0.01) == pytest.approx(98.0)
    assert fewest_shots(16, 0.01) == pytest.approx(65535 / 0.01 - 65536)


def test_random_bases_take_about_twice_the_fewest_shots() -> None:
    for row in estimate_infidelity(4):
        dimension = 2 ** row["n_qubits"]
        expected = 2 * (dimension - 1) * (dimension + 1) / (dimension + 2) / row["shots"]
        # Next order in 1 / shots: the eigenvector of a noisy matrix, a percent at 400 shots * D.
        assert abs(row["infidelity"] - expected) < 4.0 * row["error"] + 0.02 * expected
        fewest = fewest_shots(row["n_qubits"], row["infidelity"])
        assert fewest < row["shots"] < 3.0 * fewest + dimension


def test_the_program_measures_and_draws(tmp_path: Path) -> None:
    states(tmp_path / "states", max_qubits=3, showers=4, repetitions=1)
    results = json.loads((tmp_path / "states" / "results.json").read_text())
    assert [row["coordinates"] for row in results["simulation"]] == [1, 3, 7]
    assert all(row["round_trip"] < 1e-12 for row in results["simulation"])
    assert (tmp_path / "states" / "cost.png").stat().st_size > 1000


def test_more_qubits_than_memory_are_refused() -> None:
    with pytest.raises(InputError, match=r"60 qubits need .*GB.*measure fewer"):
        next(measure(60, 16, 1))
