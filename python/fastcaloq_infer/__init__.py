"""Quantum-conditioned normalising flows for fast calorimeter simulation.

Energies are in MeV, lengths in mm, angles in radians, everywhere.
"""

from __future__ import annotations

from importlib.metadata import version as _version

from fastcaloq_infer.cmake import cmake_dir
from fastcaloq_infer.errors import (
    ConfigError,
    FastCaloQError,
    InputError,
    ModelError,
    OutputError,
)
from fastcaloq_infer.sampling import Sampler, Showers

__version__ = _version("fastcaloq-infer")

__all__ = [
    "ConfigError",
    "FastCaloQError",
    "InputError",
    "ModelError",
    "OutputError",
    "Sampler",
    "Showers",
    "__version__",
    "cmake_dir",
]
