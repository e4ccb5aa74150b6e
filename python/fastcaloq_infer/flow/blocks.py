"""The chain of coupling blocks that a configuration describes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastcaloq_infer.flow.affine import Affine
from fastcaloq_infer.flow.coupling import Coupling, CouplingBlock, Subnet
from fastcaloq_infer.flow.permutation import coupling_permutations
from fastcaloq_infer.flow.spline import RationalQuadraticSpline
from fastcaloq_infer.flow.transform import Composition

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastcaloq_infer.flow.config import FlowConfig
    from fastcaloq_infer.flow.coupling import CouplingNetwork
    from fastcaloq_infer.flow.univariate import Univariate

    Network = Callable[[int, int, Univariate], CouplingNetwork]

__all__ = ["coupling_blocks"]


def coupling_blocks(
    config: FlowConfig, features: int, context: int, network: Network | None = None
) -> Composition:
    """Return blocks over ``features`` coordinates whose subnets see ``context`` numbers besides.

    In every block the first half of the permuted coordinates (rounded down) is passive. A
    ``network`` makes the subnet of a block from the numbers of its passive and active coordinates
    and from what it gives parameters to; None: the perceptron that ``config`` describes.
    """
    passive = features // 2
    permutations = coupling_permutations(
        features, passive, config.n_blocks, config.permutation_seed
    )
    make = network or _perceptron(config, context)
    return Composition(
        CouplingBlock(permutation, _coupling(config, passive, features - passive, make))
        for permutation in permutations
    )


def _coupling(config: FlowConfig, passive: int, active: int, network: Network) -> Coupling:
    univariate = _univariate(config)
    return Coupling(passive, active, univariate, network(passive, active, univariate))


def _perceptron(config: FlowConfig, context: int) -> Network:
    def make(passive: int, active: int, univariate: Univariate) -> Subnet:
        outputs = univariate.n_parameters * active
        return Subnet(passive + context, config.hidden, outputs, config.activation)

    return make


def _univariate(config: FlowConfig) -> Univariate:
    if config.transform == "affine":
        return Affine(config.log_scale_bound)
    return RationalQuadraticSpline(
        config.bins,
        config.tail_bound,
        config.min_bin_width,
        config.min_bin_height,
        config.min_derivative,
    )
