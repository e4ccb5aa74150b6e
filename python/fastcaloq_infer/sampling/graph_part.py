"""The part of an ONNX graph that one of its outputs needs, cut out without the package onnx."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastcaloq_infer.artefact.wire import Field, fields

if TYPE_CHECKING:
    from collections.abc import Iterable

# Field numbers of onnx.proto: ModelProto, then GraphProto; NodeProto's inputs and outputs; the
# names of a TensorProto and of a ValueInfoProto.
_GRAPH = 7
_NODE, _INITIALISER, _INPUT, _OUTPUT, _VALUE_INFO = 1, 5, 11, 12, 13
_NODE_INPUT, _NODE_OUTPUT = 1, 2
_NAME = {_INITIALISER: 8, _INPUT: 1, _OUTPUT: 1, _VALUE_INFO: 1}


def graph_part(model: bytes, output: str) -> bytes:
    """Return the model with this output alone, and the nodes, weights and inputs behind it.

    The graph must be a plain list of nodes, in order and without subgraphs, as those of
    ``export-onnx`` are.

    Raises
    ------
    ValueError
        The bytes are no ONNX model.
    """
    top = fields(model, 0, len(model))
    graph = next(field for field in top if field.number == _GRAPH)
    parts = fields(model, graph.start, graph.stop)
    needed = {output.encode()}
    kept_nodes = set()
    for node in reversed([part for part in parts if part.number == _NODE]):
        inner = fields(model, node.start, node.stop)
        if needed.intersection(_texts(model, inner, _NODE_OUTPUT)):
            kept_nodes.add(node)
            needed.update(_texts(model, inner, _NODE_INPUT))

    def wanted(part: Field) -> bool:
        if part.number == _NODE:
            return part in kept_nodes
        if part.number == _OUTPUT:
            return _name(model, part) == output.encode()
        return part.number not in _NAME or _name(model, part) in needed

    content = _message(model, (part for part in parts if wanted(part)))
    others = _message(model, (field for field in top if field.number != _GRAPH))
    return others + _framed(_GRAPH, content)


def _texts(model: bytes, inner: list[Field], number: int) -> list[bytes]:
    return [model[part.start : part.stop] for part in inner if part.number == number]


def _name(model: bytes, part: Field) -> bytes:
    return _texts(model, fields(model, part.start, part.stop), _NAME[part.number])[0]


def _message(model: bytes, parts: Iterable[Field]) -> bytes:
    return b"".join(model[part.begin : part.stop] for part in parts)


def _framed(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    found = bytearray()
    while value >= 0x80:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)
