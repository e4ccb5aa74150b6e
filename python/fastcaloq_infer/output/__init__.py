"""Writing showers to ROOT and HDF5: drawn in chunks, complete or not there, with provenance."""

from __future__ import annotations

from fastcaloq_infer.output.production import Summary, produce
from fastcaloq_infer.output.schema import Provenance
from fastcaloq_infer.output.spectrum import Spectrum, parse_energies, parse_eta

__all__ = ["Provenance", "Spectrum", "Summary", "parse_energies", "parse_eta", "produce"]
