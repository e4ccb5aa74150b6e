"""Figures of whole showers: where the energy lies in a layer, and whether it adds up."""

from __future__ import annotations

from typing import Literal

from fastcaloq_infer.evaluation.results.base import Figure


class Profile(Figure):
    """Mean energy along one axis of a layer at one incident energy, as fractions of E_inc.

    Attributes
    ----------
    layer, axis
        Rings (``r``) or sectors (``alpha``) of which layer.
    incident_energy
        MeV.
    edges
        Shape (B + 1,): radii in mm, or alpha in radians.
    reference, generated, floor
        Shape (B,): mean of E_bin/E_inc over the showers.
    reference_error, generated_error, floor_error
        Shape (B,): standard errors of the means.
    """

    layer: int
    axis: Literal["r", "alpha"]
    incident_energy: float
    edges: tuple[float, ...]
    reference: tuple[float, ...]
    reference_error: tuple[float, ...]
    generated: tuple[float, ...]
    generated_error: tuple[float, ...]
    floor: tuple[float, ...]
    floor_error: tuple[float, ...]


class LayerSum(Figure):
    """How far the voxels of a layer are from adding up to the energy stated for it.

    Relative differences abs(sum(voxels) - E)/E of the generated showers that hold energy in the
    layer, before any cut: their median, their 99.9 % quantile and the largest.
    """

    layer: int
    showers: int
    median: float
    upper: float
    largest: float
