"""From a checkpoint to one self-describing ONNX file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from fastcaloq_infer.artefact.card import NAME_PATTERN
from fastcaloq_infer.artefact.file import serialise
from fastcaloq_infer.errors import InputError, OutputError
from fastcaloq_infer.export.describe import ConditioningMode  # noqa: TC001  part of the signature
from fastcaloq_infer.export.model import Model, describe_model
from fastcaloq_infer.export.stored import check_mode
from fastcaloq_infer.export.trained import Contents, load, together
from fastcaloq_infer.export.verify import check, n_checked
from fastcaloq_infer.export.whole import model_graph
from fastcaloq_infer.files import atomic_path

if TYPE_CHECKING:
    from os import PathLike

    from fastcaloq_infer.artefact import Card
    from fastcaloq_infer.export.table import FeatureTable
    from fastcaloq_infer.export.trained import Trained
    from fastcaloq_infer.flow import EnergyModel
    from fastcaloq_infer.flow.shape.voxel_flow import VoxelFlow
    from fastcaloq_infer.training.metadata import ModelMetadata, ShapeMetadata

Contract = Literal["fastcaloq", "fastcalosim"]


@dataclass(frozen=True)
class ExportResult:
    """A model file that was written, and how well it keeps what it was made from.

    ``parity_error`` and ``check_error`` are the largest deviations of ONNX Runtime from float64,
    over the tolerance: of the parity vectors in the file, and of further random showers over the
    bound of float32. ``table`` and ``shape_table`` are None where nothing was tabulated.
    ``companion`` is the bins file beside a file for FastCaloSim.
    """

    path: Path
    digest: str
    size: int
    card: Card
    parity_error: float
    check_error: float
    check_showers: int
    table: FeatureTable | None
    shape_table: FeatureTable | None = None
    companion: Path | None = None


def export_flow(
    flow: EnergyModel,
    metadata: ModelMetadata,
    output: str | PathLike[str] | None = None,
    *,
    shape: tuple[VoxelFlow, ShapeMetadata] | None = None,
    contract: Contract = "fastcaloq",
    conditioning: ConditioningMode = "precomputed",
    fallback: bool = True,
    name: str | None = None,
    overwrite: bool = False,
) -> ExportResult:
    """Write flows in memory as a model file (see `export_onnx`)."""
    trained = together(flow, metadata, shape)
    return _export(trained, output, contract, conditioning, fallback, name, overwrite)


def export_onnx(
    source: str | PathLike[str],
    output: str | PathLike[str] | None = None,
    *,
    shape: str | PathLike[str] | None = None,
    contents: Contents = "all",
    contract: Contract = "fastcaloq",
    conditioning: ConditioningMode = "precomputed",
    fallback: bool = True,
    name: str | None = None,
    overwrite: bool = False,
) -> ExportResult:
    """Export a trained model to one ONNX file with card, digest and parity vectors inside.

    The same checkpoint gives the same bytes. Before the file gets its name ONNX Runtime has
    reproduced the flow's float64 showers from it.

    Parameters
    ----------
    source : path or str
        A run folder, a checkpoint (``model.safetensors`` or ``checkpoint.pt``), or the name of a
        shipped model.
    output : path, optional
        The file to write; by default the model's name with ``.onnx``, in the current folder.
    shape : path or str, optional
        The same for the shapes, which makes a model of whole showers. A shipped model that has
        shapes needs none.
    contents : {"all", "energy"}
        "energy" leaves out the shapes of a shipped model.
    contract : {"fastcaloq", "fastcalosim"}
        The file of this package, or the graph that ATLAS FastCaloSim loads, with a bins file
        beside it (see `fastcaloq_infer.export.fastcalosim`).
    conditioning : {"precomputed", "embedded", "served"}
        The conditioner as a table over (log energy, abs(eta)), as itself in the graph, or left to
        a service: its features are then the input ``quantum`` [N, Q].
    fallback : bool
        Whether a served model carries the table as well, for when the service is away.
    name : str, optional
        Name of the model in its card; the checkpoint's by default.
    overwrite : bool
        Whether an existing file may be replaced.

    Raises
    ------
    InputError
        If energies and shapes do not belong together, or the contract asks for what they lack.
    ModelError
        If the source is no usable checkpoint, or ONNX Runtime disagrees with the flow.
    OutputError
        If the file exists or cannot be written.
    """
    trained = load(source, shape, contents)
    return _export(trained, output, contract, conditioning, fallback, name, overwrite)


def _export(
    trained: Trained,
    output: str | PathLike[str] | None,
    contract: Contract,
    conditioning: ConditioningMode,
    fallback: bool,
    name: str | None,
    overwrite: bool,
) -> ExportResult:
    if contract not in get_args(Contract):
        raise InputError(
            f"contract {contract!r} is unknown: nobody could read the file; choose "
            f"{' or '.join(get_args(Contract))}"
        )
    name = name or trained.name
    if re.match(NAME_PATTERN, name) is None:
        raise InputError(
            f"{name!r} cannot name a model, as names become file names; use letters, digits, "
            "dots, dashes and underscores (--name)"
        )
    check_mode(trained, conditioning)
    path = Path(output) if output is not None else Path(f"{name}.onnx")
    if contract == "fastcalosim":
        from fastcaloq_infer.export.fastcalosim import bins_path, check_contract, write_fastcalosim

        check_contract(trained, conditioning)
        _check_free(bins_path(path), overwrite)
    _check_free(path, overwrite)
    model = describe_model(trained, name, conditioning, fallback=fallback)
    if contract == "fastcalosim":
        content, digest, errors = write_fastcalosim(trained, model, path)
        return _result(path, model, content, digest, errors, bins_path(path))
    content, digest = serialise(model_graph(model.card, model.initialisers), model.card)
    errors = check(content, trained, model)
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)
    return _result(path, model, content, digest, errors, None)


def _result(
    path: Path,
    model: Model,
    content: bytes,
    digest: str,
    errors: tuple[float, float],
    companion: Path | None,
) -> ExportResult:
    return ExportResult(
        path,
        digest,
        len(content),
        model.card,
        *errors,
        n_checked(model.card),
        model.tables[0],
        model.tables[-1] if len(model.tables) > 1 else None,
        companion,
    )


def _check_free(output: Path, overwrite: bool) -> None:
    if output.is_dir():
        raise OutputError(f"cannot write {output}: it is a folder; give the name of a file")
    if output.exists() and not overwrite:
        raise OutputError(
            f"{output} exists and would be lost: choose another name, or overwrite it (--force)"
        )
