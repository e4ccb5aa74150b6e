"""Which incident energy (or pseudorapidity) an event gets: a function of seed and event alone.

So a production gives the same showers however its events are split over chunks, files and
machines. Three forms, as written after ``--energies``:

* ``1024,2048`` (one value or several): event e gets value e mod k;
* ``256:65536``: drawn log-uniformly between the two;
* ``from:FILE.hdf5`` (CaloChallenge) or ``from:FILE.root``: event e gets the energy in row e mod
  rows of that file.

Random values come from the same counter-based generator as the latents, from a stream of their
own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from fastcaloq_infer.errors import InputError
from fastcaloq_infer.output.portable import portable_exp

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Stream of the counter-based generator that incident energies and eta are drawn from.
CONDITION_STREAM = 2


class Spectrum(Protocol):
    """A law that gives every event its value."""

    @property
    def bounds(self) -> tuple[float, float]:
        """Smallest and largest value it can give."""

    def draw(self, seed: int, event: NDArray[np.uint64]) -> NDArray[np.float32]:
        """Return the values (N,) float32 of the events (N,) uint64."""

    def __str__(self) -> str:
        """Return the text that :func:`parse_energies` or :func:`parse_eta` reads back."""


@dataclass(frozen=True)
class Cycle:
    """Value number e mod k for event e, from k values in a fixed order."""

    values: NDArray[np.float32]
    text: str

    @property
    def bounds(self) -> tuple[float, float]:
        """Smallest and largest of the values."""
        return float(self.values.min()), float(self.values.max())

    def draw(self, seed: int, event: NDArray[np.uint64]) -> NDArray[np.float32]:
        """Return value e mod k of every event; the seed plays no part."""
        values: NDArray[np.float32] = self.values[event % np.uint64(len(self.values))]
        return values

    def __str__(self) -> str:
        """Return the form it was parsed from."""
        return self.text


@dataclass(frozen=True)
class Continuous:
    """Uniform between ``low`` and ``high``, or uniform in the logarithm.

    ``column`` separates independent values of one event: 0 the energy, 1 the pseudorapidity.
    """

    low: float
    high: float
    logarithmic: bool
    column: int

    @property
    def bounds(self) -> tuple[float, float]:
        """The two ends of the range."""
        return self.low, self.high

    def draw(self, seed: int, event: NDArray[np.uint64]) -> NDArray[np.float32]:
        """Return one value per event, drawn with the key (seed, event)."""
        u = _uniforms(seed, event, self.column)
        if self.logarithmic:
            values = self.low * portable_exp(u * math.log(self.high / self.low))
        else:
            values = self.low + (self.high - self.low) * u
        # Rounding to float32 may step over an end, and the model would refuse that shower.
        return values.astype(np.float32).clip(np.float32(self.low), np.float32(self.high))

    def __str__(self) -> str:
        """Return the form it was parsed from."""
        return f"{self.low!r}:{self.high!r}"


def parse_energies(text: str) -> Spectrum:
    """Read the argument of ``--energies``, in MeV.

    Raises
    ------
    InputError
        The text has none of the forms above, an energy is not finite and positive, or the file
        has no usable energies.
    """
    if text.startswith("from:"):
        path = Path(text.removeprefix("from:")).expanduser()
        return Cycle(_file_energies(path), f"from:{path}")
    forms = "write 65536, 1024,2048, 256:65536 (MeV) or from:FILE.hdf5"
    if ":" in text:
        low, high = _range(text, "energies", forms)
        if not 0 < low < high:
            raise InputError(
                f"energies '{text}': a range needs 0 < low < high, as it is drawn uniformly in "
                f"the logarithm; {forms}"
            )
        return Continuous(low, high, logarithmic=True, column=0)
    values = _numbers(text, "energies", forms)
    _check_energies(values, f"energies '{text}'")
    return Cycle(values, text)


def parse_eta(text: str) -> Spectrum:
    """Read the argument of ``--eta``: values to cycle through, or a range drawn uniformly.

    Raises
    ------
    InputError
        The text has neither form, or a value is not finite.
    """
    forms = "write 0.2, 0.2,0.4 or 0.2:0.4"
    if ":" in text:
        low, high = _range(text, "eta", forms)
        if not low < high:
            raise InputError(f"eta '{text}': a range needs low < high; {forms}")
        return Continuous(low, high, logarithmic=False, column=1)
    return Cycle(_numbers(text, "eta", forms), text)


def energies_of_validity(low: float, high: float) -> Spectrum:
    """Return the energies of a model's whole range, log-uniform (or its one energy), MeV."""
    if low == high:
        return Cycle(np.array([low], np.float32), repr(low))
    return Continuous(low, high, logarithmic=True, column=0)


