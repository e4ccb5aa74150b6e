"""Reading and writing the model file: an ONNX graph with its card and its own digest inside."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastcaloq_infer.artefact.card import Card
from fastcaloq_infer.artefact.wire import metadata
from fastcaloq_infer.errors import ModelError
from fastcaloq_infer.files import atomic_path

if TYPE_CHECKING:
    from os import PathLike

CARD_KEY = "fastcaloq.card"
DIGEST_KEY = "fastcaloq.sha256"
_DIGEST_LENGTH = 64


@dataclass(frozen=True)
class ModelFile:
    """A model file that was read whole and whose digest was verified."""

    path: Path
    card: Card
    digest: str
    content: bytes


def seal(content: bytes) -> tuple[bytes, str]:
    """Return the file's bytes with its digest filled in, and the digest.

    The digest is the SHA-256 of the whole file with the 64 digits of the digest itself set to
    zero, so a flipped bit anywhere is found and the file needs no companion.

    Raises
    ------
    ModelError
        If ``content`` is no ONNX file with a place for the digest.
    """
    start, stop = _digest_place(content, "the model to be sealed")
    blank = content[:start] + b"0" * _DIGEST_LENGTH + content[stop:]
    digest = hashlib.sha256(blank).hexdigest()
    return blank[:start] + digest.encode("ascii") + blank[stop:], digest


def serialise(model: Any, card: Card, key: str = CARD_KEY) -> tuple[bytes, str]:
    """Return the bytes and the digest of a model file.

    Parameters
    ----------
    model : onnx.ModelProto
        The graph; its metadata are replaced.
    card : Card
        The card to go into it.
    key : str
        Its place among the metadata; another than the default marks a file that is not for us.
    """
    del model.metadata_props[:]
    for name, value in ((key, card.to_json()), (DIGEST_KEY, "0" * _DIGEST_LENGTH)):
        model.metadata_props.add(key=name, value=value)
    return seal(model.SerializeToString(deterministic=True))


def write_model(model: Any, card: Card, path: str | PathLike[str]) -> str:
    """Write an ONNX graph (``onnx.ModelProto``) and its card to ``path``, atomically.

    Returns
    -------
    str
        The digest of the file.

    Raises
    ------
    OutputError
        If the file cannot be written; nothing is left under the final name.
    """
    content, digest = serialise(model, card)
    with atomic_path(Path(path)) as temporary:
        temporary.write_bytes(content)
    return digest


def read_model(path: str | PathLike[str], key: str = CARD_KEY) -> ModelFile:
    """Read a model file and check its digest and its card, which stands under ``key``.

    Raises
    ------
    ModelError
        If the file cannot be read, is damaged, is no FastCaloQ model, or its card is refused.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"cannot read the model {path} ({error.strerror}): check the path and its permissions"
        ) from None
    start, stop = _digest_place(content, str(path))
    written = content[start:stop]
    _, computed = seal(content)
    if written != computed.encode("ascii"):
        raise ModelError(
            f"{path} is damaged: its SHA-256 does not match the one written inside, so its "
            "showers cannot be trusted; copy or export it again"
        )
    place = metadata(content).get(key)
    if place is None:
        raise _foreign(str(path), f"it has no {key!r} entry")
    return ModelFile(path, Card.from_json(content[slice(*place)]), computed, content)


def read_card(path: str | PathLike[str]) -> Card:
    """Return the card of a model file after checking the file's digest (see `read_model`)."""
    return read_model(path).card


def digest(path: str | PathLike[str]) -> str:
    """Return the digest of a model file after verifying it (see `read_model`)."""
    return read_model(path).digest


def _digest_place(content: bytes, name: str) -> tuple[int, int]:
    try:
        places = metadata(content)
    except ValueError as error:  # UnicodeDecodeError is one too
        raise ModelError(
            f"{name} is no ONNX file, or a damaged one ({error}); copy or export it again"
        ) from None
    if DIGEST_KEY not in places:
        raise _foreign(name, f"it has no {DIGEST_KEY!r} entry")
    start, stop = places[DIGEST_KEY]
    if stop - start != _DIGEST_LENGTH:
        raise _foreign(name, f"its {DIGEST_KEY!r} has {stop - start} characters, not 64")
    return start, stop


def _foreign(name: str, why: str) -> ModelError:
    return ModelError(
        f"{name} is no FastCaloQ model ({why}), so its inputs and units are unknown; "
        "export one with `fastcaloq export-onnx`"
    )
