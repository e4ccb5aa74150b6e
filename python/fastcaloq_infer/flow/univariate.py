"""The law of an elementwise bijection whose parameters a subnet provides."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Univariate"]


class Univariate(ABC):
    """A strictly increasing map of the real line, one for each element of (N, A).

    Parameters come parameter-major, (N, n_parameters, A): all elements of one parameter lie side
    by side, which is the order the C++ kernels read.  All zeros mean (nearly) the identity.
    """

    n_parameters: int
    groups: tuple[int, ...]
    """How many of them each of the networks sets, where they are apart: s and t, for example."""

    @abstractmethod
    def forward(self, x: Tensor, parameters: Tensor) -> tuple[Tensor, Tensor]:
        """Return y = f(x) and log f'(x), both (N, A)."""

    @abstractmethod
    def inverse(self, y: Tensor, parameters: Tensor) -> tuple[Tensor, Tensor]:
        """Return x = f^-1(y) and log (f^-1)'(y), both (N, A)."""