def eta_of_validity(low: float, high: float) -> Spectrum:
    """Return the pseudorapidities of a model's whole range, uniform (or its one value)."""
    if low == high:
        return Cycle(np.array([low], np.float32), repr(low))
    return Continuous(low, high, logarithmic=False, column=1)


def _numbers(text: str, what: str, forms: str) -> NDArray[np.float32]:
    try:
        values = np.array([float(word) for word in text.split(",")])
    except ValueError as error:
        raise InputError(f"{what} '{text}' cannot be read as numbers; {forms}") from error
    if not (np.abs(values) <= np.finfo(np.float32).max).all():
        raise InputError(f"{what} '{text}' holds a value that is not finite in float32; {forms}")
    return values.astype(np.float32)


def _range(text: str, what: str, forms: str) -> tuple[float, float]:
    words = text.split(":")
    if len(words) != 2:
        raise InputError(f"{what} '{text}' is not a range of two numbers; {forms}")
    if not all(word.strip() for word in words):
        raise InputError(f"{what} '{text}' lacks an end of its range; {forms}")
    for word in words:
        _numbers(word, what, forms)
    # As written: float32 has no 0.2, and a law must mean the same when its text is read again.
    low, high = map(float, words)
    return low, high


def _check_energies(values: NDArray[np.float32], where: str) -> None:
    bad = np.flatnonzero(~(np.isfinite(values) & (values > 0)))
    if bad.size:
        raise InputError(
            f"{where}: entry {bad[0]} is {values[bad[0]]} MeV, but an incident energy must be "
            "finite and positive; correct it"
        )


def _file_energies(path: Path) -> NDArray[np.float32]:
    """Read the incident energies (N,) in MeV of a CaloChallenge HDF5 or of our ROOT file."""
    if not path.is_file():
        raise InputError(
            f"'{path}' is no file, so no energies can be taken from it; write from:FILE.hdf5"
        )
    try:
        if path.suffix == ".root":
            import uproot

            with uproot.open(path) as file:
                values = file["showers"]["incident_energy"].array(library="np")
        else:
            import h5py

            with h5py.File(path) as file:
                values = file["incident_energies"][()]
        values = np.asarray(values)
    except Exception as error:  # damage shows as almost any exception, uproot's share no base
        raise InputError(
            f"cannot read incident energies from {path}; expected a readable file: CaloChallenge "
            "HDF5 with the dataset 'incident_energies', or ROOT written by 'fastcaloq sample'"
        ) from error
    if values.dtype.kind not in "fiu":
        raise InputError(
            f"cannot read incident energies from {path}: they are {values.dtype} and not real "
            "numbers; correct the file"
        )
    with np.errstate(over="ignore"):  # beyond float32 becomes inf, which is refused with its row
        values = values.astype(np.float32).reshape(-1)
    if values.size == 0:
        raise InputError(f"{path} holds no showers, so no energies can be taken from it")
    _check_energies(values, str(path))
    return values


def _uniforms(seed: int, event: NDArray[np.uint64], column: int) -> NDArray[np.float64]:
    """Return numbers (N,) uniform in (0, 1], keyed by (seed, event), independent between columns.

    Two independent normals have a squared radius that is exponential with mean 2, so
    exp(-r^2/2) is uniform: the radius of Box and Muller read backwards.
    """
    from fastcaloq_infer import _core

    particle = np.zeros(event.shape, np.uint32)
    normals = _core.latents(seed, event, particle, 4, stream=CONDITION_STREAM)
    pair = normals[:, 2 * column : 2 * column + 2].astype(np.float64)
    squares = pair * pair
    return portable_exp(-0.5 * (squares[:, 0] + squares[:, 1]))
