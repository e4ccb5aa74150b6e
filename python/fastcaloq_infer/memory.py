"""How much memory this process may still take."""

from __future__ import annotations

import os
from pathlib import Path

_CGROUPS = (
    ("memory.max", "memory.current", "inactive_file", Path("/sys/fs/cgroup")),
    (
        "memory.limit_in_bytes",
        "memory.usage_in_bytes",
        "total_inactive_file",
        Path("/sys/fs/cgroup/memory"),
    ),
)
"""Files of limit and use, and what of the use is the cache of files, which would be given back."""


def available_memory() -> int | None:
    """Return the bytes that this process may still take, or None where nobody says.

    What the machine has left, less where the batch system or a container sets a limit.
    """
    limits = [found for found in (_machine(), *map(_group, _CGROUPS), _process()) if found]
    return min(limits, default=None)


def _machine() -> int | None:
    """Return what can be had without swapping (Linux), or else all memory there is."""
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):
        return None


def _group(names: tuple[str, str, str, Path]) -> int | None:
    """Return what the control group of a container or batch job leaves."""
    limit_name, used_name, cache_name, folder = names
    try:
        limit, used = (
            int((folder / name).read_text(encoding="ascii")) for name in (limit_name, used_name)
        )
        words = (folder / "memory.stat").read_text(encoding="ascii").split()
        cache = int(words[words.index(cache_name) + 1])
    except (OSError, ValueError):  # no such group, or "max": no limit
        return None
    return max(limit - used + cache, 1)


def _process() -> int | None:
    """Return what the limit of the address space (ulimit -v) leaves."""
    try:
        import resource

        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        if limit == resource.RLIM_INFINITY:
            return None
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        return max(limit - pages * os.sysconf("SC_PAGE_SIZE"), 1)
    except (ImportError, OSError, ValueError):
        return None


def gigabytes(size: int) -> str:
    """Write a number of bytes as people read it."""
    return f"{size / 1e9:,.1f} GB" if size >= 1e8 else f"{size / 1e6:,.1f} MB"
