"""Loading a trained flow from whatever the user names: a run, a file, a shipped model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fastcaloq_infer.errors import ModelError
from fastcaloq_infer.shipped import shipped_files
from fastcaloq_infer.training.build import build_flow
from fastcaloq_infer.training.metadata import ModelMetadata, preprocessing_section
from fastcaloq_infer.training.shipped import find_shipped
from fastcaloq_infer.training.state import read_state
from fastcaloq_infer.training.weights import read_weights, weights_of, write_weights

if TYPE_CHECKING:
    from torch import Tensor

    from fastcaloq_infer.flow.energy_flow import EnergyFlow

__all__ = ["CHECKPOINT", "MODEL", "load_flow", "save_model"]

CHECKPOINT = "checkpoint.pt"
MODEL = "model.safetensors"


def save_model(path: Path | str, flow: EnergyFlow, metadata: ModelMetadata) -> None:
    """Write ``model.safetensors``: the flow's weights in float32, all else in the header.

    Parameters
    ----------
    path
        File to write.
    flow
        Trained flow; its preprocessing must be the one the metadata hold.
    metadata
        As made by the training.

    Raises
    ------
    ModelError
        Flow and metadata do not belong together.
    OutputError
        The file cannot be written; the one before stays.
    """
    if preprocessing_section(flow.preprocessing.double()) != metadata.preprocessing:
        raise ModelError("the flow's preprocessing is not the one of the metadata; give its own")
    write_weights(Path(path), weights_of(flow.state_dict()), metadata)


def load_flow(source: Path | str) -> tuple[EnergyFlow, ModelMetadata]:
    """Load a trained flow (averaged weights) and what it says about itself.

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
        Nothing of that name, or a file that is damaged, foreign or of another version.

    Examples
    --------
    >>> flow, metadata = load_flow("photon_energy")  # doctest: +SKIP
    >>> metadata.validity.incident_energy  # doctest: +SKIP
    (256.0, 65536.0)
    """
    path = _file(source)
    weights, metadata = _read_state(path) if path.suffix == ".pt" else read_weights(path)
    flow = build_flow(metadata)
    state = {**flow.state_dict(), **weights}
    expected = weights_of(flow.state_dict())
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
    flow.load_state_dict(state, strict=True)
    return flow.eval(), metadata


def _file(source: Path | str) -> Path:
    path = Path(source)
    if path.is_dir():
        for name in (MODEL, CHECKPOINT):
            if (path / name).is_file():
                return path / name
        # A folder without a run that bears the name of a shipped model, such as its report.
        if path.name == str(source) and shipped_files(f"{path.name}/{MODEL}"):
            return find_shipped(path.name) / MODEL
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
    return find_shipped(str(source)) / MODEL


def _read_state(path: Path) -> tuple[dict[str, Tensor], ModelMetadata]:
    state = read_state(path)
    metadata = ModelMetadata.from_json(state.metadata, str(path))
    trainer = state.trainer
    try:
        weights = weights_of(trainer["best"] or trainer["ema"])
    except (KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{path} is damaged: it has no weights; train again") from error
    return weights, metadata
