"""What may stand side by side in one report."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fastcaloq_infer.errors import InputError
from fastcaloq_infer.evaluation.samples.sample import Sample, as_sample
from fastcaloq_infer.report import Candidate
from fastcaloq_infer.report.lineup import line_up, mixture_weights
from fastcaloq_infer.report.table import notes, summary_rows


def test_every_model_has_a_colour_of_its_own(voxels):
    assert [model.label for model in voxels.models] == ["flow", "GAN"]
    assert len({model.colour for model in voxels.models}) == 2
    assert len(voxels.everyone()) == 4
    assert voxels.has_voxels


def test_mixture_weights(layers):
    generated = layers.samples[0]
    twice = Sample(
        np.concatenate([generated.incident_energy, generated.incident_energy[:5000]]),
        np.concatenate([generated.layer_energy, generated.layer_energy[:5000]]),
    )
    weights = mixture_weights(layers.reference, twice, layers.groups)
    rows = zip(layers.groups.rows(layers.reference), layers.groups.rows(twice), strict=True)
    for ref, gen in rows:
        assert weights[gen].sum() == pytest.approx(len(ref))


def test_energies_that_not_all_have_are_left_out(reference, generated, evaluation):
    sample = as_sample(generated, "generated")
    some = sample.take(sample.incident_energy > 300)
    lineup = line_up(reference, [Candidate("flow", some, evaluation)])
    assert lineup.groups.centers[0] == 512
    assert lineup.reference.incident_energy.min() == 512
    assert lineup.floor is None
    none = replace(some, incident_energy=np.full(some.n_showers, 300.0))
    with pytest.raises(InputError, match="no incident energy in common"):
        line_up(reference, [Candidate("flow", none, evaluation)])


def test_impossible_lineups(reference, candidates, generated, evaluation):
    with pytest.raises(InputError, match="compares 1 to 8 generated samples, got 0"):
        line_up(reference, [])
    flow = Candidate("flow", generated, evaluation)
    with pytest.raises(InputError, match="two generated samples have one name"):
        line_up(reference, [flow, flow])
    with pytest.raises(InputError, match="cannot share a picture"):
        line_up(reference, [flow, candidates[1]])


def test_table_has_a_cell_per_model(voxels):
    rows = summary_rows(voxels.models)
    assert all(len(row.cells) == 2 for row in rows)
    separation = next(row for row in rows if "separation of E_tot" in row.name)
    assert all(cell is not None and "±" in cell.value for cell in separation.cells)


def test_floors_of_models_compared_with_other_counts(voxels):
    """The floor depends on the number of showers, so that models may have their own."""
    first = voxels.models[0]
    low, high = (
        replace(first, evaluation=first.evaluation.model_copy(update={"chi_squares": (chi,)}))
        for chi in (
            first.evaluation.chi_squares[0].model_copy(update={"floor": floor})
            for floor in (1.25, 1.75)
        )
    )
    assert "chi2" in (row := _row([low, high], "chi2")).name
    assert row.floor == "1.250 to 1.750"
    assert _row([high, high], "chi2").floor == "1.750"


def _row(models, name):
    return next(row for row in summary_rows(models) if name in row.name)


def test_notes_are_said_once(voxels):
    first, second = voxels.models
    second = replace(
        second, evaluation=second.evaluation.model_copy(update={"notes": ("own", "both")})
    )
    first = replace(first, evaluation=first.evaluation.model_copy(update={"notes": ("both",)}))
    assert notes([first, second]) == ["both", "GAN: own"]
