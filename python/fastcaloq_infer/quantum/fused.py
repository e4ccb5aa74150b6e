"""The compiled program on state vectors in torch: few matrix products instead of many gates.

Axes in front of the weights' own two hold circuits of one description with weights of their own,
which go through every step together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from fastcaloq_infer.errors import ConfigError
from fastcaloq_infer.quantum.fusion import (
    Phases,
    Rotations,
    Shuffle,
    compile_circuit,
    prefix_matrix,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from fastcaloq_infer.quantum.circuit import Circuit


class _Permute(torch.autograd.Function):
    """Rows (..., D, columns) in another order; the gradient is a gather, not a scatter."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, source: Tensor, inverse: Tensor) -> Tensor:
        ctx.save_for_backward(source, inverse)
        return x.index_select(-2, source)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        source, inverse = ctx.saved_tensors
        return _permute(grads[0], inverse, source), None, None


def _permute(x: Tensor, source: Tensor, inverse: Tensor) -> Tensor:
    permuted: Tensor = _Permute.apply(x, source, inverse)  # type: ignore[no-untyped-call]
    return permuted


def _kron(a: Tensor, b: Tensor) -> Tensor:
    """Kronecker product of the last two axes, batched over the others."""
    product = a[..., :, None, :, None] * b[..., None, :, None, :]
    return product.reshape(*a.shape[:-2], a.shape[-2] * b.shape[-2], -1)


def _power(matrix: NDArray[np.complex128], exponent: int) -> NDArray[np.complex128]:
    """Kronecker power."""
    result = matrix
    for _ in range(1, exponent):
        result = np.kron(result, matrix).astype(np.complex128)
    return result


