"""The compiled step: torch.compile, and one line where it cannot work."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, cast

import torch

from fastcaloq_infer.errors import ConfigError

if TYPE_CHECKING:
    from torch import Tensor, nn

    from fastcaloq_infer.training.objective import Objective

__all__ = ["compiled"]


def compiled(objective: Objective, device: torch.device) -> nn.Module:
    """Return an objective compiled but for its conditioner; its parameters are the same objects.

    The conditioner stays as it is: circuits are contracted by autograd functions of our own, whose
    shapes depend on the data.  Copies of the objective must have been made before.

    Raises
    ------
    ConfigError
        Nothing can be compiled for the device, as without a C++ compiler (processors) or Triton
        (GPUs).
    """
    # torch compiles at the first call, deep inside a step; a small trial fails here instead.
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of torch about torch
            torch.compile(_trial)(torch.ones(64, device=device))
    except Exception as error:  # torch wraps the compiler's trouble in errors of many kinds
        reason = next((line for line in str(error).splitlines() if line.strip()), "no reason given")
        raise ConfigError(
            f"'compile' is true, but torch.compile does not work here ({type(error).__name__}: "
            f"{reason.strip()[:120]}); install a C++ compiler that it finds, or set compile=false"
        ) from error
    conditioner = objective.flow.get_submodule("conditioner")
    conditioner.forward = torch.compiler.disable(  # type: ignore[no-untyped-call]
        conditioner.forward
    )
    return cast("nn.Module", torch.compile(objective))


def _trial(x: Tensor) -> Tensor:
    return torch.sin(x) * 2.0 + x.sum()
