"""The configuration of a WGAN: typed, unknown keys refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveFloat, PositiveInt

from fastcaloq_infer.training.config import DataConfig
from fastcaloq_infer.training.config_errors import validate

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["WganConfig"]

_WIDEST = 4096  # far beyond use; a slip of the keyboard should not ask for all memory
Width = Annotated[int, Field(ge=1, le=_WIDEST)]
Fraction = Annotated[float, Field(ge=0, lt=1)]


class WganConfig(BaseModel):
    """Everything that decides what a training does; two equal ones give the same generator.

    The defaults of ``n_critic``, ``gradient_penalty`` and ``betas`` are those of Gulrajani et al.
    (arXiv:1704.00028, algorithm 1).
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, protected_namespaces=()
    )

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    particle: Literal["photon", "electron", "pion"]
    seed: NonNegativeInt = 0
    data: DataConfig = DataConfig()
    output: Literal["layers", "voxels"] = Field(
        "layers", description="what the generator gives: layer energies, or whole showers"
    )
    latent: Width = Field(16, description="normal random numbers per shower")
    generator: tuple[Width, ...] = Field((128, 128), description="widths of the hidden layers")
    critic: tuple[Width, ...] = Field((128, 128), description="widths of the hidden layers")
    resolution: PositiveFloat = Field(
        1e-3, description="part of the incident energy below which a deposit is seen linearly"
    )
    layer_resolution: PositiveFloat = Field(
        1e-4, description="the same for the layers of whole showers"
    )
    smallest_scale: PositiveFloat = Field(
        0.05, description="of log(1 + E / (resolution E_inc)); a deposit seen once is no outlier"
    )
    n_critic: PositiveInt = Field(5, description="steps of the critic per step of the generator")
    gradient_penalty: PositiveFloat = Field(10.0, description="lambda")
    lr: PositiveFloat = Field(1e-3, description="peak learning rate of both networks")
    betas: tuple[Fraction, Fraction] = (0.0, 0.9)
    warm_up: Fraction = Field(0.02, description="part of the training in which the rate rises")
    end_factor: Annotated[float, Field(ge=0, le=1)] = 0.02
    batch_size: PositiveInt = 256
    steps: PositiveInt = Field(description="steps of the generator")
    ema_decay: Fraction = Field(0.998, description="of the generator's averaged weights")
    evaluate_every: PositiveInt = Field(250, description="steps between looks at held-out showers")
    threads: Annotated[int, Field(ge=1, le=1024)] | None = Field(
        None, description="torch threads; null: torch's choice"
    )

    @classmethod
    def from_dict(
        cls, raw: dict[str, Any], *, source: str = "configuration", folder: Path | None = None
    ) -> WganConfig:
        """Build a configuration from plain data, as `TrainConfig.from_dict` does.

        Raises
        ------
        ConfigError
            Unknown, missing or impossible keys, in one line.
        """
        return validate(cls, raw, source, {"folder": folder})
