"""Draw many showers in bounded memory and write them to one file, completely or not at all."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from fastcaloq_infer.errors import InputError
from fastcaloq_infer.files import atomic_path
from fastcaloq_infer.output.destination import check_destination
from fastcaloq_infer.output.schema import OutOfRange, Provenance, ShowersLike, columns
from fastcaloq_infer.output.spectrum import Spectrum, energies_of_validity, eta_of_validity
from fastcaloq_infer.output.writer import open_writer

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from fastcaloq_infer.artefact import Card
    from fastcaloq_infer.output.root import Compression, Container


class SamplerLike(Protocol):
    """What a production needs of ``sampling.Sampler``."""

    @property
    def card(self) -> Card:
        """The model's card."""

    @property
    def digest(self) -> str:
        """SHA-256 of the model file."""

    def sample(
        self,
        incident_energies: ArrayLike,
        *,
        eta: ArrayLike,
        seed: int,
        first_event: int,
        out_of_range: OutOfRange,
    ) -> ShowersLike:
        """Draw one shower per energy."""


@dataclass(frozen=True)
class Summary:
    """What a production did; times in seconds, size in bytes."""

    path: Path
    provenance: Provenance
    generation_seconds: float
    writing_seconds: float
    total_seconds: float
    size: int

    @property
    def showers_per_second(self) -> float:
        """Rate of the whole production, writing included."""
        return self.provenance.n_showers / self.total_seconds


def produce(
    sampler: SamplerLike,
    n: int,
    output: Path | str,
    *,
    energies: Spectrum | None = None,
    eta: Spectrum | None = None,
    seed: int = 0,
    first_event: int = 0,
    out_of_range: OutOfRange = "refuse",
    chunk: int | None = None,
    container: Container = "ttree",
    compression: Compression = "zstd",
    force: bool = False,
    command: str = "",
    progress: Callable[[int], None] | None = None,
) -> Summary:
    """Draw showers of the events ``first_event`` to ``first_event + n - 1`` into ``output``.

    The rows depend on model, seed and event numbers alone, not on ``chunk``: two productions of
    half the events each hold together what one production holds. Drawing and writing take turns:
    drawing keeps all cores busy and writing takes a small part of the time, so a thread for the
    writing would gain little.

    Parameters
    ----------
    sampler
        A ``sampling.Sampler``.
    n
        Number of showers, at least 1.
    output
        ``.root``, ``.hdf5`` or ``.h5``; appears under this name only once it is complete.
    energies, eta
        Laws of the incident energy in MeV and the pseudorapidity; by default all of the model's
        range of validity.
    seed, first_event
        Non-negative, below 2^64.
    out_of_range
        What to do with conditions outside of the range of validity.
    chunk
        Showers drawn and written at a time.
    container, compression
        Of ROOT files; HDF5 files are compressed by gzip, or not for ``none``.
    force
        Overwrite an existing file.
    command
        Command line for the provenance.
    progress
        Called with the number of showers done after every chunk.

    Raises
    ------
    InputError
        A number is out of range, or an energy or pseudorapidity is outside of what
        ``out_of_range`` allows: the range of validity for ``refuse``, of extrapolation for
        ``extrapolate``.
    OutputError
        The file cannot be written; nothing is left under its name.
    """
    output = Path(output)
    check_destination(output, force=force)
    card = sampler.card
    energies, eta = check_request(card, n, energies, eta, seed, first_event, out_of_range)
    layers = card.layer_ids
    chunk = chunk or default_chunk(n)
    generation = writing = 0.0
    n_out_of_range = 0
    fallback_before: int = getattr(sampler, "fallback_rows", 0)
    start = time.perf_counter()
    with atomic_path(output) as temporary:
        with open_writer(temporary, layers, container, compression) as writer:
            for first in range(first_event, first_event + n, chunk):
                rows = min(chunk, first_event + n - first)
                began = time.perf_counter()
                event = np.uint64(first) + np.arange(rows, dtype=np.uint64)
                showers = sampler.sample(
                    energies.draw(seed, event),
                    eta=eta.draw(seed, event),
                    seed=seed,
                    first_event=first,
                    out_of_range=out_of_range,
                )
                drawn = time.perf_counter()
                writer.extend(columns(showers, layers=layers, seed=seed, pdg_id=card.pdg_id))
                written = time.perf_counter()
                n_out_of_range += showers.n_out_of_range
                generation += drawn - began
                writing += written - drawn
                if progress is not None:
                    progress(first + rows - first_event)
            closing = time.perf_counter()
            provenance = Provenance(
                model=card.name,
                model_sha256=sampler.digest,
                pdg_id=card.pdg_id,
                layers=layers,
                n_showers=n,
                first_event=first_event,
                seed=seed,
                energy_law=str(energies),
                eta_law=str(eta),
                out_of_range=out_of_range,
                n_out_of_range=n_out_of_range,
                engine=getattr(sampler, "engine", "native"),
                conditioning=getattr(sampler, "conditioning", "model"),
                n_fallback=getattr(sampler, "fallback_rows", 0) - fallback_before,
                command=command,
            )
            writer.finish(provenance)
        size = temporary.stat().st_size
    end = time.perf_counter()
    return Summary(
        path=output,
        provenance=provenance,
        generation_seconds=generation,
        writing_seconds=writing + end - closing,
        total_seconds=end - start,
        size=size,
    )


