"""Whether something fits in memory, asked before it is tried: a process killed says nothing."""

from __future__ import annotations

import torch

from fastcaloq_infer import memory
from fastcaloq_infer.errors import InputError

__all__ = ["available_memory", "refuse_too_large"]


def available_memory(device: torch.device | None = None) -> int | None:
    """Return the bytes that a device (None: the processor) has left; None where it is unknown."""
    if device is not None and device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return memory.available_memory()


def refuse_too_large(needed: int, what: str, device: torch.device | None = None) -> None:
    """Refuse what needs more memory than there is.

    Parameters
    ----------
    needed
        Bytes.
    what
        Subject of the message, with the file it came from.
    device
        Where it should lie; None: the processor's memory.

    Raises
    ------
    InputError
        With the memory that is needed and that there is.
    """
    available = available_memory(device)
    if available is not None and needed > available:
        raise InputError(
            f"{what} need {needed / 2**30:.1f} GiB of memory, of which {available / 2**30:.1f} GiB "
            "are available; train on fewer showers or on a larger machine"
        )
