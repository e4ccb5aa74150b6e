"""Computing what is constant in a graph before it is written, so that runtimes need not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

if TYPE_CHECKING:
    import numpy as np
    from onnx import ModelProto, NodeProto


def fold(model: ModelProto, scope: str) -> None:
    """Replace, in place, nodes of a scope that only see constants by what they compute.

    Runtimes do the same whenever they load, which takes most of the time that loading takes. The
    weights lose their names, so this is not for files that other programs read weights from.

    Parameters
    ----------
    model : onnx.ModelProto
        A checked model.
    scope : str
        What the names of the nodes begin with; those named "constant." are taken as they are.
    """
    graph = model.graph
    known = {tensor.name for tensor in graph.initializer}
    constant: list[NodeProto] = []
    rest: list[NodeProto] = []
    for node in graph.node:
        is_constant = node.op_type == "Constant"
        foldable = node.name.startswith(scope) and all(name in known for name in node.input)
        if is_constant or foldable:
            known.update(node.output)
        (constant if foldable and not is_constant else rest).append(node)
    used = {name for node in rest for name in node.input}
    wanted = [name for node in constant for name in node.output if name in used]
    arrays = _computed(model, constant, rest, wanted)
    tensors = [numpy_helper.from_array(array, name) for name, array in arrays.items()]
    tensors += [tensor for tensor in graph.initializer if tensor.name in used]
    needed = used | {output.name for output in graph.output}
    del graph.node[:], graph.initializer[:]
    graph.node.extend(node for node in rest if needed.intersection(node.output))
    graph.initializer.extend(sorted(tensors, key=lambda tensor: tensor.name))


def _computed(
    model: ModelProto, nodes: list[NodeProto], rest: list[NodeProto], wanted: list[str]
) -> dict[str, np.ndarray]:
    sources = [node for node in rest if node.op_type == "Constant"]
    outputs = [helper.make_empty_tensor_value_info(name) for name in wanted]
    graph = helper.make_graph(
        [*sources, *nodes], "constants", [], outputs, list(model.graph.initializer)
    )
    part = helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)
    return dict(zip(wanted, ReferenceEvaluator(part).run(None, {}), strict=True))
