"""The parts of a model card that describe the network: flow blocks and conditioning."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from fastcaloq_infer.artefact.sections import (
    Count,
    NonNegative,
    Positive,
    Range,
    Section,
    check_range,
)

CONDITION: Final = 2
"""Numbers of the scaled condition: log energy and abs(eta)."""


class SplineBlock(Section):
    """Rational-quadratic spline coupling with identity tails outside [-tail_bound, tail_bound]."""

    kind: Literal["spline"] = "spline"
    passive: Annotated[int, Field(ge=0)]
    active: Count
    bins: Annotated[int, Field(ge=2)]
    tail_bound: Positive
    min_bin_width: Positive
    min_bin_height: Positive
    min_derivative: Annotated[float, Field(gt=0, lt=1)]

    @model_validator(mode="after")
    def _room(self) -> SplineBlock:
        if max(self.min_bin_width, self.min_bin_height) * self.bins >= 1:
            raise ValueError(f"{self.bins} bins of the smallest size leave no room in the spline")
        return self

    @property
    def n_parameters(self) -> int:
        """Parameters per transformed element: K widths, K heights, K - 1 derivatives."""
        return 3 * self.bins - 1


class AffineBlock(Section):
    """Affine coupling whose log-scale is bounded by ``log_scale_bound * tanh``."""

    kind: Literal["affine"] = "affine"
    passive: Annotated[int, Field(ge=0)]
    active: Count
    log_scale_bound: Positive

    @property
    def n_parameters(self) -> int:
        """Parameters per transformed element: log-scale and shift."""
        return 2


Block = Annotated[SplineBlock | AffineBlock, Field(discriminator="kind")]


class CardCircuit(Section):
    """A circuit, and the degree of the monomials of its inputs that its phases need."""

    n_qubits: Count
    n_layers: Count
    n_inputs: Count
    encoding: str
    ansatz: str
    reuploading: bool
    observables: str
    monomial_degree: Literal[1, 2]


class CardSubnet(Section):
    """Subnets made of circuits: ``networks`` of one description per block, then a linear read-out.

    Inputs are tanh(a / ``coordinate_scale``) of the passive coordinates a, and the condition.
    """

    circuit: CardCircuit
    networks: Count
    coordinate_scale: Positive


class CardFlow(Section):
    """Architecture of the flow: its blocks in data-to-latent order and their common subnet.

    With ``subnet`` the subnets are circuits, which have no hidden layers.
    """

    blocks: Annotated[tuple[Block, ...], Field(min_length=1)]
    hidden: tuple[Count, ...]
    activation: Literal["relu", "silu"]
    subnet: CardSubnet | None = None

    @model_validator(mode="after")
    def _circuits_fit(self) -> CardFlow:
        if self.subnet is None:
            return self
        if self.hidden:
            raise ValueError("subnets that are circuits have no hidden layers")
        inputs = self.subnet.circuit.n_inputs
        for index, block in enumerate(self.blocks):
            if block.passive + CONDITION != inputs:
                raise ValueError(
                    f"block {index} has {block.passive} passive coordinates and {CONDITION} "
                    f"conditions for circuits of {inputs} inputs"
                )
        return self


class Table(Section):
    """The precomputed conditioner: a uniform grid in log(E_inc/MeV) and abs(eta), cubic between.

    ``max_error`` is the largest absolute interpolation error of a feature measured between the
    nodes; ``feature_range`` is the widest range (largest minus smallest value) of any feature.
    """

    log_energy: Range
    eta: tuple[NonNegative, NonNegative]
    n_energy: Annotated[int, Field(ge=4)]
    n_eta: Count
    max_error: NonNegative
    feature_range: NonNegative

    @model_validator(mode="after")
    def _grid(self) -> Table:
        check_range("log_energy", self.log_energy, degenerate=False)
        check_range("eta", self.eta)
        if self.n_eta in (2, 3) or (self.n_eta > 1 and self.eta[0] == self.eta[1]):
            raise ValueError(
                "n_eta must be 1 where features do not depend on eta and 4 or more over a range, "
                f"not {self.n_eta}"
            )
        return self


EMBEDDABLE: Final = ("conditioner", "classical")
"""Kinds of conditioning a graph can carry as nodes; the others are precomputed or served."""


class CardConditioning(Section):
    """What turns the condition into features, and how that is stored in the file.

    In mode ``served`` the features are an input of the graph (``quantum``) and come from a service
    that holds the conditioner named by ``version`` (see
    `fastcaloq_infer.conditioning.version.conditioner_version`); a table may be there as fall-back.
    """

    kind: Literal["conditioner", "classical", "multilinear", "fourier", "none"]
    mode: Literal["precomputed", "embedded", "served", "none"]
    features: Annotated[int, Field(ge=0)]
    circuit: CardCircuit | None
    hidden: tuple[Count, ...] | None
    table: Table | None
    version: Annotated[str, Field(pattern="^[0-9a-f]{16}$")] | None = None

    @model_validator(mode="after")
    def _consistent(self) -> CardConditioning:
        for name, present, wanted in (
            ("features", self.features > 0, self.kind != "none"),
            ("a mode", self.mode != "none", self.kind != "none"),
            ("a circuit", self.circuit is not None, self.kind == "conditioner"),
            ("hidden widths", self.hidden is not None, self.kind == "classical"),
            ("a table", self.table is not None, self.mode == "precomputed"),
        ):
            if name == "a table" and self.mode == "served":
                continue  # with or without
            if present != wanted:
                raise ValueError(
                    f"kind {self.kind!r} in mode {self.mode!r} "
                    f"{'needs' if wanted else 'cannot have'} {name}"
                )
        if self.circuit is not None and self.circuit.n_inputs != CONDITION:
            raise ValueError(
                f"a circuit of {self.circuit.n_inputs} inputs cannot see the {CONDITION} conditions"
            )
        if self.mode == "served" and self.version is None:
            raise ValueError("mode 'served' needs a version, by which the service is recognised")
        if self.mode == "embedded" and self.kind not in EMBEDDABLE:
            raise ValueError(f"kind {self.kind!r} cannot be embedded in a graph")
        return self