def default_chunk(n: int) -> int:
    """Return how many showers to draw and write at a time.

    100,000 keep memory near 10 MB. A TTree rewrites its list of baskets with every chunk, so
    beyond 20 million showers the chunks grow to keep that list short, up to a million.
    """
    return min(max(100_000, n // 200), 1_000_000)


def check_request(
    card: Card,
    n: int,
    energies: Spectrum | None,
    eta: Spectrum | None,
    seed: int,
    first_event: int,
    out_of_range: OutOfRange,
) -> tuple[Spectrum, Spectrum]:
    """Return the laws of energy and eta, after refusing what no model or generator can do.

    Arguments as of `produce`.

    Raises
    ------
    InputError
        As `produce`.
    """
    _check_numbers(n, seed, first_event)
    validity = card.validity
    energies = energies or energies_of_validity(*validity.incident_energy)
    eta = eta or eta_of_validity(*validity.eta)
    if out_of_range != "clip":
        known = validity if out_of_range == "refuse" else card.extrapolation
        others = "clip or extrapolate" if out_of_range == "refuse" else "clip"
        _check_range("incident energies", " MeV", energies.bounds, known.incident_energy, others)
        _check_range("|eta|", "", _absolute(eta.bounds), known.eta, others)
    return energies, eta


def _check_numbers(n: int, seed: int, first_event: int) -> None:
    if n < 1:
        raise InputError(f"the number of showers is {n}, but a file needs at least 1")
    for name, value in (("seed", seed), ("first event", first_event)):
        if not 0 <= value < 2**64:
            raise InputError(f"{name} {value} does not fit the random generator; use 0 to 2^64 - 1")
    if first_event + n > 2**64:
        raise InputError(
            f"events {first_event} to {first_event + n - 1} go beyond 2^64 - 1; start lower"
        )


def _absolute(bounds: tuple[float, float]) -> tuple[float, float]:
    low, high = sorted(map(abs, bounds))
    return (0.0 if bounds[0] < 0 < bounds[1] else low), high


def _check_range(
    what: str, unit: str, asked: tuple[float, float], valid: tuple[float, float], others: str
) -> None:
    """Refuse at once what the sampler would refuse at the first shower outside, perhaps late."""
    # The model compares in float32.
    low, high = (np.float32(value) for value in valid)
    if np.float32(asked[0]) < low or np.float32(asked[1]) > high:
        raise InputError(
            f"{what} of {asked[0]:g} to {asked[1]:g}{unit} asked, but the model goes from "
            f"{valid[0]:g} to {valid[1]:g}{unit}; stay inside, or choose {others} (--out-of-range)"
        )
