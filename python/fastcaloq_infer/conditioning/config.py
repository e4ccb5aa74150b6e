"""Configuration of the conditioning: where the quantum part sits, and its circuit."""

from __future__ import annotations

from typing import Literal

from fastcaloq_infer.quantum.circuit import Circuit


class QuantumConfig(Circuit):
    """The section ``quantum`` of a configuration: ``kind`` and the fields of `Circuit`.

    ``kind``: "conditioner" feeds the circuit's features to every coupling subnet, "classical"
    puts a small network with about as many parameters in its place, "none" leaves both out.

    Raises
    ------
    ConfigError
        Unknown key, unknown name or a number out of its range.
    """

    kind: Literal["conditioner", "classical", "none"] = "conditioner"

    @property
    def circuit(self) -> Circuit:
        """The circuit alone."""
        return Circuit(**{name: getattr(self, name) for name in Circuit.model_fields})
