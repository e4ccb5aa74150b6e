"""The whole chain in one call: train, export, sample in C++, write, evaluate, report.

The steps are the public functions of the packages, one after another, so this file is also the
shortest example of using them together.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from fastcaloq_infer.demo.clock import Clock
from fastcaloq_infer.demo.whole_showers import shipped_shape, show_whole_showers
from fastcaloq_infer.errors import InputError, OutputError
from fastcaloq_infer.files import make_folder

if TYPE_CHECKING:
    from rich.console import Console

    from fastcaloq_infer.data import LayerEnergies
    from fastcaloq_infer.demo.whole_showers import WholeShowers
    from fastcaloq_infer.evaluation import Evaluation
    from fastcaloq_infer.output import Summary

_WHOLE_SHOWERS = 11_900  # four times as many as the packaged Geant4 ones
_NEEDS = ("torch", "pennylane", "onnx", "sklearn", "matplotlib", "jinja2")


@dataclass(frozen=True)
class DemoResult:
    """What a demonstration left behind.

    Attributes
    ----------
    report, figures
        The HTML page and the figures as JSON.
    model, root, hdf5
        The model file and the showers.
    evaluation
        The figures.
    timings
        Pairs of a step and its seconds.
    whole
        The same for whole showers, where the shipped shape flow is there.
    """

    report: Path
    figures: Path
    model: Path
    root: Path
    hdf5: Path
    evaluation: Evaluation
    timings: tuple[tuple[str, float], ...]
    whole: WholeShowers | None


def run_demo(
    folder: Path | str,
    *,
    showers: int = 200_000,
    seed: int = 1,
    settings: tuple[str, ...] = (),
    classifiers: int = 5,
    details: bool = True,
    whole_showers: bool = True,
    console: Console | None = None,
) -> DemoResult:
    """Train on the packaged Geant4 photons and compare what comes out with held-out Geant4.

    Parameters
    ----------
    folder
        Where everything goes; made if missing. Files of an earlier demonstration are replaced.
    showers
        Number of showers to draw, at the incident energies of the held-out sample in turn.
    seed
        Seed of the training, the showers and the evaluation.
    settings
        Changes of the configuration ``demo_energy``, as ``key.subkey=value``.
    classifiers
        Seeds of the classifier test.
    details
        Whether the report also shows every layer at every incident energy.
    whole_showers
        Whether to go on to voxels, drawn by the shipped shape flow given the energies of this
        training, which has to be a real one: shapes make nothing of energies out of the blue.
    console
        Where to say what is done; None for silence.

    Raises
    ------
    InputError
        A package that the demonstration needs is missing, or the numbers make no sense.
    ConfigError
        A setting is misspelt or impossible.
    OutputError
        The folder cannot be written.
    """
    _check(showers)
    folder = _prepare(Path(folder))

    from fastcaloq_infer.data import packaged_sample, read_layer_energies
    from fastcaloq_infer.evaluation import evaluate_layer_energies
    from fastcaloq_infer.export import export_flow
    from fastcaloq_infer.report import Candidate, write_report
    from fastcaloq_infer.report.model_facts import (
        CONDITIONERS,
        conditioner_curves,
        describe_table,
        describe_training,
        model_facts,
    )
    from fastcaloq_infer.report.model_pictures import LearningCurve
    from fastcaloq_infer.training import TrainConfig, train

    clock = Clock(console)
    config = TrainConfig.load("demo_energy", [f"seed={seed}", *settings])
    conditioner = CONDITIONERS[config.quantum.kind]
    with clock.step(f"Train the energy flow ({conditioner}) on the packaged Geant4 photons"):
        trained = train(config, folder / "run", console=console)
        clock.say(describe_training(trained))
    with clock.step("Export it to one ONNX file, the conditioner as a table"):
        shape = shipped_shape() if whole_showers else None
        exported = export_flow(
            trained.flow, trained.metadata, folder / "model.onnx", shape=shape, overwrite=True
        )
        clock.say(f"{exported.path}: {exported.size / 1e3:.0f} kB, {describe_table(exported)}")
    reference = read_layer_energies(packaged_sample("heldout"))
    floor = read_layer_energies(packaged_sample("train"))
    with clock.step(f"Draw the energies of {showers:,} showers in C++, write ROOT and HDF5"):
        root, hdf5 = (
            _produce(exported.path, reference, folder / name, showers, seed)
            for name in ("showers.root", "showers.hdf5")
        )
        clock.say_written(root)
        clock.say_written(hdf5)
    with clock.step("Compare them with held-out Geant4, beside Geant4 against itself"):
        # Read back from the file: what is evaluated is what a user would get.
        generated = read_layer_energies(hdf5.path)
        evaluation = evaluate_layer_energies(
            reference, generated, floor, seeds=classifiers, seed=seed
        )
    with clock.step("Draw the report"):
        records = trained.history.records
        report = write_report(
            folder,
            reference,
            [Candidate("generated", generated, evaluation)],
            floor=floor,
            title="Generated photon showers against Geant4",
            introduction=(
                f"{showers:,} showers drawn by the C++ engine from a normalising flow (conditioned "
                f"by: {conditioner}), against held-out Geant4 showers. Energies in MeV."
            ),
            curve=LearningCurve(
                [r.epoch for r in records],
                [r.train_loss for r in records],
                [r.validation_nll for r in records],
            ),
            conditioner=conditioner_curves(trained, exported),
            facts=model_facts(trained, exported, root, reference, floor, seed),
            timings=clock.timings,
            details=details,
        )
        figures = folder / "figures.json"
        evaluation.save(figures)
    whole = None
    if shape is not None:
        whole = show_whole_showers(
            exported.path,
            folder / "whole_showers",
            clock,
            showers=max(1000, min(_WHOLE_SHOWERS, showers // 3)),
            seed=seed,
        )
    return DemoResult(
        report=report,
        figures=figures,
        model=exported.path,
        root=root.path,
        hdf5=hdf5.path,
        evaluation=evaluation,
        timings=tuple(clock.timings),
        whole=whole,
    )


def _check(showers: int) -> None:
    missing = [name for name in _NEEDS if find_spec(name) is None]
    if missing:
        raise InputError(
            f"the demonstration trains and evaluates, which needs {', '.join(missing)}: install "
            "fastcaloq-infer[train,evaluate]"
        )
    if showers < 1000:
        raise InputError(
            f"{showers} showers are too few to be compared at nine incident energies; "
            "ask for 1,000 or more"
        )


def _prepare(folder: Path) -> Path:
    """Make the folder; remove the training run of an earlier demonstration, file by file."""
    from fastcaloq_infer.training.run import RUN_FILES

    make_folder(folder)
    try:
        for name in RUN_FILES:
            (folder / "run" / name).unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(
            f"cannot write in {folder}: {error.strerror or error}; choose another folder (-o)"
        ) from error
    return folder


def _produce(
    model: Path, reference: LayerEnergies, output: Path, showers: int, seed: int
) -> Summary:
    import numpy as np

    from fastcaloq_infer.output import parse_energies, produce
    from fastcaloq_infer.sampling import Sampler

    energies = ",".join(repr(float(energy)) for energy in np.unique(reference.incident_energy))
    return produce(
        Sampler(model),
        showers,
        output,
        energies=parse_energies(energies),
        seed=seed,
        voxels="none",
        force=True,
        command="fastcaloq demo",
    )
