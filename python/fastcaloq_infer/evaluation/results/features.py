"""Figures of high-level features: histograms over all energies, distances, chi squares."""

from __future__ import annotations

from fastcaloq_infer.evaluation.results.base import Figure


class FeatureSeparation(Figure):
    """Separation power of one high-level feature over all incident energies, equal counts.

    The histogram has the bins of ``edges`` (the CaloChallenge's binning where it defines one) and
    three more: below, above, and undefined (an empty layer has no centre). All of them enter
    ``value``. ``challenge`` is the number of the challenge's script for the same showers: what lies
    outside of ``edges`` is dropped, and a centre or width of an empty layer is 0.

    Attributes
    ----------
    feature, label, unit
        Name, the same in mathtext, and its unit ("" for a pure number).
    edges
        Shape (B + 1,), in ``unit``.
    showers
        Showers of each sample.
    value, error
        Reference against generated, and the bootstrap standard error.
    floor, floor_error
        Reference against floor, and the bootstrap standard error.
    floor_mean, floor_spread, floor_upper
        Mean, standard deviation and 99 % quantile of reference against floor over permuted labels.
    challenge, challenge_floor
        By the rules of the challenge; None where one of the histograms is empty by them.
    """

    feature: str
    label: str
    unit: str
    edges: tuple[float, ...]
    showers: int
    value: float
    error: float
    floor: float
    floor_error: float
    floor_mean: float
    floor_spread: float
    floor_upper: float
    challenge: float | None
    challenge_floor: float | None

    @property
    def ratio(self) -> float:
        """Separation in units of the mean floor; 1 for samples of the same distribution."""
        return self.value / self.floor_mean if self.floor_mean > 0 else float(self.value > 0) + 1.0


class Wasserstein(Figure):
    """Wasserstein-1 distance of one feature, in the feature's unit, where it is defined.

    Attributes
    ----------
    feature, unit
        Name, and unit of all distances.
    incident_energy
        MeV; None for all energies together.
    showers
        Values of reference, generated and floor: showers in which the feature is defined.
    scale
        Standard deviation of the reference, to compare features by.
    value, error, floor, floor_error
        Distance and bootstrap standard error, from the generated and from the floor sample.
    floor_mean, floor_spread, floor_upper
        Mean, standard deviation and 99 % quantile of reference against floor over permuted labels.
    """

    feature: str
    unit: str
    incident_energy: float | None
    showers: tuple[int, int, int]
    scale: float
    value: float
    error: float
    floor: float
    floor_error: float
    floor_mean: float
    floor_spread: float
    floor_upper: float

    @property
    def ratio(self) -> float:
        """Distance in units of the mean floor; 1 for samples of the same distribution."""
        return self.value / self.floor_mean if self.floor_mean > 0 else float(self.value > 0) + 1.0


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
