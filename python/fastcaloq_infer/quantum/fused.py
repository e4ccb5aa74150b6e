"""The compiled program on state vectors in torch: few matrix products instead of many gates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from fastcaloq_infer.quantum.fusion import Phases, Rotations, Shuffle, compile_circuit

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastcaloq_infer.quantum.circuit import Circuit


class _Permute(torch.autograd.Function):
    """Rows in another order; the gradient is a gather too, where index_select would scatter."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, source: Tensor, inverse: Tensor) -> Tensor:
        ctx.save_for_backward(source, inverse)
        return x.index_select(0, source)

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
        """Fused matrices of every run of qubits, each (slots, 2**size, 2**size) complex128."""
        program, device = self.program, weights.device
        shape = program.parameter.shape
        index = self.constant("parameter", program.parameter.ravel, torch.int64, device)
        cosine = self.constant("cosine", lambda: program.cosine, torch.complex128, device)
        sine = self.constant("sine", lambda: program.sine, torch.complex128, device)
        zero = self.constant("zero", lambda: np.zeros(1), torch.float64, device)
        angles = torch.cat([weights.to(torch.float64).reshape(-1), zero])
        half = 0.5 * angles.index_select(0, index).reshape(*shape, 1, 1)
        gates = torch.cos(half) * cosine + torch.sin(half) * sine
        single = gates[:, :, 0]
        for k in range(1, shape[2]):
            single = gates[:, :, k] @ single
        # Runs of one size share their Kronecker products; there are at most two sizes.
        sizes = _group_sizes(self.n_qubits)
        groups: list[Tensor] = []
        start = 0
        for size in sorted(set(sizes), reverse=True):
            count = sizes.count(size)
            block = single[:, start : start + count * size].reshape(-1, count, size, 2, 2)
            run = block[:, :, 0]
            for q in range(1, size):
                run = _kron(run, block[:, :, q])
            groups += run.unbind(1)
            start += count * size
        return groups

    def run(
        self, upload: int, weights: Tensor, groups: list[Tensor], state: Tensor | None
    ) -> Tensor:
        """Act with the steps after an upload on the columns of ``state`` (D, columns).

        None stands for the identity, whose first rotations are a Kronecker product already.
        """
        device = weights.device
        for position, step in enumerate(self.program.uploads[upload]):
            place = f"{upload}.{position}"
            if isinstance(step, Rotations):
                if state is None:
                    state = groups[0][step.slot]
                    for group in groups[1:]:
                        state = _kron(state, group[step.slot])
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

    def _rotate(self, groups: list[Tensor], slot: int, state: Tensor) -> Tensor:
        columns = state.shape[1]
        before = 1
        for group in groups:
            size = group.shape[1]
            state = group[slot] @ state.reshape(before, size, -1)
            before *= size
        return state.reshape(self.dimension, columns)

    def _turn_phases(self, place: str, step: Phases, weights: Tensor, state: Tensor) -> Tensor:
        device = state.device
        pattern = self.constant(f"phases{place}", lambda: step.pattern, torch.float64, device)
        phi = weights.to(torch.float64).reshape(-1)[step.parameters.tolist()] @ pattern
        return state * torch.complex(torch.cos(phi), -torch.sin(phi))[:, None]

    def shuffle(self, place: str, step: Shuffle, state: Tensor) -> Tensor:
        """Permute rows of ``state`` (D, columns), flip their signs; ``place`` names the step."""
        device = state.device
        source = self.constant(f"source{place}", lambda: step.source, torch.int64, device)
        inverse = self.constant(
            f"inverse{place}", lambda: np.argsort(step.source), torch.int64, device
        )
        state = _permute(state, source, inverse)
        if step.sign is not None:
            sign = self.constant(f"sign{place}", lambda: step.sign, torch.float64, device)
            state = state * sign[:, None]
        return state
