"""What is exported: a flow of layer energies and, for whole showers, the flow of their voxels."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from fastcaloq_infer.artefact.sections import Ranges
from fastcaloq_infer.conditioning import QuantumConditioner
from fastcaloq_infer.errors import InputError, ModelError
from fastcaloq_infer.export.describe import condition_section
from fastcaloq_infer.export.shape_weights import exportable
from fastcaloq_infer.export.weights import exportable_energies
from fastcaloq_infer.shipped import shipped_files

if TYPE_CHECKING:
    from os import PathLike

    from fastcaloq_infer.flow import EnergyFlow, EnergyModel
    from fastcaloq_infer.flow.shape.shape_flow import ShapeFlow
    from fastcaloq_infer.flow.shape.voxel_flow import VoxelFlow
    from fastcaloq_infer.training.metadata import FlowMetadata, ModelMetadata, ShapeMetadata

Contents = Literal["all", "energy"]
Conditioned = TypeVar("Conditioned", "EnergyFlow", "ShapeFlow")
_NO_DEPENDENCE = 1e29  # a half width beyond any eta: the condition does not depend on it


@dataclass(frozen=True)
class TrainedShape:
    """A flow of voxels in float64 and what its checkpoint says."""

    flow: ShapeFlow
    metadata: ShapeMetadata


@dataclass(frozen=True)
class Trained:
    """The flows of one model in float64; ``validity`` is the range for which all are valid."""

    flow: EnergyFlow
    metadata: ModelMetadata
    shape: TrainedShape | None
    validity: Ranges
    name: str

    @property
    def parts(self) -> list[tuple[str, EnergyFlow | ShapeFlow, FlowMetadata]]:
        """The flows with the prefix of their conditioners' names in the file."""
        energy: list[tuple[str, EnergyFlow | ShapeFlow, FlowMetadata]] = [
            ("", self.flow, self.metadata)
        ]
        if self.shape is None:
            return energy
        return [*energy, ("shape.", self.shape.flow, self.shape.metadata)]


def together(
    flow: EnergyModel,
    metadata: ModelMetadata,
    shape: tuple[VoxelFlow, ShapeMetadata] | None = None,
) -> Trained:
    """Put flows together after checking that they speak of the same showers.

    A circuit that was measured with shots is exported in the limit of many: a table of measured
    features would be one throw of dice for ever.

    Raises
    ------
    InputError
        Another particle, other voxels, no common range, or a kind that cannot be exported.
    ModelError
        A training has not finished.
    """
    energies = _with_all_shots(exportable_energies(flow, metadata)).double().eval()
    for part in (metadata, *([shape[1]] if shape else [])):
        if part.training is None:
            raise ModelError(
                f"the training behind the checkpoint of {part.name} has not finished, so nothing "
                "is known about the model's quality; finish it (fastcaloq train --resume) or give "
                "a model.safetensors"
            )
    if shape is None:
        return Trained(energies, metadata, None, metadata.validity, metadata.name)
    voxels, described = _with_all_shots(exportable(shape[0])).double().eval(), shape[1]
    if (metadata.particle, metadata.pdg_id) != (described.particle, described.pdg_id):
        raise InputError(
            f"the energies are those of a {metadata.particle}, the shapes of a "
            f"{described.particle}: together they are no shower; give runs of one particle"
        )
    if metadata.binning.layers != described.binning.layers:
        raise InputError(
            f"energies ({metadata.binning.name}) and shapes ({described.binning.name}) do not have "
            "the same layers and voxels, so they cannot be joined; train both on one binning"
        )
    _check_scaling(energies, voxels)
    validity = _common(metadata.validity, described.validity)
    return Trained(energies, metadata, TrainedShape(voxels, described), validity, metadata.name)


def _with_all_shots(flow: Conditioned) -> Conditioned:
    conditioner = flow.conditioner
    if not isinstance(conditioner, QuantumConditioner) or conditioner.execution.shots is None:
        return flow
    flow = copy.deepcopy(flow)
    flow.conditioner = conditioner.with_all_shots()
    return flow


def _check_scaling(flow: EnergyFlow, shape: ShapeFlow) -> None:
    """Whether the shape's condition can be had from that of the energies (see `_rescaled`)."""
    energy, voxels = condition_section(flow), condition_section(shape)
    if energy.eta_half_width > _NO_DEPENDENCE > voxels.eta_half_width:
        raise InputError(
            "the energies are the same at every eta, the shapes are not, so one condition cannot "
            "serve both; train both with or both without data.eta_slice"
        )


def _common(first: Ranges, second: Ranges) -> Ranges:
    pairs = []
    for name in ("incident_energy", "eta"):
        one, two = getattr(first, name), getattr(second, name)
        low, high = max(one[0], two[0]), min(one[1], two[1])
        if low > high:
            raise InputError(
                f"the energies are valid for {name} {one[0]:g} to {one[1]:g}, the shapes for "
                f"{two[0]:g} to {two[1]:g}: there is nothing that both can do; train both on the "
                "same showers"
            )
        pairs.append((low, high))
    return Ranges(incident_energy=pairs[0], eta=pairs[1])


def load(
    source: str | PathLike[str],
    shape: str | PathLike[str] | None = None,
    contents: Contents = "all",
) -> Trained:
    """Load what a user names: a run, a checkpoint or a shipped model, and the run of its shapes.

    A shipped model that has shapes brings them along, and its name, unless only the energies are
    wanted.

    Raises
    ------
    InputError
        Shapes are given that are not wanted, or the two do not belong together.
    ModelError
        If a source is no usable checkpoint.
    """
    from fastcaloq_infer.training.checkpoint import load_flow, load_shape

    if contents not in ("all", "energy"):
        raise InputError(
            f"contents {contents!r} are unknown: choose 'all' or 'energy', the energies alone"
        )
    if contents == "energy" and shape is not None:
        raise InputError(
            "shapes are given, but only the energies are to be exported: leave out one of --shape "
            "and --contents energy"
        )
    energy = load_flow(_source(source))
    if shape is None and contents == "all" and _ships_shapes(source):
        trained = together(*energy, load_shape(str(source)))
        return replace(trained, name=str(source))  # its energies may be another model, too
    return together(*energy, load_shape(_source(shape)) if shape is not None else None)


def _source(given: str | PathLike[str]) -> Path | str:
    return Path(given) if Path(given).exists() else str(given)


def _ships_shapes(source: str | PathLike[str]) -> bool:
    """Whether ``source`` is the name of a shipped model with shapes, and no run of that name."""
    from fastcaloq_infer.training.checkpoint import CHECKPOINT, MODEL, SHAPE

    path = Path(source)
    if path.is_file() or any((path / name).is_file() for name in (MODEL, CHECKPOINT)):
        return False
    return path.name == str(source) and bool(shipped_files(f"{path.name}/{SHAPE}"))
