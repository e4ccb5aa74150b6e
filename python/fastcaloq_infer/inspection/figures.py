"""What `fastcaloq inspect-run` found, as one JSON file."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

__all__ = ["Expressibility", "GradientVariance", "Inspection", "Moment"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Moment(_Strict):
    """Figures of one snapshot; None where the model has no latents or no circuit.

    Attributes
    ----------
    step
        Steps taken.
    latent_mean, latent_deviation
        Of the fixed showers' latents, per dimension; 0 and 1 for a perfect flow.
    latent_distance
        1-Wasserstein distance of every dimension from N(0, 1).
    purity
        Of every qubit, averaged over the conditions.
    entanglement
        Meyer and Wallach's Q, averaged over the conditions.
    """

    step: int
    latent_mean: tuple[float, ...] | None
    latent_deviation: tuple[float, ...] | None
    latent_distance: tuple[float, ...] | None
    purity: tuple[float, ...] | None
    entanglement: float | None


class Expressibility(_Strict):
    """Divergence (nats) of a circuit's fidelities from random states', and what chance gives."""

    divergence: float
    by_chance: float
    pairs: int


class GradientVariance(_Strict):
    """Variance of d<Z_0>/d(angle) of random circuits, at some number of qubits and layers."""

    n_qubits: int
    n_layers: int
    variance: float
    error: float


class Inspection(_Strict):
    """All figures of a run.

    Attributes
    ----------
    name
        Of the training.
    kind
        ``quantum.kind``.
    moments
        In the order of their steps; the last is the trained model where there are no snapshots.
    haar_entanglement
        Q of random states of as many qubits; None without a circuit.
    expressibility
        Of the circuit with all angles random; None without a circuit.
    gradient_variances
        Of such circuits, as deep as this one and deep enough to look random.
    """

    name: str
    kind: str
    moments: tuple[Moment, ...]
    haar_entanglement: float | None
    expressibility: Expressibility | None
    gradient_variances: tuple[GradientVariance, ...]
