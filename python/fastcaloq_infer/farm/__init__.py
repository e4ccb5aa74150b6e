"""Production of showers on many processes and machines, shared out by event numbers.

A production is a folder: parts (ordinary files of showers, one per range of events) and a manifest
that lists those that are complete, with checksums. The parts together hold what one process would
have written; ``merge`` writes that one file.
"""

from __future__ import annotations

from fastcaloq_infer.farm.cluster import Farm
from fastcaloq_infer.farm.manifest import MANIFEST, MOST_PARTS, Manifest, Part, Plan
from fastcaloq_infer.farm.merge import merge
from fastcaloq_infer.farm.run import run_farm

__all__ = ["MANIFEST", "MOST_PARTS", "Farm", "Manifest", "Part", "Plan", "merge", "run_farm"]
