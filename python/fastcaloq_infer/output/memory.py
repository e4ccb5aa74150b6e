"""How much memory a chunk of showers takes, and how much there is."""

from __future__ import annotations

import os
from pathlib import Path

from fastcaloq_infer.errors import InputError

_CHUNK_BYTES = 128 << 20  # larger chunks do not write faster: new pages cost more than they save
_LARGEST = 4  # times as many for productions of many chunks
_ENERGY_ONLY = 100_000
_CGROUPS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    (
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes",
    ),
)


def bytes_per_shower(n_layers: int, n_voxels: int) -> int:
    """Return the memory that one shower takes at most while it is drawn and written.

    A voxel is held as drawn, as a mark whether it is occupied, as number, layer and energy in the
    byte order of the file, compressed, and once more as the chunk before is being written: 48
    bytes where every voxel has energy.
    """
    return 48 * (n_layers + n_voxels + 8)


def default_chunk(n: int, n_voxels: int = 0, n_layers: int = 0) -> int:
    """Return how many showers to draw and write at a time.

    Layer energies: 100,000 keep memory near 10 MB. Whole showers: as many as fit in 128 MB. A
    TTree rewrites its list of baskets with every chunk, so the chunks of long productions grow to
    keep that list short: up to a million, or up to 512 MB; never beyond half of the memory that is
    free.
    """
    if n_voxels == 0:
        return min(max(_ENERGY_ONLY, n // 200), 1_000_000)
    size = bytes_per_shower(n_layers, n_voxels)
    rows = max(1, _CHUNK_BYTES // size)
    rows = min(max(rows, n // 2000), _LARGEST * rows)
    available = available_memory()
    return rows if available is None else max(1, min(rows, available // 2 // size))


def check_chunk(chunk: int, n_layers: int, n_voxels: int) -> None:
    """Refuse a chunk that does not fit in memory, before the work begins.

    Raises
    ------
    InputError
        It needs more than is available; the message has both sizes.
    """
    size = bytes_per_shower(n_layers, n_voxels)
    available = available_memory()
    if available is not None and chunk * size > available:
        raise InputError(
            f"a chunk of {chunk:,} showers needs up to {_gigabytes(chunk * size)} of memory and "
            f"{_gigabytes(available)} are available; draw at most {available // size:,} at a time "
            "(--chunk)"
        )


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


def _group(files: tuple[str, str]) -> int | None:
    """Return what the control group of a container or batch job leaves."""
    try:
        limit, used = (int(Path(file).read_text(encoding="ascii")) for file in files)
    except (OSError, ValueError):  # no such group, or "max": no limit
        return None
    return max(limit - used, 1)


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


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:,.1f} GB" if size >= 1e8 else f"{size / 1e6:,.1f} MB"
