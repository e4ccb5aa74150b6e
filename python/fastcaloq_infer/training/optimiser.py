"""The optimiser of a training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch.optim import AdamW

from fastcaloq_infer.flow.shape.network import StaircaseLinear

if TYPE_CHECKING:
    from torch import nn

    from fastcaloq_infer.training.config import OptimiserConfig

__all__ = ["adamw"]


def adamw(model: nn.Module, config: OptimiserConfig) -> AdamW:
    """Return the optimiser; matrices decay, biases and normalisations do not.

    Decay on the normalisation would pull the scale of the data towards 1.
    """
    stored_flat = {m.weight for m in model.modules() if isinstance(m, StaircaseLinear)}
    matrices: list[nn.Parameter] = []
    vectors: list[nn.Parameter] = []
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            matrix = parameter.ndim >= 2 and not name.endswith("bias")
            (matrices if matrix or parameter in stored_flat else vectors).append(parameter)
    groups = [
        {"params": matrices, "weight_decay": config.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    return AdamW(
        [group for group in groups if group["params"]],
        lr=config.lr,
        betas=config.betas,
        eps=config.eps,
        fused=True,
    )
