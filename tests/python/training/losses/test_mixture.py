"""Losses in the training: known sums, falling, resumed bit for bit, refused where they must be."""

import math

import pytest
import torch

from fastcaloq_infer.errors import ConfigError
from fastcaloq_infer.flow.energy_model import EnergyModel
from fastcaloq_infer.training import TrainConfig, train
from fastcaloq_infer.training.build import describe, initial_flow
from fastcaloq_infer.training.data import read_training_set
from fastcaloq_infer.training.losses.mixture import Mixture, objective_of
from fastcaloq_infer.training.losses.mmd import mmd_squared
from fastcaloq_infer.training.losses.terms import joint
from fastcaloq_infer.training.objective import MaximumLikelihood
from fastcaloq_infer.training.processes import launch
from fastcaloq_infer.training.trainer import Trainer

MIXED = {
    "likelihood": 0.5,
    "wasserstein": {"weight": 0.1, "critic": [8], "n_critic": 2},
    "sliced_wasserstein": {"weight": 0.3, "directions": 8},
    "mmd": {"weight": 2.0, "rows": 64},
}


def configured(plain, loss, **changes):
    return TrainConfig.from_dict({**plain, **changes, "loss": loss})


def start(config):
    showers = read_training_set(config)
    return initial_flow(config, describe(config, showers), showers), showers


def trainer_of(config):
    flow, showers = start(config)
    return Trainer(config, flow, showers.train, showers.validation)


def test_without_a_section_it_is_maximum_likelihood(plain):
    config = TrainConfig.from_dict(plain)
    assert type(objective_of(start(config)[0], config)) is MaximumLikelihood
    assert configured(plain, "likelihood") == configured(plain, {"likelihood": 1.0}) == config


def test_a_mixture_of_likelihood_alone_trains_the_same_bits(plain, equal_bits):
    """Twice the loss is the same training where nothing but the clipping knows its scale."""
    changes = {"dtype": "float64", "gradient_clip": None, "optimiser": {"lr": 5e-3, "eps": 1e-300}}
    alone, twice = (
        trainer_of(configured(plain, {"likelihood": weight}, **changes)) for weight in (1.0, 2.0)
    )
    alone.run()
    twice.run()
    assert equal_bits(alone.ema.model.flow.state_dict(), twice.ema.model.flow.state_dict())
    record, other = alone.history.records[-1], twice.history.records[-1]
    assert other.validation_loss == 2.0 * record.validation_loss == 2.0 * other.validation_nll


def test_the_loss_is_the_weighted_sum(plain):
    config = configured(plain, {"likelihood": 0.5, "mmd": {"weight": 2.0, "rows": 64}})
    flow, showers = start(config)
    objective = Mixture(flow, config.loss, seed=5)
    rows = objective.prepare(showers.train[torch.arange(200)], torch.Generator().manual_seed(1))
    random = torch.Generator()
    random.set_state(objective.companions()["random"])
    total = objective(*rows)
    x, condition, _ = (tensor[:64] for tensor in rows)
    drawn = flow.draw_coordinates(condition, random)
    apart = mmd_squared(joint(x, condition, 4.0), joint(drawn, condition, 4.0))
    expected = 0.5 * MaximumLikelihood(flow)(*rows) + 2.0 * apart
    torch.testing.assert_close(total, expected, rtol=1e-6, atol=1e-6)
    assert total.shape == (200,)


@pytest.mark.parametrize(
    "loss",
    [{"wasserstein": {"critic": [16], "n_critic": 10, "lr": 1e-2}}, "sliced_wasserstein", "mmd"],
)
def test_every_loss_alone_brings_the_model_nearer(plain, loss):
    config = configured(plain, loss)
    flow, showers = start(config)
    with torch.no_grad():  # standardised by its initialisation, it would be near from the start
        flow.coupling_blocks[-1].actnorm.shift.add_(1.0)
    trainer = Trainer(config, flow, showers.train, showers.validation)
    before = trainer.ema.model.held_out(0.0, trainer._validation)
    trainer.run()
    best = trainer.history.best
    assert best.validation_loss < 0.7 * before
    assert math.isfinite(best.validation_nll)
    assert not best.likelihood_alone


