"""Targets and traffic lights of single figures."""

from __future__ import annotations

import pytest

from fastcaloq_infer.evaluation.results import ChiSquare, Profile, ZeroFraction
from fastcaloq_infer.evaluation.results.classifier import Classifier, OverSeeds, Scores
from fastcaloq_infer.evaluation.targets import classifier_line, share_light
from fastcaloq_infer.evaluation.targets.lights import chi_square_light
from fastcaloq_infer.evaluation.targets.lines import _share_line
from fastcaloq_infer.evaluation.targets.shape_lines import profile_lines


def test_target_of_a_classifier_is_not_below_that_of_a_perfect_floor():
    for floor, target in ((0.41, 0.53), (0.52, 0.55)):
        line = classifier_line(
            Classifier.model_construct(
                view="high", architecture="trees", generated=auc(0.525), floor=auc(floor)
            )
        )
        assert line.target == pytest.approx(target)
        assert line.light == "green"


def auc(mean, error=0.01):
    over = OverSeeds(values=(mean,), mean=mean, spread=0.0, error=error)
    return Scores.model_construct(auc=over)


@pytest.mark.parametrize(
    ("binning", "view", "target"),
    [
        ("dataset-1-photons", "low", 0.62),
        ("dataset-1-photons", "high", 0.58),
        ("dataset-1-pions", "normalised", 0.72),
        ("dataset-1-pions", "high", 0.68),
        ("dataset-1-photons", "layers", 0.53),
        ("dataset-2", "low", 0.53),
        (None, "high", 0.53),
    ],
)
def test_targets_of_whole_showers(binning, view, target):
    line = classifier_line(
        Classifier.model_construct(
            view=view, architecture="network", generated=auc(0.6, 0.001), floor=auc(0.5, 0.001)
        ),
        binning,
    )
    assert line.target == pytest.approx(target)
    assert line.light == ("green" if target >= 0.6 else "red")
    assert "network" in line.name


def zero(difference, error=0.01):
    return ZeroFraction(
        layer=1,
        incident_energy=256.0,
        reference=0.5,
        reference_error=0.0,
        generated=0.5 + difference,
        generated_error=error,
        floor=0.5,
        floor_error=0.0,
    )


def test_lights_count_the_places():
    """Three standard errors above the target are red in one place, chance in one of a hundred."""
    assert share_light(0.05, 0.01, 0.02) == "red"
    assert share_light(0.05, 0.01, 0.02, places=100) == "amber"
    assert share_light(0.02, 0.0, 0.02, places=100) == "green"
    assert share_light(0.03, 0.0, 0.02, places=10**9) == "red"  # no error, no excuse
    chi = ChiSquare.model_construct(value=3.5, p_value=0.002)
    assert (chi_square_light(chi), chi_square_light(chi, 9)) == ("red", "amber")
    assert chi_square_light(ChiSquare.model_construct(value=2.9, p_value=0.0)) == "green"


def test_the_worst_place_is_one_that_is_red():
    """A larger difference may be chance where there are few showers, a smaller one may not."""
    line = _share_line("zeros", [zero(0.09, 0.05), zero(-0.05, 0.001)])
    assert (line.value, line.light) == (pytest.approx(0.05), "red")
    assert _share_line("zeros", [zero(0.09, 0.05)]).light == "amber"


def test_a_ring_without_energy_is_not_held_to_a_profile():
    profile = Profile(
        layer=2,
        axis="r",
        incident_energy=256.0,
        edges=(0.0, 1.0, 2.0, 3.0),
        reference=(0.5, 0.2, 1e-5),
        reference_error=(0.001,) * 3,
        generated=(0.5, 0.26, 1e-2),
        generated_error=(0.001,) * 3,
        floor=(0.5, 0.19, 1e-5),
        floor_error=(0.001,) * 3,
    )
    (line,) = profile_lines([profile])
    assert (line.value, line.floor) == pytest.approx((0.3, 0.05))
    assert (line.light, line.where) == ("red", "ring 1 of layer 2 at 256 MeV")
