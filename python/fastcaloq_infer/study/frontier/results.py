"""What a frontier found, as it goes to ``results.json`` and back."""

from __future__ import annotations

from typing import Any, Literal

from fastcaloq_infer.study.result_file import ResultFile, Strict

__all__ = ["Auc", "FeatureFigure", "FrontierResults", "Judgement", "ModelRecord"]


class Auc(Strict):
    """AUC of the classifiers of one kind: mean, standard error, and each of them."""

    mean: float
    error: float
    values: tuple[float, ...]


class FeatureFigure(Strict):
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


class Judgement(Strict):
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


class ModelRecord(Strict):
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


class FrontierResults(ResultFile):
    """A whole frontier."""

    HOLDS = "a frontier"
    AGAIN = "run it again"

    name: str
    sha256: dict[str, str]
    configuration: dict[str, Any]
    floor: Judgement
    models: tuple[ModelRecord, ...]
