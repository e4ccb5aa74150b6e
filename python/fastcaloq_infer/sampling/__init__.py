"""Drawing showers from a model file."""

from __future__ import annotations

from fastcaloq_infer.sampling.sampler import Sampler
from fastcaloq_infer.sampling.showers import Showers

__all__ = ["Sampler", "Showers"]
