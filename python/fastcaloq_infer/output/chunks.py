"""How many showers to draw and write at a time, by the memory that they take."""

from __future__ import annotations

from fastcaloq_infer.errors import InputError
from fastcaloq_infer.memory import available_memory, gigabytes

_CHUNK_BYTES = 128 << 20  # larger chunks do not write faster: new pages cost more than they save
_LARGEST = 4  # times as many for productions of many chunks
_ENERGY_ONLY = 100_000


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
            f"a chunk of {chunk:,} showers needs up to {gigabytes(chunk * size)} of memory and "
            f"{gigabytes(available)} are available; draw at most {available // size:,} at a time "
            "(--chunk)"
        )
