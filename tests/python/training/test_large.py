"""Options of large trainings, as far as a processor can show them: bfloat16, compiled steps."""

import functools
import os

import pytest
import torch

from fastcaloq_infer.errors import ConfigError
from fastcaloq_infer.training import ShapeTrainConfig, TrainConfig, compiling
from fastcaloq_infer.training.build import describe, initial_flow
from fastcaloq_infer.training.data import read_training_set
from fastcaloq_infer.training.objective import ShapeLikelihood
from fastcaloq_infer.training.threads import reproducible
from fastcaloq_infer.training.trainer import Trainer


def begin(config):
    showers = read_training_set(config)
    return initial_flow(config, describe(config, showers), showers), showers


def trainer_of(config):
    flow, showers = begin(config)
    return Trainer(config, flow, showers.train, showers.validation)


def test_half_precision_reaches_the_network_but_not_the_likelihood(shape_config):
    flow, showers = begin(shape_config)
    with torch.no_grad():  # so that the products count
        for parameter in flow.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape, generator=seeded(1)))
    full, mixed = ShapeLikelihood(flow), ShapeLikelihood(flow, mixed=True)
    rows = full.prepare(showers.train, seeded(2))
    with torch.no_grad():
        expected, rounded = full(*rows), mixed(*rows)
        assert torch.equal(mixed.eval()(*rows), expected)
    assert rounded.dtype == torch.float32
    assert not torch.equal(rounded, expected)
    # A product is wrong by 2^-8 of its terms, which move the likelihood by far less than itself.
    torch.testing.assert_close(rounded, expected, rtol=2.0**-8, atol=0.0)


def test_a_training_in_mixed_precision_is_judged_in_full(plain_shape):
    plain, mixed = (
        trainer_of(ShapeTrainConfig.from_dict(plain_shape | {"precision": precision}))
        for precision in ("full", "bf16-mixed")
    )
    for trainer in (plain, mixed):
        trainer.run()
        weights = trainer._objective.parameters()
        assert all(parameter.dtype == torch.float32 for parameter in weights)
    assert mixed.skipped_steps == 0
    gained = plain.history.records[0].validation_nll - plain.history.best.validation_nll
    difference = mixed.history.best.validation_nll - plain.history.best.validation_nll
    assert abs(difference) < 0.1 * gained


def test_half_precision_is_refused_where_it_is_not_safe(plain, plain_shape):
    coupling = {"kind": "coupling", "n_blocks": 2, "hidden": [8]}
    for refused in (
        lambda: TrainConfig.from_dict(plain | {"precision": "bf16-mixed"}),
        lambda: ShapeTrainConfig.from_dict(
            plain_shape | {"precision": "bf16-mixed", "shape": coupling}
        ),
    ):
        with pytest.raises(ConfigError, match="the bins of the splines"):
            refused()
    with pytest.raises(ConfigError, match="weights in float32"):
        ShapeTrainConfig.from_dict(plain_shape | {"precision": "bf16-mixed", "dtype": "float64"})


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")  # torch's own
@pytest.mark.parametrize("kind", ["layer energies", "voxels"])
def test_a_compiled_step_is_the_same_step(kind, config, shape_config, monkeypatch, equal_bits):
    chosen = config if kind == "layer energies" else shape_config
    # Dynamo captures the step as for any back end; this one runs what it captured as it is.
    monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend="eager"))
    plain = trainer_of(chosen)
    compiled = trainer_of(chosen.model_copy(update={"compile": True}))
    for trainer in (plain, compiled):
        for _ in range(3):
            trainer.take_step()
    for name in ("model", "ema"):
        assert equal_bits(plain.state_dict()[name], compiled.state_dict()[name])


def test_no_compiler_is_a_sentence(shape_config, monkeypatch):
    def broken(*arguments, **options):
        raise RuntimeError("InvalidCxxCompiler: No working C++ compiler found\nmore\nlines")

    monkeypatch.setattr(torch, "compile", broken)
    with pytest.raises(ConfigError, match=r"No working C\+\+ compiler .*compile=false") as caught:
        compiling.compiled(torch.nn.Identity(), torch.device("cpu"))
    assert "\n" not in str(caught.value)


def test_on_a_gpu_algorithms_are_the_reproducible_ones_for_as_long_as_it_trains(monkeypatch):
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    with reproducible("cpu"):
        assert not torch.are_deterministic_algorithms_enabled()
    with reproducible("cuda"):
        assert torch.are_deterministic_algorithms_enabled()
        assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    assert not torch.are_deterministic_algorithms_enabled()


def seeded(seed):
    return torch.Generator().manual_seed(seed)