def _group_sizes(n_qubits: int) -> list[int]:
    """Split the qubits into runs whose fused matrices are few and small, at most 32 x 32."""
    count = 1 if n_qubits <= 3 else max(2, -(-n_qubits // 5))
    return [len(part) for part in np.array_split(np.arange(n_qubits), count)]


class FusedProgram:
    """A compiled circuit and its constants on every device they were asked for.

    Not a module: ``module.float()`` must not round the constants of a float64 contraction.
    """

    def __init__(self, circuit: Circuit) -> None:
        self.program = compile_circuit(circuit)
        self._entrance = prefix_matrix(circuit)
        self.circuit = circuit
        self.n_qubits = circuit.n_qubits
        self.dimension = circuit.dimension
        self._cache: dict[tuple[Any, ...], Tensor] = {}

    def constant(
        self, name: str, make: Callable[[], Any], dtype: torch.dtype, device: torch.device
    ) -> Tensor:
        """Tensor of the array that ``make`` returns, made once per dtype and device."""
        key = (name, dtype, device)
        if key not in self._cache:
            array = torch.from_numpy(np.ascontiguousarray(make()))
            self._cache[key] = array.to(device=device, dtype=dtype)
        return self._cache[key]

    def groups(self, weights: Tensor) -> list[Tensor]:
        """Fused matrices of every run of qubits, each (..., slots, 2**size, 2**size) complex128.

        Weights (..., layers, angles).

        Raises
        ------
        ConfigError
            The weights have not the shape that the ansatz asks for.
        """
        wanted = self.circuit.weight_shape
        if weights.shape[-2:] != wanted:
            raise ConfigError(
                f"quantum: weights of shape {tuple(weights.shape)} do not fit ansatz "
                f"{self.circuit.ansatz!r}, whose (layers, angles) are {wanted}: give it weights of "
                "its own"
            )
        program, device = self.program, weights.device
        shape = (*weights.shape[:-2], *program.parameter.shape)
        index = self.constant("parameter", program.parameter.ravel, torch.int64, device)
        cosine = self.constant("cosine", lambda: program.cosine, torch.complex128, device)
        sine = self.constant("sine", lambda: program.sine, torch.complex128, device)
        angles = functional.pad(weights.to(torch.float64).flatten(-2), (0, 1))
        half = 0.5 * angles.index_select(-1, index).reshape(*shape, 1, 1)
        gates = torch.cos(half) * cosine + torch.sin(half) * sine
        single = gates[..., 0, :, :]
        for k in range(1, shape[-1]):
            single = gates[..., k, :, :] @ single
        # Runs of one size share their Kronecker products; there are at most two sizes.
        sizes = _group_sizes(self.n_qubits)
        groups: list[Tensor] = []
        start = 0
        for size in sorted(set(sizes), reverse=True):
            count = sizes.count(size)
            block = single[..., start : start + count * size, :, :]
            block = block.reshape(*shape[:-2], count, size, 2, 2)
            run = block[..., 0, :, :]
            for q in range(1, size):
                run = _kron(run, block[..., q, :, :])
            groups += run.unbind(-3)
            start += count * size
        return groups

    def run(
        self, upload: int, weights: Tensor, groups: list[Tensor], state: Tensor | None
    ) -> Tensor:
        """Act with the steps after an upload on the columns of ``state`` (..., D, columns).

        A state without the axes in front is that of all circuits. None stands for the identity,
        whose first rotations are a Kronecker product already.
        """
        device = weights.device
        for position, step in enumerate(self.program.uploads[upload]):
            place = f"{upload}.{position}"
            if isinstance(step, Rotations):
                if state is None:
                    state = groups[0][..., step.slot, :, :]
                    for group in groups[1:]:
                        state = _kron(state, group[..., step.slot, :, :])
                else:
                    state = self._rotate(groups, step.slot, state)
                continue
            if state is None:
                state = torch.eye(self.dimension, dtype=torch.complex128, device=device)
            if isinstance(step, Shuffle):
                state = self.shuffle(place, step, state)
            else:
                state = self._turn_phases(place, step, weights, state)
        if state is None:
            return torch.eye(self.dimension, dtype=torch.complex128, device=device)
        return state

    def undo(self, upload: int, weights: Tensor, groups: list[Tensor], state: Tensor) -> Tensor:
        """Act with the adjoint of the steps after an upload: what `run` did is taken back."""
        adjoints = [group.mH for group in groups]
        for position, step in reversed(list(enumerate(self.program.uploads[upload]))):
            place = f"{upload}.{position}"
            if isinstance(step, Rotations):
                state = self._rotate(adjoints, step.slot, state)
            elif isinstance(step, Shuffle):
                state = self.unshuffle(place, step, state)
            else:
                state = self._turn_phases(place, step, -weights, state)
        return state

    def enter(self, state: Tensor, *, adjoint: bool = False) -> Tensor:
        """Take states (D, columns) to the basis of the first upload's phases, or back."""
        sizes = _group_sizes(self.n_qubits)
        groups = [
            self.constant(
                f"entrance{size}",
                lambda size=size: _power(self._entrance, size)[None],  # type: ignore[misc]
                torch.complex128,
                state.device,
            )
            for size in sizes
        ]
        return self._rotate([group.mH for group in groups] if adjoint else groups, 0, state)

    def _rotate(self, groups: list[Tensor], slot: int, state: Tensor) -> Tensor:
        columns = state.shape[-1]
        before = 1
        for group in groups:
            size = group.shape[-1]
            gate = group[..., None, slot, :, :]
            state = gate @ state.reshape(*state.shape[:-2], before, size, -1)
            before *= size
            state = state.flatten(-3, -2)
        return state.reshape(*state.shape[:-2], self.dimension, columns)

    def _turn_phases(self, place: str, step: Phases, weights: Tensor, state: Tensor) -> Tensor:
        device = state.device
        pattern = self.constant(f"phases{place}", lambda: step.pattern, torch.float64, device)
        phi = weights.to(torch.float64).flatten(-2)[..., step.parameters.tolist()] @ pattern
        return state * torch.complex(torch.cos(phi), -torch.sin(phi))[..., None]

    def shuffle(self, place: str, step: Shuffle, state: Tensor) -> Tensor:
        """Permute rows of ``state`` (..., D, columns), flip signs; ``place`` names the step."""
        source, inverse, sign = self._shuffling(place, step, state.device)
        state = _permute(state, source, inverse)
        return state if sign is None else state * sign[:, None]

    def unshuffle(self, place: str, step: Shuffle, state: Tensor) -> Tensor:
        """Take back what `shuffle` did."""
        source, inverse, sign = self._shuffling(place, step, state.device)
        return _permute(state if sign is None else state * sign[:, None], inverse, source)

    def _shuffling(
        self, place: str, step: Shuffle, device: torch.device
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Where rows come from, where they go, and the signs they take."""
        source = self.constant(f"source{place}", lambda: step.source, torch.int64, device)
        inverse = self.constant(
            f"inverse{place}", lambda: np.argsort(step.source), torch.int64, device
        )
        if step.sign is None:
            return source, inverse, None
        sign = self.constant(f"sign{place}", lambda: step.sign, torch.float64, device)
        return source, inverse, sign