def test_looks_are_judged_by_the_same_draws(plain):
    trainer = trainer_of(configured(plain, MIXED))
    state = trainer._objective.companions()["random"]
    values = {trainer.ema.model.held_out(1.0, trainer._validation) for _ in range(3)}
    assert len(values) == 1
    assert torch.equal(trainer._objective.companions()["random"], state)


@pytest.mark.parametrize("stop", [5, 14])
def test_a_resumed_training_ends_in_the_same_bits(plain, stop, equal_bits):
    config = configured(plain, MIXED, epochs=2)
    showers = start(config)[1]
    straight, first, second = (
        Trainer(config, start(config)[0], showers.train, showers.validation) for _ in range(3)
    )
    straight.run()
    for _ in range(stop):
        first.take_step()
    second.take_step()  # a critic of its own that has to go
    second.load_state_dict(first.state_dict())
    second.run()
    assert equal_bits(straight.ema.model.flow.state_dict(), second.ema.model.flow.state_dict())
    ours, theirs = (
        trainer._objective.companions()["terms"]["wasserstein"] for trainer in (straight, second)
    )
    assert equal_bits(ours["critic"], theirs["critic"])
    moments = [
        [value for entry in state["optimiser"]["state"].values() for value in entry.values()]
        for state in (ours, theirs)
    ]
    assert all(torch.equal(x, y) for x, y in zip(*moments, strict=True))


def test_a_run_is_written_and_resumed(plain, tmp_path):
    config = configured(plain, {"likelihood": 1.0, "wasserstein": 0.1}, checkpoint_every=5)
    model = train(config, tmp_path / "run")
    assert TrainConfig.load(tmp_path / "run" / "config.yaml").loss == config.loss
    best = model.history.best
    assert model.metadata.training.validation_nll == best.validation_nll
    assert best.validation_loss > best.validation_nll
    train(config, tmp_path / "run", resume=True)
    with pytest.raises(ConfigError, match=r"loss\.wasserstein\.weight \(was 0\.1, is 0\.2\)"):
        train(
            configured(plain, {"likelihood": 1.0, "wasserstein": 0.2}),
            tmp_path / "run",
            resume=True,
        )


@pytest.mark.parametrize(
    ("loss", "words"),
    [
        ("mdm", "there is no such loss; choose among likelihood, wasserstein"),
        ({}, "no loss has a weight"),
        ({"mmd": None}, "no loss has a weight"),
        ({"mmd": 0}, r"'loss\.mmd\.weight' is 0"),
        ({"mmd": -1.0}, r"'loss\.mmd\.weight' is -1"),
        ({"mdm": 1.0}, r"unknown key 'loss\.mdm' \(did you mean 'loss\.mmd'"),
        ({"mmd": {"bandwidth": [1]}}, r"did you mean 'loss\.mmd\.bandwidths'"),
        ({"mmd": {"bandwidths": [0.0]}}, r"'loss\.mmd\.bandwidths\.0' is 0"),
        ({"mmd": {"rows": 1}}, r"'loss\.mmd\.rows' is 1"),
        ({"sliced_wasserstein": {"order": 3}}, r"loss\.sliced_wasserstein\.order"),
    ],
)
def test_what_cannot_be_minimised_is_refused(plain, loss, words):
    with pytest.raises(ConfigError, match=words) as caught:
        configured(plain, loss)
    assert "\n" not in str(caught.value)


def test_samples_are_neither_compiled_nor_shared(plain, monkeypatch):
    with pytest.raises(ConfigError, match="compile is for the likelihood"):
        configured(plain, "mmd", compile=True)
    configured(plain, {"likelihood": 2.0}, compile=True)
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ConfigError, match=r"loss\.mmd compares batches as a whole"):
        launch(configured(plain, {"likelihood": 1.0, "mmd": 0.1}))


def test_a_model_whose_draws_have_no_gradient_is_refused(plain, monkeypatch):
    config = configured(plain, {"likelihood": 1.0, "mmd": 1.0})
    flow, _ = start(config)
    draw = type(flow).draw_coordinates
    monkeypatch.setattr(
        type(flow), "draw_coordinates", lambda *arguments: draw(*arguments).detach()
    )
    assert isinstance(flow, EnergyModel)
    with pytest.raises(ConfigError, match="loss 'mmd' follows the gradient of drawn showers"):
        objective_of(flow, config)
