"""What can be written under ``loss``: which losses are minimised, and how much each counts."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from fastcaloq_infer.training.losses.mmd import BANDWIDTHS
from fastcaloq_infer.training.sections import Fraction, Strict

__all__ = [
    "LikelihoodTerm",
    "LossConfig",
    "MmdTerm",
    "SampleTerm",
    "SlicedWassersteinTerm",
    "WassersteinTerm",
]

_WIDEST = 4096  # far beyond use; a slip of the keyboard should not ask for all memory
Count = Annotated[int, Field(ge=1, le=_WIDEST)]


class LossTerm(Strict):
    """One loss of a mixture."""

    weight: PositiveFloat = 1.0


class LikelihoodTerm(LossTerm):
    """Negative log likelihood, nats per shower."""


class SampleTerm(LossTerm):
    """A loss that compares showers drawn by the model with those of the simulation."""

    rows: Annotated[int, Field(ge=2)] | None = Field(
        None, description="showers of a batch that are compared; null: all"
    )
    condition_scale: Annotated[float, Field(ge=0)] = Field(
        4.0,
        description="half the range of energies, in standard deviations of a coordinate",
    )


class SlicedWassersteinTerm(SampleTerm):
    """Wasserstein distance of projections on random directions."""

    directions: Count = Field(64, description="drawn anew every step")
    order: Annotated[int, Field(ge=1, le=2)] = Field(
        2, description="p of the mean of |difference|^p"
    )


class MmdTerm(SampleTerm):
    """Squared maximum mean discrepancy."""

    rows: Annotated[int, Field(ge=2)] | None = 512  # memory and time go with its square
    bandwidths: Annotated[tuple[PositiveFloat, ...], Field(min_length=1)] = Field(
        BANDWIDTHS, description="widths of the kernels in standard deviations of a coordinate"
    )


class WassersteinTerm(LossTerm):
    """Wasserstein-1 distance as a critic with gradient penalty sees it.

    The defaults are those of Gulrajani et al. (arXiv:1704.00028, algorithm 1), save ``lr``.
    """

    critic: Annotated[tuple[Count, ...], Field(min_length=1)] = Field(
        (64, 64), description="widths of the hidden layers"
    )
    n_critic: PositiveInt = Field(5, description="steps of the critic per step of the model")
    gradient_penalty: PositiveFloat = Field(10.0, description="lambda")
    lr: PositiveFloat = Field(1e-3, description="peak learning rate of the critic")
    betas: tuple[Fraction, Fraction] = (0.0, 0.9)


class LossConfig(Strict):
    """A weighted sum of losses; one that is left out (null) does not count.

    In place of a section its weight can be given (``loss: {likelihood: 1.0, mmd: 0.1}``), in place
    of a single loss its name (``loss: mmd``).
    """

    likelihood: LikelihoodTerm | None = None
    wasserstein: WassersteinTerm | None = None
    sliced_wasserstein: SlicedWassersteinTerm | None = None
    mmd: MmdTerm | None = None

    @classmethod
    def likelihood_alone(cls) -> Self:
        """Return what is minimised where nothing is said."""
        return cls(likelihood=LikelihoodTerm())

    @model_validator(mode="before")
    @classmethod
    def _shorthands(cls, value: Any) -> Any:
        if isinstance(value, str):
            if value not in cls.model_fields:
                msg = f"there is no such loss; choose among {', '.join(cls.model_fields)}"
                raise ValueError(msg)
            return {value: {}}
        if not isinstance(value, dict):
            return value
        return {
            name: {"weight": term} if isinstance(term, (int, float)) else term
            for name, term in value.items()
        }

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.terms:
            msg = f"no loss has a weight; give at least one of {', '.join(type(self).model_fields)}"
            raise ValueError(msg)
        return self

    @property
    def terms(self) -> dict[str, LossTerm]:
        """The losses that count, by name."""
        found = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: term for name, term in found.items() if term is not None}

    @property
    def compares_samples(self) -> bool:
        """Whether showers have to be drawn to know the loss."""
        return any(name != "likelihood" for name in self.terms)
