"""What a frontier found, as it goes to ``results.json`` and back."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  pydantic reads it
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fastcaloq_infer.errors import InputError

__all__ = ["Auc", "FeatureFigure", "FrontierResults", "Judgement", "ModelRecord"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Auc(_Strict):
    """AUC of the classifiers of one kind: mean, standard error, and each of them."""

    mean: float
    error: float
    values: tuple[float, ...]


class FeatureFigure(_Strict):
    """Mean and standard deviation of a feature at one incident energy, where it is defined.

    Attributes
    ----------
    energy
        MeV.
    unit
        ``MeV``, ``mm`` or empty.
    reference, generated
        Mean, standard error of the mean, standard deviation, its standard error.
    """

    energy: float
    name: str
    unit: str
    reference: tuple[float, float, float, float]
    generated: tuple[float, float, float, float]


class Judgement(_Strict):
    """What tells showers from held-out ones.

    Attributes
    ----------
    n_showers
        Of either sample.
    network, trees
        Classifiers of the view ``low``.
    occupancy
        Largest difference of the share of voxels with energy, over layers and incident energies.
    """

    n_showers: int
    network: Auc
    trees: Auc
    occupancy: float
    features: tuple[FeatureFigure, ...] = ()


class ModelRecord(_Strict):
    """One training and its judgement.

    Attributes
    ----------
    flop
        Floating-point operations of the matrix products per shower, two per multiply-add.
    showers_seen
        Steps times batch size; None for a model that was there already.
    budget, cpu_seconds
        Asked for, and taken by the training (preparing the showers included), one thread; of a
        model that was there already what it says of its training, by the clock.
    sample_microseconds
        CPU time of drawing one shower with torch, in batches of 1,024.
    validation_nll
        Nats per shower; comparable within one ``kind`` only.
    """

    name: str
    title: str
    series: str | None
    kind: Literal["autoregressive", "coupling"]
    seed: int
    n_parameters: int
    flop: float
    steps: int
    showers_seen: int | None
    budget: float
    cpu_seconds: float
    sample_microseconds: float
    validation_nll: float
    judgement: Judgement


class FrontierResults(_Strict):
    """A whole frontier."""

    schema_version: Literal[1] = Field(default=1, alias="schema")
    name: str
    sha256: dict[str, str]
    configuration: dict[str, Any]
    floor: Judgement
    models: tuple[ModelRecord, ...]

    def to_json(self) -> str:
        """Return the results as JSON."""
        return self.model_dump_json(indent=1, by_alias=True) + "\n"

    @classmethod
    def load(cls, path: Path) -> FrontierResults:
        """Read ``results.json``.

        Raises
        ------
        InputError
            The file is missing, or not the results of a frontier of this version.
        """
        try:
            return cls.model_validate_json(path.read_bytes())
        except OSError as error:
            raise InputError(
                f"cannot read {path}: {error.strerror or error}; check the path"
            ) from error
        except ValidationError as error:
            raise InputError(
                f"{path} does not hold the results of a frontier of this version of "
                "fastcaloq-infer; run it again"
            ) from error
