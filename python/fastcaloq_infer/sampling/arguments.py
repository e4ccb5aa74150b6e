"""From what users pass to the arrays the engines read."""

from __future__ import annotations

from operator import index
from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.errors import InputError
from fastcaloq_infer.memory import available_memory, gigabytes

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_TWO_64 = 2**64
_ALWAYS_FITS = 64 << 20  # bytes: asking the system takes longer than drawing one shower


def as_floats(values: ArrayLike, name: str) -> NDArray[np.float32]:
    """Convert to a C-contiguous float32 array of shape () or (N,); (N, 1) counts as (N,).

    Raises
    ------
    InputError
        Values that are no real numbers, or of another shape.
    """
    if isinstance(values, np.ndarray) and values.dtype == np.float32 and values.ndim == 1:
        return np.ascontiguousarray(values)  # the rest takes longer than drawing one shower
    try:
        array = np.asarray(values)
    except ValueError:
        raise InputError(
            f"{name} is ragged, so it has no row for each particle: give one number or a flat list"
        ) from None
    if array.dtype.kind not in "fiu":
        raise InputError(
            f"{name} holds {array.dtype} and not real numbers, so it cannot be used: "
            "give one number or an array of them"
        )
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim > 1:
        raise InputError(
            f"{name} has shape {array.shape} where (N,) belongs, a number for each particle: "
            "reshape it"
        )
    with np.errstate(over="ignore"):  # beyond float32 becomes inf, which is refused with its row
        return np.ascontiguousarray(array, dtype=np.float32).reshape(array.shape)


def rows(
    incident_energies: ArrayLike, eta: ArrayLike, n: int | None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Energies [MeV] and eta, (N,) each: single numbers are repeated to the length of the other.

    Raises
    ------
    InputError
        Lengths that do not agree with each other or with ``n``, or more rows than fit in memory.
    """
    energies, etas = as_floats(incident_energies, "incident_energies"), as_floats(eta, "eta")
    if n is None and energies.ndim == 1 and energies.shape == etas.shape:
        return energies, etas
    lengths = {
        name: array.size
        for name, array in (("incident_energies", energies), ("eta", etas))
        if array.ndim == 1
    }
    if n is not None:
        lengths["n"] = whole_number(n, "n", 2**31)
    if len(set(lengths.values())) > 1:
        raise InputError(
            "lengths disagree, so it is open how many showers are wanted: "
            + ", ".join(f"{name} {length}" for name, length in lengths.items())
        )
    length = next(iter(lengths.values()), 1)
    check_memory(length, 5, voxels=False)  # energy, eta, particle, and twice for the event
    return _repeated(energies, length), _repeated(etas, length)


def _repeated(array: NDArray[np.float32], length: int) -> NDArray[np.float32]:
    return array if array.ndim == 1 else np.full(length, array, dtype=np.float32)


def events(first_event: int, n: int) -> NDArray[np.uint64]:
    """Event numbers ``first_event`` ... ``first_event + n - 1``, (n,) uint64.

    Raises
    ------
    InputError
        ``first_event`` negative, or the last number above 64 bits: events would repeat.
    """
    first = whole_number(first_event, "first_event", _TWO_64)
    if first + n > _TWO_64:
        raise InputError(
            f"event numbers from {first} on exceed 64 bits, so showers would repeat: start lower"
        )
    numbers = np.arange(n, dtype=np.uint64)
    if first:
        numbers += np.uint64(first)
    return numbers


def whole_number(value: int, name: str, limit: int = _TWO_64) -> int:
    """Return ``value`` as an int in [0, limit).

    Raises
    ------
    InputError
        Anything else.
    """
    try:
        number = index(value)
    except TypeError:
        number = -1
    if not 0 <= number < limit:
        raise InputError(
            f"{name} is {value!r}, and must be a whole number from 0 to {limit - 1}: correct it"
        )
    return number


def latents(z: ArrayLike, name: str, n: int, n_columns: int, column: str) -> NDArray[np.float32]:
    """Latents as a C-contiguous float32 array (n, n_columns), one for each ``column``.

    Raises
    ------
    InputError
        Another shape, or no real numbers.
    """
    try:
        array = np.asarray(z)
    except ValueError:
        raise InputError(
            f"{name} is ragged where ({n}, {n_columns}) belongs, a latent for each shower and "
            f"{column}: give rows of equal length"
        ) from None
    if array.dtype.kind not in "fiu" or array.shape != (n, n_columns):
        raise InputError(
            f"{name} is {array.dtype} of shape {array.shape} where float32 of shape "
            f"({n}, {n_columns}) belongs, a latent for each shower and {column}: reshape it"
        )
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(array, dtype=np.float32)


def want_voxels(voxels: bool | None, n_voxels: int) -> bool:
    """Whether to draw voxels from a model that has ``n_voxels``; None: if it has any.

    Raises
    ------
    InputError
        The model has none, or ``voxels`` is neither True, False nor None.
    """
    if voxels is None:
        return n_voxels > 0
    if not isinstance(voxels, bool | np.bool_):
        raise InputError(
            f"voxels is {voxels!r}, and must be True, False or None (what the model has): "
            "correct it"
        )
    if voxels and not n_voxels:
        raise InputError(
            "voxels were asked of a model that makes layer energies alone: leave voxels out, or "
            "take a model of whole showers"
        )
    return bool(voxels)


def check_memory(n: int, n_numbers: int, voxels: bool) -> None:
    """Refuse ``n`` showers of ``n_numbers`` float32 numbers each where memory has no room for them.

    Raises
    ------
    InputError
        With the memory that they take and that there is.
    """
    needed = 4 * n * n_numbers
    if needed < _ALWAYS_FITS:
        return
    available = available_memory()
    if available is not None and needed > available:
        alone = ", or energies alone (voxels=False)" if voxels else ""
        raise InputError(
            f"{n:,} showers of {n_numbers} numbers take {gigabytes(needed)} of memory, of which "
            f"{gigabytes(available)} are available: draw fewer at a time (first_event continues)"
            f"{alone}"
        )
