"""Just enough of the protobuf wire format to find the metadata of an ONNX file without onnx."""

from __future__ import annotations

from typing import NamedTuple

_METADATA_PROPS = 14  # field numbers of onnx.proto, ModelProto and StringStringEntryProto
_KEY, _VALUE = 1, 2
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


class Field(NamedTuple):
    """One field of a message: its number, and where it and its payload lie in the buffer."""

    number: int
    begin: int
    start: int
    stop: int


def _varint(data: bytes, position: int, stop: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if position >= stop:
            break
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise ValueError(f"broken number at byte {position}")


def fields(data: bytes, start: int, stop: int) -> list[Field]:
    """Return the fields of the message in ``data[start:stop]``; ``ValueError`` if it is none."""
    found = []
    position = start
    while position < stop:
        first = position
        tag, position = _varint(data, position, stop)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            begin = position
            _, position = _varint(data, position, stop)
        elif kind in (_FIXED64, _FIXED32):
            begin, position = position, position + (8 if kind == _FIXED64 else 4)
        elif kind == _BYTES:
            size, begin = _varint(data, position, stop)
            position = begin + size
        else:
            raise ValueError(f"unknown wire type {kind} at byte {position}")
        if number == 0 or position > stop:
            raise ValueError(f"field {number} runs past the end at byte {begin}")
        found.append(Field(number, first, begin, position))
    return found


def metadata(data: bytes) -> dict[str, tuple[int, int]]:
    """Map the keys of an ONNX model's ``metadata_props`` to where their values lie in ``data``.

    Raises
    ------
    ValueError
        If ``data`` is no protobuf message, or a key occurs twice.
    """
    places: dict[str, tuple[int, int]] = {}
    for entry in fields(data, 0, len(data)):
        if entry.number != _METADATA_PROPS:
            continue
        parts = {part.number: part for part in fields(data, entry.start, entry.stop)}
        if _KEY not in parts or _VALUE not in parts:
            raise ValueError("a metadata entry lacks its key or value")
        key = data[parts[_KEY].start : parts[_KEY].stop].decode("utf-8")
        if key in places:
            raise ValueError(f"metadata key {key!r} occurs twice")
        places[key] = (parts[_VALUE].start, parts[_VALUE].stop)
    return places
