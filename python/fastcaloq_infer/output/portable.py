"""Arithmetic that gives the same bits on every machine."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LN2_HIGH = float.fromhex("0x1.62e42fee00000p-1")  # ln 2 to 33 bits: n * _LN2_HIGH is exact
_LN2_LOW = float.fromhex("0x1.a39ef35793c76p-33")


def portable_exp(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Exponential of x (any shape) by sums and products alone, to about 2 units in the last place.

    NumPy's own differs in the last bit between instruction sets; on a farm of mixed machines one
    energy in 10^8 would then differ in float32, and with it the shower.
    """
    n = np.rint(x * (1.0 / math.log(2.0)))
    r = (x - n * _LN2_HIGH) - n * _LN2_LOW
    series = np.ones_like(r)
    for k in range(14, 0, -1):  # |r| <= 0.35: the next term is below 1e-18
        series = 1.0 + r * series / k
    return np.ldexp(series, n.astype(np.int32))
