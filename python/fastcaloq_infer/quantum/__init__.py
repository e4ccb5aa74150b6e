"""Parametrised quantum circuits: one description, three realisations.

`Circuit` describes; `ContractedCircuit` trains (torch), `qnode` and `ReferenceCircuit` are the
reference (PennyLane), `CircuitConstants` is what an artefact carries (NumPy). The description
and the constants load neither torch nor PennyLane.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastcaloq_infer.lazy import lazy
from fastcaloq_infer.quantum.ansatz import ANSATZE, ansatz
from fastcaloq_infer.quantum.circuit import Circuit
from fastcaloq_infer.quantum.constants import CircuitConstants
from fastcaloq_infer.quantum.encoding import ENCODINGS
from fastcaloq_infer.quantum.execution import Execution
from fastcaloq_infer.quantum.gates import Gate

if TYPE_CHECKING:
    from fastcaloq_infer.quantum.contracted import ContractedCircuit
    from fastcaloq_infer.quantum.reference import ReferenceCircuit, qnode

_HEAVY = {"ContractedCircuit": "contracted", "ReferenceCircuit": "reference", "qnode": "reference"}

__all__ = [
    "ANSATZE",
    "ENCODINGS",
    "Circuit",
    "CircuitConstants",
    "ContractedCircuit",
    "Execution",
    "Gate",
    "ReferenceCircuit",
    "ansatz",
    "qnode",
]

__getattr__ = lazy(__name__, _HEAVY)
