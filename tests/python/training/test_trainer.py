"""The loop: the loss is the likelihood, it falls, and trouble ends as it should."""

import math

import pytest
import torch

from fastcaloq_infer import data
from fastcaloq_infer.errors import ConfigError, InputError
from fastcaloq_infer.training import TrainConfig, TrainingError
from fastcaloq_infer.training.batches import EpochBatches
from fastcaloq_infer.training.build import describe, initial_flow
from fastcaloq_infer.training.data import ShowerTensors, read_training_set
from fastcaloq_infer.training.objective import MaximumLikelihood
from fastcaloq_infer.training.trainer import Trainer


def trainer_of(config, showers=None):
    showers = showers or read_training_set(config)
    flow = initial_flow(config, describe(config, showers), showers)
    return Trainer(config, flow, showers.train, showers.validation)


@pytest.mark.parametrize("kind", ["conditioner", "classical", "none"])
def test_the_loss_is_the_negative_log_likelihood(plain, kind):
    quantum = {"kind": kind, "n_qubits": 3}
    config = TrainConfig.from_dict({**plain, "dtype": "float64", "quantum": quantum})
    showers = read_training_set(config)
    flow = initial_flow(config, describe(config, showers), showers)
    with torch.no_grad():
        for parameter in flow.parameters():  # away from the identity it starts as
            parameter.add_(0.1 * torch.randn_like(parameter))
    objective = MaximumLikelihood(flow)
    few = showers.train[torch.arange(500)]
    rows = objective.prepare(few, torch.Generator().manual_seed(5))
    noise = torch.Generator().manual_seed(5)
    expected = -flow.log_prob(few.layer_energy, few.incident_energy, few.eta, noise)
    # the same sums in another order: some tens of terms of order 10
    torch.testing.assert_close(objective(*rows), expected, rtol=1e-12, atol=1e-12)


def test_training_on_geant4_lowers_the_held_out_likelihood():
    config = TrainConfig.from_dict(
        {
            "name": "real",
            "particle": "photon",
            "flow": {"n_blocks": 4, "hidden": [32], "bins": 6},
            "quantum": {"n_qubits": 4, "n_layers": 1},
            "optimiser": {"lr": 5e-3},
            "batch_size": 512,
            "steps": 150,
            "ema_decay": 0.95,
            "data": {"validation_fraction": 0.05},
        }
    )
    trainer = trainer_of(config)
    before = trainer.validation_nll()
    trainer.run()
    # A flow of these sizes gains about 3 nats in 150 steps over normalised Gaussians.
    assert trainer.history.best.validation_nll < before - 1.0
    assert trainer.history.records[-1].validation_nll == trainer.validation_nll()


def test_the_circuit_is_trained_and_helps_when_only_it_is_free(config):
    trainer = trainer_of(config)
    trainer.run()
    flow = trainer.ema.model.flow
    angles = dict(flow.conditioner.named_parameters())
    start = dict(initial_circuit(config))
    assert all(not torch.equal(angles[name], start[name]) for name in start)

    showers = read_training_set(config)
    with torch.no_grad():
        for parameter in flow.conditioner.parameters():
            parameter.add_(0.7 * torch.randn(parameter.shape, generator=seeded(1)))
    flow.requires_grad_(False)
    flow.conditioner.requires_grad_(True)
    frozen = {name: tensor.clone() for name, tensor in flow.blocks.state_dict().items()}
    second = Trainer(config, flow, showers.train, showers.validation)
    spoilt = second.validation_nll()
    second.run()
    assert second.history.best.validation_nll < spoilt - 0.01
    after = flow.blocks.state_dict()
    assert all(torch.equal(after[name], frozen[name]) for name in frozen)


def initial_circuit(config):
    return trainer_of(config)._objective.flow.conditioner.named_parameters()


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def test_impatience_stops_on_the_averaged_weights(plain):
    changes = {"epochs": 50, "patience": 2, "optimiser": {"lr": 1e-12}, "ema_decay": 0.0}
    trainer = trainer_of(TrainConfig.from_dict({**plain, **changes}))
    looks = []
    falling = iter([5.0, 4.0, 4.5, 3.0, 3.5, 3.1, 0.0])
    trainer.validation_nll = lambda: next(falling)
    trainer.run(on_look=lambda t: looks.append(t.history.records[-1].validation_nll))
    assert looks == [5.0, 4.0, 4.5, 3.0, 3.5, 3.1]
    assert trainer.history.best.validation_nll == 3.0
    assert trainer.finished
    assert trainer.step < trainer.total_steps


def test_the_best_weights_are_kept_not_the_last(plain, equal_bits):
    trainer = trainer_of(TrainConfig.from_dict({**plain, "epochs": 3}))
    values = iter([2.0, 1.0, 3.0])
    trainer.validation_nll = lambda: next(values)
    weights = []

    def keep(t):
        weights.append({k: v.clone() for k, v in t.ema.model.flow.state_dict().items()})

    trainer.run(on_look=keep)
    assert equal_bits(trainer.best, weights[1])
    assert not equal_bits(trainer.best, weights[2])


