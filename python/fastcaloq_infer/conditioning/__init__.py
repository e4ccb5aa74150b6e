"""From the incident particle to the features every coupling subnet sees.

The configuration loads without torch; the modules are imported when first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from fastcaloq_infer.conditioning.config import QuantumConfig

if TYPE_CHECKING:
    from fastcaloq_infer.conditioning.conditioner import (
        ClassicalConditioner,
        Conditioner,
        MLPConstants,
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


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module(f"{__name__}.conditioner"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
