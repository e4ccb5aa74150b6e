"""The parts of a model card that say where the model comes from and what it must reproduce."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from fastcaloq_infer.artefact.sections import Matrix, NonNegative, Positive, Section, Sha256, Vector


class TrainingData(Section):
    """One file the model was trained on: its name, SHA-256 and number of showers."""

    name: str
    sha256: Sha256
    showers: Annotated[int, Field(ge=0)]


class Training(Section):
    """Where the weights come from; ``validation_nll`` in nats per shower, density in MeV."""

    version: str
    seed: int
    data: tuple[TrainingData, ...]
    steps: Annotated[int, Field(ge=0)]
    epochs: Annotated[int, Field(ge=0)]
    validation_nll: float
    seconds: NonNegative


class Parity(Section):
    """Showers every engine must reproduce: energies [MeV], latents, layer energies [MeV].

    ``layer_energy`` comes from float64; an engine agrees where
    ``abs(e - layer_energy) <= absolute_tolerance + relative_tolerance * layer_energy``.
    ``quantum`` are the features of the showers, given where the conditioning is served.
    """

    incident_energy: Annotated[tuple[Positive, ...], Field(min_length=1)]
    eta: Vector
    z_energy: Matrix
    quantum: Matrix | None = None
    layer_energy: tuple[tuple[NonNegative, ...], ...]
    relative_tolerance: Positive
    absolute_tolerance: Annotated[float, Field(gt=0, description="MeV")]

    @model_validator(mode="after")
    def _rows(self) -> Parity:
        n = len(self.incident_energy)
        columns = (self.eta, self.z_energy, self.layer_energy, self.quantum)
        if any(len(column) != n for column in columns if column is not None):
            raise ValueError("parity vectors have different numbers of rows")
        return self
