"""Whether something fits in memory, asked before it is tried: a process killed says nothing."""

from __future__ import annotations

from pathlib import Path

import torch

from fastcaloq_infer.errors import InputError

__all__ = ["available_memory", "refuse_too_large"]

_MEMORY = Path("/proc/meminfo")
_LIMITS = Path("/sys/fs/cgroup")


def available_memory(device: torch.device | None = None) -> int | None:
    """Return the bytes that a device (None: the processor) has left; None where it is unknown."""
    if device is not None and device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    found = [bytes_ for bytes_ in (_machine(), _container()) if bytes_ is not None]
    return min(found, default=None)


def _machine() -> int | None:
    try:
        lines = _MEMORY.read_text().splitlines()
        kilobytes = next(line for line in lines if line.startswith("MemAvailable:")).split()[1]
    except (OSError, StopIteration):
        return None
    return int(kilobytes) * 1024


def _container() -> int | None:
    """Return what the control group leaves; its file cache would be given back."""
    try:
        limit, used = ((_LIMITS / f"memory.{name}").read_text() for name in ("max", "current"))
        statistics = (_LIMITS / "memory.stat").read_text().split()
        cache = statistics[statistics.index("inactive_file") + 1]
        return max(int(limit) - int(used) + int(cache), 0)  # "max": no limit, a ValueError
    except (OSError, ValueError):
        return None


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
