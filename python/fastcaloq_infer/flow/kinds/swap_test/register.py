"""Coordinates as product states of a register, with their derivatives, and measured values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from fastcaloq_infer.quantum.gates import parity_signs

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["coordinates", "expectations", "measured", "prepare", "product_states", "signs"]

#: Of |<Z>|: rounding may put it at 1, where neither atanh nor the slope of arccos is finite.
_LARGEST = 1.0 - 1e-15


def prepare(x: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    """Qubits RY(phi)|0> with cos(phi) = -tanh(x / scale): amplitudes and their derivatives.

    Parameters
    ----------
    x
        Coordinates (N, n), any real numbers.
    scale
        Beyond it a coordinate is squeezed.

    Returns
    -------
    tuple
        (cos(phi/2), sin(phi/2)) and its derivative by x, each (N, n, 2), real.
    """
    up, down = ((sign * 2.0 * x / scale).sigmoid().sqrt() for sign in (-1.0, 1.0))
    slope = up * down / scale  # half of dphi/dx = sin(phi) / scale
    return torch.stack([up, down], dim=-1), slope[..., None] * torch.stack([-down, up], dim=-1)


def product_states(qubits: Tensor) -> Tensor:
    """Product states (..., 2**n) of qubits (..., n, 2), qubit 0 the most significant bit."""
    state = qubits[..., 0, :]
    for q in range(1, qubits.shape[-2]):
        state = (state[..., :, None] * qubits[..., q, None, :]).flatten(-2)
    return state


def signs(n_qubits: int) -> Tensor:
    """Eigenvalues of every qubit's Z, (n, 2**n), float64."""
    return torch.from_numpy(parity_signs(n_qubits, [(q,) for q in range(n_qubits)]))


def expectations(states: Tensor, eigenvalues: Tensor) -> Tensor:
    """<Z> of every qubit, (N, n), of states (N, 2**n); ``eigenvalues`` as of :func:`signs`."""
    probabilities = states.real.square() + states.imag.square()
    return (probabilities @ eigenvalues.T).clamp(-_LARGEST, _LARGEST)


def coordinates(values: Tensor, scale: float) -> Tensor:
    """Undo :func:`prepare` on measured values: -scale * atanh(<Z>)."""
    return -scale * torch.atanh(values)


def measured(x: Tensor, scale: float) -> Tensor:
    """Undo :func:`coordinates`: the values <Z> = -tanh(x / scale)."""
    return -torch.tanh(x / scale).clamp(-_LARGEST, _LARGEST)
