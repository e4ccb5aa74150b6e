"""Which showers of a file a training uses."""

import numpy as np
import pytest

from fastcaloq_infer.errors import ConfigError, InputError
from fastcaloq_infer.training import ShapeTrainConfig, TrainConfig, train
from fastcaloq_infer.training.build import describe
from fastcaloq_infer.training.data import read_training_set


def test_energies_are_left_out(plain_shape, plain):
    for kind, settings in ((ShapeTrainConfig, plain_shape), (TrainConfig, plain)):
        everything = read_training_set(kind.from_dict(settings))
        settings["data"] |= {"leave_out": [8192, 65536]}
        config = kind.from_dict(settings)
        showers = read_training_set(config)
        for part in (showers.train, showers.validation):
            assert not np.isin(part.incident_energy, [8192, 65536]).any()
            assert part.incident_energy.max() == 32768
        there = everything.train.incident_energy, everything.validation.incident_energy
        kept = sum(int((~np.isin(energy, [8192, 65536])).sum()) for energy in there)
        assert len(showers.train) + len(showers.validation) == kept == showers.files[0].showers
        assert describe(config, showers).validity.incident_energy == (256.0, 32768.0)


def test_energies_that_cannot_be_left_out_are_refused(plain_shape, config, tmp_path):
    plain_shape["data"]["leave_out"] = [8000]
    with pytest.raises(
        InputError, match=r"no shower of 8000 MeV.*there are 256, 512, .* 65536 MeV"
    ):
        read_training_set(ShapeTrainConfig.from_dict(plain_shape))
    plain_shape["data"]["leave_out"] = [256.0 * 2**k for k in range(9)]
    with pytest.raises(InputError, match="leaves out every shower"):
        read_training_set(ShapeTrainConfig.from_dict(plain_shape))
    plain_shape["data"]["leave_out"] = [-1]
    with pytest.raises(ConfigError, match=r"data\.leave_out"):
        ShapeTrainConfig.from_dict(plain_shape)
    showers = read_training_set(config)
    some = config.data.model_copy(update={"leave_out": (8192.0,)})
    with pytest.raises(ConfigError, match="showers that a training reads itself"):
        train(config.model_copy(update={"data": some}), tmp_path, training_set=showers)


@pytest.mark.parametrize("key", [{"energies": [256]}, {"limit": 10}])
def test_showers_given_are_not_chosen_among(config, tmp_path, key):
    showers = read_training_set(config)
    some = config.data.model_copy(update=key)
    with pytest.raises(
        ConfigError, match=rf"data\.{next(iter(key))}.*that a training reads itself"
    ):
        train(config.model_copy(update={"data": some}), tmp_path, training_set=showers)


def test_some_energies_and_a_number_of_showers_are_chosen(plain_shape, plain):
    for kind, settings, energy in (
        (ShapeTrainConfig, plain_shape, [256.0]),
        (TrainConfig, plain, [4096.0, 65536.0]),
    ):
        settings["data"] |= {"energies": energy, "limit": 30}
        showers = read_training_set(kind.from_dict(settings))
        together = np.concatenate(
            [showers.train.incident_energy, showers.validation.incident_energy]
        )
        assert sorted(set(together)) == energy
        assert len(together) == 30 == showers.files[0].showers


def test_the_seed_chooses_the_showers(plain):
    plain["data"] |= {"limit": 100}

    def chosen(seed):
        config = TrainConfig.from_dict(plain | {"seed": seed})
        return {tuple(row) for row in read_training_set(config).train.layer_energy.tolist()}

    assert chosen(3) == chosen(3)
    assert len(chosen(3) & chosen(4)) < 20


def test_showers_that_are_not_there_cannot_be_chosen(plain):
    plain["data"]["energies"] = [300]
    with pytest.raises(InputError, match=r"300 MeV, so 'data\.energies' cannot choose it"):
        read_training_set(TrainConfig.from_dict(plain))
    plain["data"] |= {"energies": [], "limit": 5000}
    with pytest.raises(InputError, match=r"'data\.limit' asks for 5000 showers, but .* has 4000"):
        read_training_set(TrainConfig.from_dict(plain))
