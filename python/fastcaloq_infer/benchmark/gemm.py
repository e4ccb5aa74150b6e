"""The floor under the flow: its multiply-adds at the best rate any library at hand multiplies.

A flow cannot be evaluated faster than its matrix products. Their number follows from the card;
the rate is the best float32 rate reached in the same run by NumPy's BLAS, torch's BLAS, oneDNN
(inside torch) or ONNX Runtime, over large matrices and the shapes of the flow itself.
"""

from __future__ import annotations

import importlib.util
import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from fastcaloq_infer.artefact import Card

    Task = Callable[[], object]

Shape = tuple[int, int, int]


def layer_shapes(card: Card) -> list[tuple[int, int]]:
    """Return (inputs, outputs) of every linear layer of the flow, block by block."""
    shapes: list[tuple[int, int]] = []
    for block in card.flow.blocks:
        widths = [
            block.passive + 2 + card.conditioning.features,
            *card.flow.hidden,
            block.active * block.n_parameters,
        ]
        shapes += list(itertools.pairwise(widths))
    return shapes


def multiply_adds(card: Card) -> int:
    """Return how many multiply-adds the flow's linear layers need for one shower."""
    return sum(inputs * outputs for inputs, outputs in layer_shapes(card))


def shapes_to_try(card: Card, batch: int) -> list[Shape]:
    """Return (rows, inputs, outputs): two large products and the two largest of the flow."""
    own = sorted(set(layer_shapes(card)), key=lambda shape: shape[0] * shape[1])[-2:]
    return [(256, 256, 256), (1024, 1024, 1024), *((batch, *shape) for shape in own)]


def tasks(shapes: list[Shape], threads: int) -> dict[str, Task]:
    """Return one product per library and shape, named ``library rows x inputs x outputs``."""
    found: dict[str, Task] = {}
    generator = np.random.default_rng(0)
    for shape in shapes:
        rows, inputs, outputs = shape
        a = generator.standard_normal((rows, inputs), np.float32)
        b = generator.standard_normal((inputs, outputs), np.float32)
        name = f"{rows}x{inputs}x{outputs}"
        found[f"numpy {name}"] = _numpy(a, b)
        if importlib.util.find_spec("torch"):
            found |= {f"{key} {name}": task for key, task in _torch(a, b).items()}
        if importlib.util.find_spec("onnxruntime") and importlib.util.find_spec("onnx"):
            found[f"onnxruntime {name}"] = _onnxruntime(a, b, threads)
    return found


def operations(name: str) -> int:
    """Return the floating-point operations of a task, two per multiply-add."""
    rows, inputs, outputs = map(int, name.split()[1].split("x"))
    return 2 * rows * inputs * outputs


def _numpy(a: NDArray[np.float32], b: NDArray[np.float32]) -> Task:
    out = np.empty((len(a), b.shape[1]), np.float32)
    return lambda: np.matmul(a, b, out=out)


def _torch(a: NDArray[np.float32], b: NDArray[np.float32]) -> dict[str, Task]:
    import torch

    left, right = torch.from_numpy(a), torch.from_numpy(b)
    out = torch.empty(len(a), b.shape[1])
    found: dict[str, Task] = {"torch": lambda: torch.mm(left, right, out=out)}
    if torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        x, weight = left.to_mkldnn(), right.T.contiguous().to_mkldnn()
        found["onednn"] = lambda: torch.nn.functional.linear(x, weight)
    return found


def _onnxruntime(a: NDArray[np.float32], b: NDArray[np.float32], threads: int) -> Task:
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    graph = helper.make_graph(
        [helper.make_node("MatMul", ["a", "b"], ["c"])],
        "product",
        [helper.make_tensor_value_info("a", TensorProto.FLOAT, a.shape)],
        [helper.make_tensor_value_info("c", TensorProto.FLOAT, (len(a), b.shape[1]))],
        [numpy_helper.from_array(b, "b")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    session = onnxruntime.InferenceSession(model.SerializeToString(), session_options(threads))
    binding = session.io_binding()
    binding.bind_cpu_input("a", a)
    binding.bind_output("c")
    return lambda: session.run_with_iobinding(binding)


def session_options(threads: int) -> Any:
    """Return options that give an ONNX Runtime session this many threads."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return options
