"""A small typed builder of ONNX graphs: one line per node, the same bytes for the same model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper

from fastcaloq_infer import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike
    from onnx import ModelProto, NodeProto
    from onnx import TensorProto as Tensor

OPSET = 18  # ATLAS software carries ONNX Runtime 1.15, which ends here
IR_VERSION = 9

_TYPES = {"float32": np.float32, "int64": np.int64}


class Graph:
    """An ONNX graph under construction; every value is known by its name (a ``str``).

    Initialisers are the model's weights under their stable names, which other programs read.
    Everything else that is constant is a ``Constant`` node: runtimes fold both alike.

    Parameters
    ----------
    name : str
        Name of the graph.
    initialisers : mapping of str to float32 or int64 arrays
        The weights; `parameter` hands them out.
    batch : str or int
        First dimension of inputs and outputs: the name of a dynamic one, or a fixed one.
    """

    def __init__(
        self, name: str, initialisers: Mapping[str, np.ndarray], batch: str | int = "N"
    ) -> None:
        self.name = name
        self._batch = batch
        self._initialisers = dict(initialisers)
        self._used: dict[str, None] = {}
        self._nodes: list[NodeProto] = []
        self._inputs: list[Any] = []
        self._outputs: list[Any] = []
        self._constants: dict[tuple[str, tuple[int, ...], bytes], str] = {}
        self._scope = "graph"

    def scope(self, name: str) -> None:
        """Name the part of the model the following nodes belong to; readers of the graph see it."""
        self._scope = name

    def input(self, name: str, width: int) -> str:
        """Declare a float32 input [N, width]."""
        self._inputs.append(_value(name, self._batch, width))
        return name

    def output(self, value: str, name: str, width: int) -> None:
        """Declare ``value`` as the float32 output ``name`` [N, width]."""
        self._nodes.append(helper.make_node("Identity", [value], [name], name=name))
        self._outputs.append(_value(name, self._batch, width))

    def parameter(self, name: str) -> str:
        """Use the initialiser ``name``."""
        self._used[name] = None
        if name not in self._initialisers:
            raise KeyError(name)
        return name

    def has(self, name: str) -> bool:
        """Whether there is an initialiser ``name``."""
        return name in self._initialisers

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of the initialiser ``name``."""
        return tuple(self._initialisers[name].shape)

    def constant(self, value: ArrayLike, dtype: str = "float32") -> str:
        """Return a constant; equal ones are stored once."""
        array = np.asarray(value, dtype=_TYPES[dtype])
        key = (dtype, array.shape, array.tobytes())
        if key not in self._constants:
            name = f"constant.{len(self._constants)}"
            self._constants[key] = name
            tensor = numpy_helper.from_array(array, name)
            self._nodes.append(helper.make_node("Constant", [], [name], name=name, value=tensor))
        return self._constants[key]

    def integers(self, value: ArrayLike) -> str:
        """Return an int64 constant: shapes, axes, split sizes."""
        return self.constant(value, "int64")

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Append a node with one output and return that output."""
        return self.ops(kind, *inputs, outputs=1, **attributes)[0]

    def ops(self, kind: str, *inputs: str, outputs: int, **attributes: Any) -> list[str]:
        """Append a node with several outputs."""
        name = f"{self._scope}/{len(self._nodes)}.{kind}"
        names = [name] if outputs == 1 else [f"{name}.{i}" for i in range(outputs)]
        self._nodes.append(helper.make_node(kind, list(inputs), names, name=name, **attributes))
        return names

    def split(self, value: str, sizes: Sequence[int], axis: int = 1) -> list[str]:
        """Cut a value along an axis."""
        return self.ops("Split", value, self.integers(sizes), outputs=len(sizes), axis=axis)

    def reshape(self, value: str, *shape: int) -> str:
        """View a value in another shape; 0 keeps a dimension, -1 is inferred."""
        return self.op("Reshape", value, self.integers(shape))

    def concat(self, *values: str, axis: int = 1) -> str:
        """Join values along an axis; one value stays as it is."""
        return values[0] if len(values) == 1 else self.op("Concat", *values, axis=axis)

    def cast(self, value: str, dtype: str) -> str:
        """Convert to float32 or int64 (towards zero)."""
        to = TensorProto.FLOAT if dtype == "float32" else TensorProto.INT64
        return self.op("Cast", value, to=to)

    def silu(self, value: str) -> str:
        """Return ``value * sigmoid(value)``."""
        return self.op("Mul", value, self.op("Sigmoid", value))

    def dense(self, value: str, weight: ArrayLike, bias: ArrayLike | None = None) -> str:
        """Return ``value @ weight + bias`` with constants.

        Also the way to broadcast, to select and to sum over a few columns: ONNX Runtime does such
        elementwise work with small inner dimensions 10 to 20 times slower than as a product.
        """
        inputs = [value, self.constant(weight)]
        if bias is None:
            return self.op("MatMul", *inputs)
        return self.op("Gemm", *inputs, self.constant(bias))

    def model(self) -> ModelProto:
        """Return the checked model: opset 18, IR version 9.

        Raises
        ------
        KeyError
            If an initialiser was given and never used: the file would carry dead weight.
        """
        unused = set(self._initialisers) - set(self._used)
        if unused:
            raise KeyError(f"initialisers not used by the graph: {sorted(unused)}")
        tensors: list[Tensor] = [
            numpy_helper.from_array(self._initialisers[name], name)
            for name in sorted(self._initialisers)
        ]
        graph = helper.make_graph(self._nodes, self.name, self._inputs, self._outputs, tensors)
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="fastcaloq-infer",
            producer_version=__version__,
        )
        checker.check_model(model, full_check=True)
        return model


def _value(name: str, *shape: str | int) -> Any:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
