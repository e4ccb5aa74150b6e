"""The optimiser of a training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch.optim import AdamW

if TYPE_CHECKING:
    from torch import nn

    from fastcaloq_infer.training.config import OptimiserConfig

__all__ = ["adamw"]


def adamw(model: nn.Module, config: OptimiserConfig) -> AdamW:
    """Return the optimiser; matrices decay, biases and normalisations do not.

    Decay on the normalisation would pull the scale of the data towards 1.
    """
    free = [p for p in model.parameters() if p.requires_grad]
    matrices, vectors = [p for p in free if p.ndim >= 2], [p for p in free if p.ndim < 2]
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
