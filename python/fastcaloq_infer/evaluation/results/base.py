"""What every figure of an evaluation is built on: frozen, unknown keys refused, no NaN."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

Matrix = tuple[tuple[float | None, ...], ...]


class Figure(BaseModel):
    """A piece of an evaluation that goes to JSON and back unchanged.

    Energies in MeV. Where a figure cannot be computed (too few showers) it is ``None``, never 0.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
