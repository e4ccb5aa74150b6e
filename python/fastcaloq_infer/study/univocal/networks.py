"""The networks that are compared: classical ones of growing size, and measured registers."""

from __future__ import annotations

from fastcaloq_infer.flow.config import FlowConfig
from fastcaloq_infer.flow.kinds.swap_test.config import SwapTestConfig
from fastcaloq_infer.study.univocal.learning import Network

__all__ = ["NETWORKS"]

_BLOCKS = 4
_WIDTHS = (2, 4, 8, 16, 32, 64)


def _coupling(width: int) -> FlowConfig:
    return FlowConfig(transform="affine", n_blocks=_BLOCKS, hidden=(width,))


NETWORKS: tuple[Network, ...] = (
    *(
        Network(f"inn{width}", f"INN, {_BLOCKS} coupling blocks of width {width}", _coupling(width))
        for width in _WIDTHS
    ),
    Network(
        "hybrid",
        "register, then coupling blocks of width 8; NLL, fidelity and MMD",
        _coupling(8),
        SwapTestConfig(),
        mmd_weight=1.0,
    ),
    Network(
        "careless",
        "the same by NLL alone",
        _coupling(8),
        SwapTestConfig(fidelity_weight=0.0),
    ),
)
