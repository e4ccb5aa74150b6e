"""What every conditioner is: a map from the scaled condition to features."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from torch import Tensor, nn

from fastcaloq_infer.errors import ConfigError, InputError

if TYPE_CHECKING:
    from fastcaloq_infer.conditioning.perceptron import MLPConstants
    from fastcaloq_infer.quantum.constants import CircuitConstants


class Conditioner(nn.Module):
    """Base: maps the condition c (B, 2) in [-1, 1] to features (B, n_features).

    The features have the dtype of c. They lie in [-1, 1], save those of a free table and of a
    trained linear map.
    """

    kind: ClassVar[str]
    n_features: int

    @property
    def n_parameters(self) -> int:
        """Numbers that make the conditioner what it is, trained or fixed."""
        return sum(p.numel() for p in self.parameters())

    @property
    def n_trained(self) -> int:
        """Those of them that a training changes."""
        return sum(p.numel() for p in self.parameters() if p.requires_grad)

    def checked(self, c: Tensor, n_inputs: int) -> Tensor:
        """Return ``c`` if its shape is (B, n_inputs).

        Raises
        ------
        InputError
            It is not.
        """
        if c.ndim != 2 or c.shape[1] != n_inputs:
            raise InputError(
                f"conditioner: the input has shape {tuple(c.shape)}, but {n_inputs} numbers per "
                f"sample are needed: pass (B, {n_inputs})"
            )
        return c

    def forward(self, c: Tensor) -> Tensor:
        """Features (N, Q) of the scaled conditions ``c`` (N, 2), in the dtype of ``c``."""
        raise NotImplementedError

    def export_constants(self) -> CircuitConstants | MLPConstants | None:
        """Constants of the embedded form, float64; None where there is nothing to embed.

        Raises
        ------
        ConfigError
            The kind has no embedded form.
        """
        raise ConfigError(
            f"conditioning of kind {self.kind!r} cannot be embedded in a model file, because the "
            "sampler has no code for it; export it precomputed"
        )