def test_one_bad_step_is_skipped_and_counted(config):
    trainer = trainer_of(config)
    trainer.take_step()
    weights = [parameter.detach().clone() for parameter in trainer._weights]
    rows, order = trainer._batches.start_epoch()
    rows[0][order[: 2 * trainer.batch_size]] = math.nan
    trainer.take_step()
    assert trainer.skipped_steps == 1
    assert trainer.step == 2
    assert all(torch.equal(a, b) for a, b in zip(weights, trainer._weights, strict=True))
    trainer.take_step()
    assert trainer.skipped_steps == 1
    assert not torch.equal(weights[0], trainer._weights[0])


def test_many_bad_steps_in_a_row_end_the_training(config):
    trainer = trainer_of(config)
    trainer.start_epoch()
    trainer._batches._rows[0].fill_(math.nan)
    with pytest.raises(TrainingError, match=r"10 steps in a row .* lower optimiser\.lr") as caught:
        trainer.run()
    assert "\n" not in str(caught.value)
    assert trainer.skipped_steps == 10


def test_an_absurd_learning_rate_ends_in_a_sentence(plain):
    changes = {"optimiser": {"lr": 1e30}, "gradient_clip": None, "schedule": {"kind": "constant"}}
    with pytest.raises(TrainingError, match="not finite"):
        trainer_of(TrainConfig.from_dict({**plain, **changes, "epochs": 40})).run()


def test_every_epoch_sees_other_noise_and_order_and_no_shower_twice(config):
    showers = read_training_set(config).train

    class Rows:
        noisy = True

        def prepare(self, showers, generator):
            return torch.arange(len(showers)), torch.rand(len(showers), generator=generator)

    batches = EpochBatches(Rows(), showers, 256, seed=1)
    epochs = [[batches.next() for _ in range(batches.per_epoch)] for _ in range(2)]
    rows = [torch.cat([batch[0] for batch in epoch]) for epoch in epochs]
    noise = [torch.cat([batch[1] for batch in epoch]) for epoch in epochs]
    for order in rows:
        assert len(order.unique()) == len(order) == 256 * (len(showers) // 256)
    assert not torch.equal(*rows)
    assert not torch.equal(noise[0].sort().values, noise[1].sort().values)


def test_a_batch_larger_than_the_sample_takes_all_of_it(plain):
    trainer = trainer_of(TrainConfig.from_dict({**plain, "batch_size": 10**6, "epochs": 2}))
    trainer.run()
    assert trainer.batch_size == 3600
    assert trainer.step == 2


def test_impossible_held_out_showers_are_counted_and_left_out(config):
    showers = read_training_set(config)
    energies = showers.validation.layer_energy.clone()
    energies[:7] = 0.0  # nothing anywhere, which no training shower shows
    validation = ShowerTensors(energies, showers.validation.incident_energy, showers.validation.eta)
    flow = initial_flow(config, describe(config, showers), showers)
    trainer = Trainer(config, flow, showers.train, validation)
    assert trainer.impossible == 7
    assert math.isfinite(trainer.validation_nll())


def test_another_particle_than_the_binning_is_refused(plain):
    with pytest.raises(ConfigError, match=r"'particle' is pion but 'data\.binning'"):
        read_training_set(TrainConfig.from_dict({**plain, "particle": "pion"}))


def test_holding_out_the_training_file_is_refused(plain, shower_file, tmp_path):
    copy = tmp_path / "copy.hdf5"
    copy.write_bytes(shower_file.read_bytes())
    plain["data"]["validation"] = str(copy)
    with pytest.raises(ConfigError, match="holds the same showers"):
        read_training_set(TrainConfig.from_dict(plain))


def test_a_file_of_its_own_is_held_out(plain, other_file):
    plain["data"]["validation"] = str(other_file)
    showers = read_training_set(TrainConfig.from_dict(plain))
    assert (len(showers.train), len(showers.validation)) == (4000, 1500)
    assert [file.name for file in showers.files] == ["train.hdf5", "other.hdf5"]


def test_the_split_depends_on_the_seed_alone(plain):
    first, again = (read_training_set(TrainConfig.from_dict(plain)) for _ in range(2))
    other = read_training_set(TrainConfig.from_dict({**plain, "seed": 4}))
    assert torch.equal(first.validation.layer_energy, again.validation.layer_energy)
    assert not torch.equal(first.validation.layer_energy, other.validation.layer_energy)
    assert (len(first.train), len(first.validation)) == (3600, 400)
    rows = torch.cat([first.train.layer_energy, first.validation.layer_energy])
    assert len(rows.unique(dim=0)) == 4000  # as in the file: no shower twice, none lost


@pytest.mark.parametrize("fraction", [0.05, 0.1, 0.5, 0.9])
def test_both_parts_have_the_same_spectrum(plain, fraction):
    plain["data"]["validation_fraction"] = fraction
    showers = read_training_set(TrainConfig.from_dict(plain))
    energies = showers.train.incident_energy, showers.validation.incident_energy
    for energy in energies[0].unique():
        total = sum(int((part == energy).sum()) for part in energies)
        held_out = int((energies[1] == energy).sum())
        assert abs(held_out - fraction * total) <= 1


def test_one_shower_is_too_few(plain, tmp_path):
    path = tmp_path / "one.hdf5"
    with data.write_layer_energies(path, data.binning("dataset-1-photons"), eta=0.2) as writer:
        writer.append([1000.0], [[1.0, 2.0, 3.0, 4.0, 5.0]])
    plain["data"]["train"] = str(path)
    with pytest.raises(InputError, match="too few to hold out"):
        read_training_set(TrainConfig.from_dict(plain))
