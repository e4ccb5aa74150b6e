"""The voxels of a demonstration: the shipped shape flow, given the energies it has just learnt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastcaloq_infer.shipped import shipped_files

if TYPE_CHECKING:
    from pathlib import Path

    from fastcaloq_infer.demo.clock import Clock
    from fastcaloq_infer.evaluation import Evaluation
    from fastcaloq_infer.flow.shape.voxel_flow import VoxelFlow
    from fastcaloq_infer.training.metadata import ShapeMetadata

_SHIPPED = "photon"


@dataclass(frozen=True)
class WholeShowers:
    """What the part with voxels left behind.

    Attributes
    ----------
    root, hdf5
        Showers with sparse voxels (ROOT) and with all of them (CaloChallenge).
    pictures
        Average and single showers.
    report
        The HTML page that compares them with Geant4.
    evaluation
        Its figures.
    """

    root: Path
    hdf5: Path
    pictures: tuple[Path, ...]
    report: Path
    evaluation: Evaluation


def shipped_shape() -> tuple[VoxelFlow, ShapeMetadata] | None:
    """Return the shipped flow of photon voxels, or None in an installation without it."""
    from fastcaloq_infer.training.checkpoint import load_shape

    if not shipped_files(f"{_SHIPPED}/shape.safetensors"):
        return None
    return load_shape(_SHIPPED)


def show_whole_showers(
    model: Path, folder: Path, clock: Clock, *, showers: int, seed: int, classifiers: int = 1
) -> WholeShowers:
    """Draw whole showers at the energies of the packaged ones, and compare the two.

    Parameters
    ----------
    model
        A model file with voxels.
    folder
        Made if missing; files of an earlier demonstration are replaced.
    clock
        Told about every step.
    showers
        How many.
    seed
        Of showers and evaluation.
    classifiers
        Seeds of the classifier tests.
    """
    from fastcaloq_infer.data import packaged_sample
    from fastcaloq_infer.evaluation import evaluate, read_sample
    from fastcaloq_infer.files import make_folder
    from fastcaloq_infer.output import parse_energies, produce
    from fastcaloq_infer.output.root_file import open_any
    from fastcaloq_infer.report import Candidate, write_report
    from fastcaloq_infer.report.shower_plot import plot_showers
    from fastcaloq_infer.sampling import Sampler

    make_folder(folder)
    sampler = Sampler(model)
    with clock.step(f"Draw {showers:,} whole showers ({sampler.n_voxels} voxels) in C++"):
        root, hdf5 = (
            produce(
                sampler,
                showers,
                folder / name,
                energies=parse_energies(f"from:{packaged_sample('heldout_photons')}"),
                seed=seed,
                force=True,
                command="fastcaloq demo",
            )
            for name in ("showers.root", "showers.hdf5")
        )
        clock.say_written(root)
        clock.say_written(hdf5)
        with open_any(root.path) as file:
            pictures = plot_showers(file, folder)
    with clock.step("Compare them with Geant4 showers, voxel by voxel"):
        reference, generated, floor = (
            read_sample(path)
            for path in (packaged_sample("heldout_photons"), hdf5.path, packaged_sample("showers"))
        )
        evaluation = evaluate(
            reference,
            generated,
            floor,
            seeds=classifiers,
            seed=seed,
            views=("low", "high"),
            distances=False,
        )
        page = write_report(
            folder,
            reference,
            [Candidate("generated", generated, evaluation)],
            title="Generated photon showers against Geant4, voxel by voxel",
            introduction=(
                f"{showers:,} whole showers: layer energies from the flow that this demonstration "
                f"trained, voxels from the shipped shape flow, against {reference.n_showers:,} "
                "Geant4 showers that neither has seen. Energies in MeV; figures with all held-out "
                "showers are in the shipped model's README."
            ),
            timings=clock.timings,
            details=False,
            floor=floor,
        )
        evaluation.save(folder / "figures.json")
    return WholeShowers(root.path, hdf5.path, tuple(pictures), page, evaluation)
