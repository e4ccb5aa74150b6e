"""Figures of layer energies: one per feature or layer and incident energy."""

from __future__ import annotations

from fastcaloq_infer.evaluation.results.base import Figure, InFloors, Matrix


class Separation(InFloors):
    """Separation power of one feature at one incident energy, between equal counts."""

    incident_energy: float
    showers: int
    bins: int


class LayerShare(Figure):
    """A share in one layer at one incident energy, with standard errors, in all three samples."""

    layer: int
    incident_energy: float
    reference: float
    reference_error: float
    generated: float
    generated_error: float
    floor: float
    floor_error: float

    @property
    def difference(self) -> float:
        """Generated minus reference."""
        return self.generated - self.reference

    @property
    def difference_error(self) -> float:
        """Standard error of the difference."""
        return float((self.generated_error**2 + self.reference_error**2) ** 0.5)


class ZeroFraction(LayerShare):
    """Fraction of showers that leave a layer empty."""


class Occupancy(LayerShare):
    """Fraction of a layer's voxels that hold energy, mean over showers."""


class Moments(Figure):
    """Mean of E_tot/E_inc (response) and its standard deviation over mean (resolution)."""

    response: float
    response_error: float
    resolution: float
    resolution_error: float


class Response(Figure):
    """Response and resolution of the three samples at one incident energy."""

    incident_energy: float
    reference: Moments
    generated: Moments
    floor: Moments


class Extreme(Figure):
    """Largest E_tot/E_inc of the samples at one incident energy, and showers that run away.

    A shower runs away if its total is more than twice the largest of both Geant4 samples: one in
    100,000 is invisible in every histogram and ruins an event. ``floor_runaways`` counts reference
    showers above twice the floor sample's largest.
    """

    incident_energy: float
    reference: float
    generated: float
    floor: float
    runaways: int
    floor_runaways: int


class Correlation(Figure):
    """Pearson correlations of the layer energies at one incident energy, shape (L, L)."""

    incident_energy: float
    reference: Matrix
    generated: Matrix
    floor: Matrix
    largest_difference: float | None
    floor_largest_difference: float | None
