"""The chain of coupling blocks that a configuration describes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastcaloq_infer.flow.affine import Affine
from fastcaloq_infer.flow.coupling import Coupling, CouplingBlock
from fastcaloq_infer.flow.permutation import coupling_permutations
from fastcaloq_infer.flow.spline import RationalQuadraticSpline
from fastcaloq_infer.flow.transform import Composition

if TYPE_CHECKING:
    from fastcaloq_infer.flow.config import FlowConfig
    from fastcaloq_infer.flow.univariate import Univariate

__all__ = ["coupling_blocks"]


def coupling_blocks(config: FlowConfig, features: int, context: int) -> Composition:
    """Return blocks over ``features`` coordinates whose subnets see ``context`` numbers besides.

    In every block the first half of the permuted coordinates (rounded down) is passive.
    """
    passive = features // 2
    permutations = coupling_permutations(
        features, passive, config.n_blocks, config.permutation_seed
    )
    return Composition(
        CouplingBlock(
            permutation,
            Coupling(
                features, passive, context, _univariate(config), config.hidden, config.activation
            ),
        )
        for permutation in permutations
    )


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
