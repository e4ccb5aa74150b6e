"""From a checkpoint to one self-describing ONNX file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import numpy as np

from fastcaloq_infer.artefact.architecture import EMBEDDABLE
from fastcaloq_infer.artefact.card import NAME_PATTERN, Card
from fastcaloq_infer.artefact.file import serialise
from fastcaloq_infer.errors import InputError, ModelError, OutputError
from fastcaloq_infer.export.describe import (
    ConditioningMode,
    condition_section,
    conditioning_section,
    extrapolation,
    flow_section,
)
from fastcaloq_infer.export.energy import energy_graph
from fastcaloq_infer.export.features import TABLE
from fastcaloq_infer.export.parity import draw, parity_vectors
from fastcaloq_infer.export.table import FeatureTable, build_table
from fastcaloq_infer.export.verify import Runner, parity_error, require_agreement, worst_excess
from fastcaloq_infer.export.weights import embedded_initialisers, flow_initialisers
from fastcaloq_infer.files import atomic_path

if TYPE_CHECKING:
    from os import PathLike

    from fastcaloq_infer.flow import EnergyFlow
    from fastcaloq_infer.training.metadata import ModelMetadata

_CHECKED_SHOWERS = 512
_CHECK_SEED = 1_000_003


@dataclass(frozen=True)
class ExportResult:
    """A model file that was written, and how well it keeps what it was made from.

    ``parity_error`` and ``check_error`` are the largest deviations of ONNX Runtime from float64,
    over the tolerance: of the parity vectors in the file, and of further random showers over the
    bound of float32. ``table`` is None where nothing was tabulated.
    """

    path: Path
    digest: str
    size: int
    card: Card
    parity_error: float
    check_error: float
    check_showers: int
    table: FeatureTable | None


def _check_mode(conditioning: str, flow: EnergyFlow) -> None:
    """Raise ``InputError`` where the flow's conditioner cannot be stored in that way."""
    modes = get_args(ConditioningMode)
    if conditioning not in modes:
        raise InputError(
            f"conditioning {conditioning!r} is unknown: the file could not be written; choose "
            f"{', '.join(modes[:-1])} or {modes[-1]}"
        )
    kind = flow.conditioner.kind
    if conditioning == "embedded" and kind not in (*EMBEDDABLE, "none"):
        raise InputError(
            f"a conditioner of kind {kind!r} has no form that goes into a graph, so it cannot be "
            "embedded: choose precomputed or served"
        )
    if conditioning == "served" and kind == "none":
        raise InputError(
            "this model has no conditioner, so there is nothing a service could be asked for: "
            "leave out --conditioning served"
        )


def export_flow(
    flow: EnergyFlow,
    metadata: ModelMetadata,
    output: str | PathLike[str] | None = None,
    *,
    conditioning: ConditioningMode = "precomputed",
    fallback: bool = True,
    name: str | None = None,
    overwrite: bool = False,
) -> ExportResult:
    """Write a flow in memory as a model file (see `export_onnx`)."""
    model_name = name or metadata.name
    if re.match(NAME_PATTERN, model_name) is None:
        raise InputError(
            f"{model_name!r} cannot name a model, as names become file names; use letters, digits, "
            "dots, dashes and underscores (--name)"
        )
    output = Path(output) if output is not None else Path(f"{model_name}.onnx")
    _check_mode(conditioning, flow)
    if output.is_dir():
        raise OutputError(f"cannot write {output}: it is a folder; give the name of a file")
    if output.exists() and not overwrite:
        raise OutputError(
            f"{output} exists and would be lost: choose another name, or overwrite it (--force)"
        )
    if metadata.training is None:
        raise ModelError(
            "the training behind this checkpoint has not finished, so nothing is known about the "
            "model's quality; finish it (fastcaloq train --resume) or give a model.safetensors"
        )
    flow = flow.double().eval()
    reach = extrapolation(metadata.validity)
    initialisers = flow_initialisers(flow)
    served = conditioning == "served"
    table = None
    if flow.conditioner.n_features == 0:
        pass
    elif conditioning == "precomputed" or (served and fallback):
        table = build_table(flow, reach)
        initialisers[TABLE] = table.values
    elif conditioning == "embedded":
        initialisers |= embedded_initialisers(flow.conditioner)
    section = conditioning_section(flow, metadata, conditioning, table.card if table else None)
    feature_error = table.card.max_error if table and not served else 0.0
    parity = parity_vectors(flow, metadata.validity, feature_error, served=served)
    card = Card(
        name=model_name,
        particle=metadata.particle,
        pdg_id=metadata.pdg_id,
        binning=metadata.binning,
        validity=metadata.validity,
        extrapolation=reach,
        condition=condition_section(flow),
        preprocessing=metadata.preprocessing,
        flow=flow_section(flow),
        conditioning=section,
        training=metadata.training,
        parity=parity,
    )
    model = energy_graph(
        card.condition, card.preprocessing, card.flow, card.conditioning, initialisers
    )
    content, digest = serialise(model, card)
    runner = Runner(content)
    on_parity = parity_error(runner, card)
    require_agreement(on_parity, "the parity vectors")
    check = draw(
        flow,
        metadata.validity,
        np.linspace(0.0, 1.0, _CHECKED_SHOWERS),
        _CHECK_SEED,
        feature_error,
    )
    on_check = worst_excess(runner, check, parity.absolute_tolerance, served=served)
    require_agreement(on_check, "random showers")
    with atomic_path(output) as temporary:
        temporary.write_bytes(content)
    return ExportResult(
        output, digest, len(content), card, on_parity, on_check, _CHECKED_SHOWERS, table
    )


def export_onnx(
    source: str | PathLike[str],
    output: str | PathLike[str] | None = None,
    *,
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
    ModelError
        If the source is no usable checkpoint, or ONNX Runtime disagrees with the flow.
    OutputError
        If the file exists or cannot be written.
    """
    from fastcaloq_infer.training.checkpoint import load_flow

    flow, metadata = load_flow(Path(source) if Path(source).exists() else str(source))
    return export_flow(
        flow,
        metadata,
        output,
        conditioning=conditioning,
        fallback=fallback,
        name=name,
        overwrite=overwrite,
    )
