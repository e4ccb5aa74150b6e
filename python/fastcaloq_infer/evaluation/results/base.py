"""What every figure of an evaluation is built on: frozen, unknown keys refused, no NaN."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

Matrix = tuple[tuple[float | None, ...], ...]


class Figure(BaseModel):
    """A piece of an evaluation that goes to JSON and back unchanged.

    Energies in MeV. Where a figure cannot be computed (too few showers) it is ``None``, never 0.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class InFloors(Figure):
    """A distance of one feature, to be told by what the reference shows against itself.

    Attributes
    ----------
    feature
        Name of what is compared.
    value, error
        Reference against generated, and its standard error.
    floor
        Reference against floor.
    floor_mean, floor_spread, floor_upper
        Mean, standard deviation and 99 % quantile of reference against floor over permuted labels.
    """

    feature: str
    value: float
    error: float
    floor: float
    floor_mean: float
    floor_spread: float
    floor_upper: float

    @property
    def ratio(self) -> float:
        """Distance in units of the mean floor; 1 for samples of the same distribution."""
        return self.value / self.floor_mean if self.floor_mean > 0 else float(self.value > 0) + 1.0
