"""From the incident particle to the features every coupling subnet sees.

The configuration loads without torch; the modules are imported when first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastcaloq_infer.conditioning.config import QuantumConfig
from fastcaloq_infer.conditioning.perceptron import MLPConstants
from fastcaloq_infer.lazy import lazy

if TYPE_CHECKING:
    from fastcaloq_infer.conditioning.conditioner import (
        ClassicalConditioner,
        Conditioner,
        NoConditioner,
        QuantumConditioner,
        build_conditioner,
    )

__all__ = [
    "ClassicalConditioner",
    "Conditioner",
    "MLPConstants",
    "NoConditioner",
    "QuantumConditioner",
    "QuantumConfig",
    "build_conditioner",
]

__getattr__ = lazy(__name__, dict.fromkeys(__all__, "conditioner"))
