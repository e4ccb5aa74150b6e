"""Figures of high-level features: histograms over all energies, distances, chi squares."""

from __future__ import annotations

from fastcaloq_infer.evaluation.results.base import Figure, InFloors


class FeatureSeparation(InFloors):
    """Separation power of one high-level feature over all incident energies, equal counts.

    The histogram has the bins of ``edges`` (the CaloChallenge's binning where it defines one) and
    three more: below, above, and undefined (an empty layer has no centre). All of them enter
    ``value``. ``challenge`` is the number of the challenge's script for the same showers: what lies
    outside of ``edges`` is dropped, and a centre or width of an empty layer is 0.

    Attributes
    ----------
    label, unit
        The feature's name in mathtext, and its unit ("" for a pure number).
    edges
        Shape (B + 1,), in ``unit``.
    showers
        Showers of each sample.
    floor_error
        Bootstrap standard error of the floor.
    challenge, challenge_floor
        By the rules of the challenge; None where one of the histograms is empty by them.
    """

    label: str
    unit: str
    edges: tuple[float, ...]
    showers: int
    floor_error: float
    challenge: float | None
    challenge_floor: float | None


class Wasserstein(InFloors):
    """Wasserstein-1 distance of one feature, in the feature's unit, where it is defined.

    Attributes
    ----------
    unit
        Of all distances.
    incident_energy
        MeV; None for all energies together.
    showers
        Values of reference, generated and floor: showers in which the feature is defined.
    scale
        Standard deviation of the reference, to compare features by.
    floor_error
        Bootstrap standard error of the floor.
    """

    unit: str
    incident_energy: float | None
    showers: tuple[int, int, int]
    scale: float
    floor_error: float


class ChiSquare(Figure):
    """Two-sample chi2/ndf of E_tot at one incident energy, equal counts, Poisson errors.

    Attributes
    ----------
    incident_energy
        MeV.
    edges
        Of the bins in E_tot/E_inc; the outer bins are open.
    ndf
        Degrees of freedom: occupied bins - 1, for generated and floor.
    value, error, p_value
        Reference against generated: chi2/ndf, its standard error, probability of a larger one.
    floor, floor_error, floor_p_value
        The same, reference against floor.
    """

    incident_energy: float
    showers: int
    edges: tuple[float, ...]
    ndf: int
    floor_ndf: int
    value: float
    error: float
    p_value: float
    floor: float
    floor_error: float
    floor_p_value: float
