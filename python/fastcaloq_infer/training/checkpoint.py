"""Loading a trained flow from whatever the user names: a run, a file, a shipped model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fastcaloq_infer.errors import ModelError
from fastcaloq_infer.flow.shape.voxel_flow import VoxelFlow
from fastcaloq_infer.shipped import shipped_files
from fastcaloq_infer.training.build import build_flow
from fastcaloq_infer.training.metadata import (
    ModelMetadata,
    ShapeMetadata,
    preprocessing_section,
)
from fastcaloq_infer.training.shipped import find_shipped
from fastcaloq_infer.training.state import read_state
from fastcaloq_infer.training.weights import Metadata, read_weights, weights_of, write_weights

if TYPE_CHECKING:
    from torch import Tensor

    from fastcaloq_infer.flow.energy_model import EnergyModel

__all__ = ["CHECKPOINT", "MODEL", "SHAPE", "load_flow", "load_shape", "save_model"]

CHECKPOINT = "checkpoint.pt"
MODEL = "model.safetensors"
SHAPE = "shape.safetensors"
"""The flow of voxels of a shipped model, beside its flow of layer energies."""


def save_model(
    path: Path | str, flow: EnergyModel | VoxelFlow, metadata: ModelMetadata | ShapeMetadata
) -> None:
    """Write ``model.safetensors``: the flow's weights in float32, all else in the header.

    Parameters
    ----------
    path
        File to write.
    flow
        Trained flow, of layer energies or of voxels.
    metadata
        Those of the flow, as made by the training.

    Raises
    ------
    ModelError
        Flow and metadata do not belong together.
    OutputError
        The file cannot be written; the one before stays.
    """
    if isinstance(flow, VoxelFlow):
        if not isinstance(metadata, ShapeMetadata) or flow.config != metadata.shape:
            raise ModelError("the flow is not the one of the metadata; give its own")
    elif (
        not isinstance(metadata, ModelMetadata)
        or preprocessing_section(flow.preprocessing.double()) != metadata.preprocessing
    ):
        raise ModelError("the flow's preprocessing is not the one of the metadata; give its own")
    write_weights(Path(path), weights_of(flow.state_dict()), metadata)


def load_flow(source: Path | str) -> tuple[EnergyModel, ModelMetadata]:
    """Load a trained flow of layer energies (averaged weights) and what it says about itself.

    Parameters
    ----------
    source
        A run folder (its ``model.safetensors``, or ``checkpoint.pt`` of an unfinished run), one of
        these two files, or the name of a shipped model.

    Returns
    -------
    flow
        In float64 and evaluation mode; ``.float()`` for the precision of the training.
    metadata
        Architecture, binning, validity, provenance.

    Raises
    ------
    ModelError
        Nothing of that name, a flow of voxels, or a file that is damaged, foreign or of another
        version.

    Examples
    --------
    >>> flow, metadata = load_flow("photon_energy")  # doctest: +SKIP
    >>> metadata.validity.incident_energy  # doctest: +SKIP
    (256.0, 65536.0)
    """
    path = _file(source, (MODEL, CHECKPOINT), MODEL)
    weights, metadata = _read(path, ModelMetadata)
    flow = build_flow(metadata)
    _fill(flow, weights, path)
    return flow.eval(), metadata


def load_shape(source: Path | str) -> tuple[VoxelFlow, ShapeMetadata]:
    """Load a trained flow of voxels (averaged weights) and what it says about itself.

    Parameters
    ----------
    source
        A run folder of a configuration with ``model: shape``, a file as in :func:`load_flow`, or
        the name of a shipped model of whole showers (its ``shape.safetensors``).

    Returns
    -------
    flow
        In float64 and evaluation mode; ``.float()`` for the precision of the training.
    metadata
        Architecture, binning, validity, provenance.

    Raises
    ------
    ModelError
        Nothing of that name, a flow of layer energies, or a file that is damaged, foreign or of
        another version.

    Examples
    --------
    >>> flow, metadata = load_shape("photon")  # doctest: +SKIP
    >>> flow.n_voxels  # doctest: +SKIP
    368
    """
    path = _file(source, (SHAPE, MODEL, CHECKPOINT), SHAPE)
    weights, metadata = _read(path, ShapeMetadata)
    flow = build_flow(metadata)
    _fill(flow, weights, path)
    return flow.eval(), metadata


def _fill(flow: EnergyModel | VoxelFlow, weights: dict[str, Tensor], path: Path) -> None:
    """Give a flow its weights, all of which must fit."""
    state = flow.state_dict()
    expected = weights_of(state)
    if weights.keys() != expected.keys() or any(
        weights[name].shape != tensor.shape for name, tensor in expected.items()
    ):
        wrong = sorted(weights.keys() ^ expected.keys()) or sorted(
            name for name, tensor in expected.items() if weights[name].shape != tensor.shape
        )
        raise ModelError(
            f"{path}: the weights do not fit the architecture in its header (first: {wrong[0]}); "
            "the file is of another version of fastcaloq-infer, train it again"
        )
    flow.load_state_dict({**state, **weights}, strict=True)


def _file(source: Path | str, names: tuple[str, ...], shipped: str) -> Path:
    """Find the file of a run folder (the first of ``names``), a file, or a shipped model's."""
    path = Path(source)
    if path.is_dir():
        for name in names:
            if (path / name).is_file():
                return path / name
        # A folder without a run that bears the name of a shipped model, such as its report.
        if path.name == str(source) and shipped_files(f"{path.name}/{shipped}"):
            return find_shipped(path.name, shipped)
        raise ModelError(
            f"the folder {path} has neither {MODEL} nor {CHECKPOINT}; give the folder of a run of "
            "'fastcaloq train'"
        )
    if path.is_file():
        if path.suffix not in (".safetensors", ".pt"):
            raise ModelError(
                f"{path} is not a checkpoint; give a run folder, a {MODEL} or a {CHECKPOINT}"
            )
        return path
    return find_shipped(str(source), shipped)


def _read(path: Path, kind: type[Metadata]) -> tuple[dict[str, Tensor], Metadata]:
    if path.suffix != ".pt":
        return read_weights(path, kind)
    state = read_state(path)
    metadata = kind.from_json(state.metadata, str(path))
    trainer = state.trainer
    try:
        weights = weights_of(trainer["best"] or trainer["ema"])
    except (KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{path} is damaged: it has no weights; train again") from error
    return weights, metadata
