"""The part of a model card about voxels: the shape flow and the showers it must draw."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from fastcaloq_infer.artefact.architecture import CardConditioning  # noqa: TC001 - pydantic
from fastcaloq_infer.artefact.provenance import Training  # noqa: TC001 - pydantic
from fastcaloq_infer.artefact.sections import Count, Matrix, NonNegative, Positive, Section, Vector


class ShapeParity(Section):
    """Whole showers every engine must reproduce, from latents to layers and voxels [MeV].

    ``voxel_energy`` comes from float64; an engine agrees where
    ``abs(e - voxel_energy) <= absolute_tolerance + relative_tolerance * voxel_energy``, and where
    it has exactly the same empty voxels. ``quantum`` are the features, the energies' first, given
    where the conditioning is served.
    """

    incident_energy: Annotated[tuple[Positive, ...], Field(min_length=1)]
    eta: Vector
    z_energy: Matrix
    z_shape: Matrix
    quantum: Matrix | None = None
    layer_energy: tuple[tuple[NonNegative, ...], ...]
    voxel_energy: tuple[tuple[NonNegative, ...], ...]
    relative_tolerance: Positive
    absolute_tolerance: Annotated[float, Field(gt=0, description="MeV")]

    @model_validator(mode="after")
    def _rows(self) -> ShapeParity:
        n = len(self.incident_energy)
        columns = (
            self.eta,
            self.z_energy,
            self.z_shape,
            self.layer_energy,
            self.voxel_energy,
            self.quantum,
        )
        if any(len(column) != n for column in columns if column is not None):
            raise ValueError("parity vectors have different numbers of rows")
        return self


class CardShape(Section):
    """The autoregressive flow over the voxels (see `fastcaloq_infer.flow.shape`).

    ``stride`` and ``offset`` give the order in which voxels are drawn; ``units`` hidden units per
    step, ``context`` numbers per coordinate, ``head`` hidden units of a coordinate's own network;
    ``energy_scale`` [MeV] is where energies begin to be seen logarithmically.
    """

    kind: Literal["autoregressive"] = "autoregressive"
    stride: Annotated[int, Field(ge=2)]
    offset: Annotated[int, Field(ge=0)]
    units: Count
    context: Count
    head: Count
    bins: Annotated[int, Field(ge=2)]
    tail_bound: Positive
    min_bin_width: Positive
    min_bin_height: Positive
    min_derivative: Annotated[float, Field(gt=0, lt=1)]
    log_scale_bound: Positive
    energy_scale: Annotated[float, Field(gt=0, description="MeV")]
    conditioning: CardConditioning
    training: Training
    parity: ShapeParity

    @model_validator(mode="after")
    def _room(self) -> CardShape:
        if max(self.min_bin_width, self.min_bin_height) * self.bins >= 1:
            raise ValueError(f"{self.bins} bins of the smallest size leave no room in the spline")
        return self

    @property
    def n_parameters(self) -> int:
        """Numbers that decide a coordinate: two logits, shift, log scale, and the spline's."""
        return 4 + 3 * self.bins - 1
