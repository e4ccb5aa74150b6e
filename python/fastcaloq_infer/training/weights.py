"""``model.safetensors``: trained weights with everything needed to rebuild the flow around them."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from fastcaloq_infer.errors import ModelError
from fastcaloq_infer.files import atomic_path
from fastcaloq_infer.training.metadata import FlowMetadata

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch import Tensor

__all__ = ["read_weights", "weights_of", "write_weights"]

Metadata = TypeVar("Metadata", bound=FlowMetadata)

# One key for everything: the format keeps its metadata in a hash map, and two keys would come out
# in a different order, so a different file, from run to run.
_KEY = "fastcaloq"
_CONSTANTS = "preprocessing."


def weights_of(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the trained part of a flow's state dict, in float32.

    The preprocessing's constants are left out: the metadata hold them in float64.
    """
    return {
        name: tensor.detach().to("cpu", torch.float32 if tensor.is_floating_point() else None)
        for name, tensor in state.items()
        if not name.startswith(_CONSTANTS)
    }


def write_weights(path: Path, weights: Mapping[str, Tensor], metadata: FlowMetadata) -> None:
    """Write weights and metadata; equal content gives equal bytes.

    Raises
    ------
    OutputError
        The file cannot be written; the one before stays.
    """
    tensors = {name: tensor.contiguous() for name, tensor in sorted(weights.items())}
    text = metadata.to_json()
    header = json.dumps({"metadata": text, "sha256": _digest(tensors, text)})
    content = save(tensors, metadata={_KEY: header})
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def read_weights(path: Path, kind: type[Metadata]) -> tuple[dict[str, Tensor], Metadata]:
    """Read weights and metadata, and check them against the digest written with them.

    Raises
    ------
    ModelError
        The file is missing, damaged, not one of ours, or of another kind of flow.
    """
    try:
        with path.open("rb"):  # safetensors' own errors do not name the reason
            pass
        with safe_open(path, framework="pt") as file:
            found = (file.metadata() or {}).get(_KEY)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except OSError as error:
        raise ModelError(
            f"cannot read the model {path}: {error.strerror or error}; check the path"
        ) from error
    except (SafetensorError, ValueError, RuntimeError) as error:
        raise ModelError(
            f"{path} is damaged or no safetensors file ({str(error).splitlines()[0]}), so its "
            "weights cannot be trusted; take another copy or train again"
        ) from error
    if found is None:
        raise ModelError(
            f"{path} is a safetensors file but not one of fastcaloq-infer; give the "
            "model.safetensors of a run folder"
        )
    text = _checked(found, tensors, path)
    return tensors, kind.from_json(text, str(path))


def _checked(header: str, tensors: Mapping[str, Tensor], path: Path) -> str:
    try:
        content = json.loads(header)
        text, digest = str(content["metadata"]), content["sha256"]
    except (ValueError, KeyError, TypeError):
        text, digest = "", None
    if digest != _digest(tensors, text):
        raise ModelError(
            f"{path} is damaged: its content does not match the digest written with it; take "
            "another copy or train again"
        )
    return text


def _digest(tensors: Mapping[str, Tensor], text: str) -> str:
    """Return the SHA-256 over names, types, shapes and bytes of the tensors and the metadata."""
    digest = hashlib.sha256(text.encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"\n{name} {tensor.dtype} {list(tensor.shape)}\n".encode())
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()
