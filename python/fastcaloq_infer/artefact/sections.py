"""The sections of a model card: strict, frozen, and refusing keys they do not know."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]
Vector = tuple[float, ...]
Matrix = tuple[Vector, ...]
Range = tuple[float, float]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Section(BaseModel):
    """Base of all sections: strict types, no unknown keys, no NaN or infinity, immutable."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        validate_by_name=True,
        validate_by_alias=True,
    )


def check_range(name: str, bounds: Range, *, degenerate: bool = True) -> None:
    """Raise ``ValueError`` unless ``bounds`` ascend (or are equal where that is allowed)."""
    low, high = bounds
    if high < low or (high == low and not degenerate):
        raise ValueError(f"{name} must ascend, not [{low:g}, {high:g}]")


class Units(Section):
    """The units of everything in the file; there is only one choice."""

    energy: Literal["MeV"] = "MeV"
    length: Literal["mm"] = "mm"
    angle: Literal["rad"] = "rad"


class BinningLayer(Section):
    """Voxels of one layer; ``r_edges`` [mm] ascend and are empty where the layer has no voxels."""

    id: Annotated[int, Field(ge=0, description="ATLAS CaloSampling number, or a plain layer index")]
    r_edges: tuple[NonNegative, ...]
    n_alpha: Count

    @model_validator(mode="after")
    def _ascending(self) -> BinningLayer:
        if len(self.r_edges) == 1 or any(b <= a for a, b in pairwise(self.r_edges)):
            raise ValueError(f"r_edges of layer {self.id} must be two or more ascending numbers")
        return self

    @property
    def n_rings(self) -> int:
        """Number of rings, 0 for a layer without voxels."""
        return max(0, len(self.r_edges) - 1)

    @property
    def n_voxels(self) -> int:
        """Number of voxels: rings times bins in alpha."""
        return self.n_rings * self.n_alpha


class CardBinning(Section):
    """The calorimeter layers, in the order of the columns of ``layer_energy``."""

    name: Annotated[str, Field(min_length=1)]
    layers: Annotated[tuple[BinningLayer, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _unique(self) -> CardBinning:
        ids = [layer.id for layer in self.layers]
        if len(set(ids)) != len(ids):
            raise ValueError(f"layer ids {ids} are not unique")
        return self

    @property
    def rings_and_bins(self) -> tuple[tuple[int, int], ...]:
        """Number of rings and of bins in alpha of every layer."""
        return tuple((layer.n_rings, layer.n_alpha) for layer in self.layers)

    @property
    def n_voxels(self) -> int:
        """Number of voxels of all layers."""
        return sum(layer.n_voxels for layer in self.layers)


class Ranges(Section):
    """A range of incident energy [MeV] and of abs(eta); the sign of eta never matters."""

    incident_energy: tuple[Positive, Positive]
    eta: tuple[NonNegative, NonNegative]

    @model_validator(mode="after")
    def _ordered(self) -> Ranges:
        check_range("incident_energy", self.incident_energy)
        check_range("eta", self.eta)
        return self

    def contains(self, other: Ranges) -> bool:
        """Whether ``other`` lies inside this range."""
        return all(
            mine[0] <= its[0] and its[1] <= mine[1]
            for mine, its in (
                (self.incident_energy, other.incident_energy),
                (self.eta, other.eta),
            )
        )


class Condition(Section):
    """c = ((log(E_inc/MeV) - center) / half_width, (abs(eta) - center) / half_width)."""

    log_energy_center: float
    log_energy_half_width: Positive
    eta_center: float
    eta_half_width: Positive


class Coordinate(Section):
    """One preprocessed coordinate: standardisation over the knots and the bounds of empty layers.

    ``mean`` and ``scale`` are linear in log energy between the knots. Below ``lower`` the layer is
    empty, above ``upper`` it takes all that is left. Values approach ``ceiling`` and never pass it.
    ``sharpness`` is kappa of all soft bounds.
    """

    mean: Annotated[Vector, Field(min_length=1)]
    scale: Annotated[tuple[Positive, ...], Field(min_length=1)]
    lower: float | None
    upper: float | None
    ceiling: float | None
    sharpness: Positive

    @model_validator(mode="after")
    def _bounds(self) -> Coordinate:
        if self.lower is not None and self.upper is not None:
            check_range("lower and upper", (self.lower, self.upper), degenerate=False)
        if self.upper is not None and self.ceiling is not None:
            raise ValueError("a coordinate has either an upper bound or a ceiling")
        return self


class CardPreprocessing(Section):
    """Constants of the bijection between layer energies [MeV] and flow coordinates.

    ``layer_order`` is the chain: positions into the binning's layers. Its first ``n_absolute``
    elements stand alone (log(E / E_inc)); the others are fractions of what is left of the energy
    they share, whose response is coordinate 0.
    ``energy_threshold`` [MeV], ``zero_width`` and ``zero_gap`` (in the flow's coordinate) say how
    empty layers were treated in training; sampling does not need them.
    """

    kind: Literal["energy_fractions"] = "energy_fractions"
    layer_order: tuple[int, ...]
    n_absolute: Annotated[int, Field(ge=0)]
    energy_threshold: NonNegative
    zero_width: NonNegative
    zero_gap: NonNegative
    knots: Annotated[Vector, Field(min_length=1, description="log(E_inc/MeV), ascending")]
    coordinates: tuple[Coordinate, ...]

    @model_validator(mode="after")
    def _consistent(self) -> CardPreprocessing:
        if sorted(self.layer_order) != list(range(len(self.coordinates))):
            raise ValueError(
                f"layer_order {list(self.layer_order)} is no permutation of the "
                f"{len(self.coordinates)} coordinates"
            )
        if any(b <= a for a, b in pairwise(self.knots)):
            raise ValueError("knots must ascend")
        for index, coordinate in enumerate(self.coordinates):
            if not len(coordinate.mean) == len(coordinate.scale) == len(self.knots):
                raise ValueError(
                    f"coordinate {index} has {len(coordinate.mean)} means and "
                    f"{len(coordinate.scale)} scales for {len(self.knots)} knots"
                )
        if self.n_absolute >= len(self.coordinates):
            raise ValueError(
                f"n_absolute {self.n_absolute} leaves none of {len(self.coordinates)} layers to "
                "share the rest"
            )
        for index, coordinate in enumerate(self.coordinates[: 1 + self.n_absolute]):
            if coordinate.upper is not None:
                raise ValueError(f"coordinate {index} is no fraction: it has no upper bound")
        return self
