r"""The unitary forwards and backwards, and what a measurement in between leaves of the input.

U takes :math:`|z\rangle` to a state from which :math:`U^\dagger` brings it back. Measured, the
state is one outcome x with probability :math:`M_{xz} = |\langle x|U|z\rangle|^2`. Rows and columns
of M sum to 1, so for z uniform over the D basis states x is uniform as well, and

.. math:: I(z; x) = \ln D - H(z|x), \quad
          H(z|x) = -\frac{1}{D} \sum_{xz} M_{xz} \ln M_{xz}
                 = \frac{1}{D} \sum_z H(x|z).

A bijection keeps all of ln D. A Haar-random unitary keeps :math:`\ln D - \psi(D+1) + \psi(2)`,
which tends to :math:`1 - \gamma = 0.4228` nats whatever D (Jones 1990, J. Phys. A 23, L1247, for
the mean entropy of a random state's outcomes).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypedDict

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from fastcaloq_infer.quantum.born import BornCircuit

__all__ = ["Reversal", "haar_nats", "reverse"]

_AT_ONCE = 64


class Reversal(TypedDict):
    """A circuit forwards and backwards at one condition; nats.

    ``round_trip``: largest amplitude by which U^dagger U z differs from z. ``kept``: I(z; x) for
    uniform z, with its standard error over the z that were looked at. ``back``: probability that
    U^dagger applied to the measured x gives z again. ``own_entropy``: H(x) of the trained start.
    """

    round_trip: float
    kept: float
    kept_error: float
    back: float
    own_entropy: float


def haar_nats(dimension: int) -> float:
    """Mean I(z; x) in nats of a Haar-random unitary: ln D - sum of 1/k for k = 2 ... D."""
    harmonic = sum(1.0 / k for k in range(2, dimension + 1))
    return math.log(dimension) - harmonic


@torch.no_grad()
def reverse(circuit: BornCircuit, condition: Tensor, starts: int, seed: int) -> Reversal:
    """Send basis states through the circuit and back at one condition (n_inputs,).

    Parameters
    ----------
    circuit
        In float64.
    condition
        Its input.
    starts
        Number of z to look at, drawn without repetition; at most D.
    seed
        Of the choice.
    """
    dimension = circuit.circuit.dimension
    random = torch.Generator().manual_seed(seed)
    chosen = torch.randperm(dimension, generator=random)[:starts]
    entropies, back, round_trip = [], [], 0.0
    for part in chosen.split(_AT_ONCE):  # type: ignore[no-untyped-call]
        inputs = condition.expand(len(part), -1)
        states = torch.zeros(len(part), dimension, dtype=torch.complex128)
        states[torch.arange(len(part)), part] = 1.0
        there = circuit.apply_to(states, inputs)
        round_trip = max(round_trip, float((circuit.undo(there, inputs) - states).abs().max()))
        p = torch.view_as_real(there).square().sum(dim=2)
        entropies.append(_entropy(p))
        back.append(p.square().sum(dim=1))
    entropy = torch.cat(entropies)
    error = float(entropy.std()) / math.sqrt(len(entropy)) if starts < dimension else 0.0
    return Reversal(
        round_trip=round_trip,
        kept=math.log(dimension) - float(entropy.mean()),
        kept_error=error,
        back=float(torch.cat(back).mean()),
        own_entropy=float(_entropy(circuit(condition[None]))[0]),
    )


def _entropy(p: Tensor) -> Tensor:
    """Shannon entropy (K,) in nats of distributions (K, D)."""
    entropy: Tensor = -torch.special.xlogy(p, p).sum(dim=1)
    return entropy
