"""Draw many showers in bounded memory and write them to one file, completely or not at all."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from fastcaloq_infer.files import atomic_path
from fastcaloq_infer.output.chunks import check_chunk, default_chunk
from fastcaloq_infer.output.destination import check_destination
from fastcaloq_infer.output.request import check_request
from fastcaloq_infer.output.schema import OutOfRange, Provenance, ShowersLike, columns
from fastcaloq_infer.output.voxels import VoxelForm, VoxelStorage, choose_form, voxel_binning
from fastcaloq_infer.output.writer import Writer, open_writer

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from typing import Self

    from numpy.typing import ArrayLike

    from fastcaloq_infer.artefact import Card
    from fastcaloq_infer.output.root import Compression, Container
    from fastcaloq_infer.output.spectrum import Spectrum


class SamplerLike(Protocol):
    """What a production needs of ``sampling.Sampler``.

    A model of whole showers has ``n_voxels`` > 0, and ``sample`` takes ``voxels``, true or false.
    """

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
    """What a production did; times in seconds, size in bytes.

    Chunks are written while the next ones are drawn, so ``generation_seconds`` and
    ``writing_seconds`` together may be more than ``total_seconds``.
    """

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
    voxels: VoxelForm | None = None,
    force: bool = False,
    command: str = "",
    progress: Callable[[int], None] | None = None,
) -> Summary:
    """Draw showers of the events ``first_event`` to ``first_event + n - 1`` into ``output``.

    The rows depend on model, seed and event numbers alone, not on ``chunk``: two productions of
    half the events each hold together what one production holds. One chunk is written, by a thread,
    while the next is drawn.

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
        Showers drawn and written at a time; by default so many that memory stays small.
    container, compression
        Of ROOT files; HDF5 files are compressed by gzip, or not for ``none``.
    voxels
        How the file holds voxels (`voxels.choose_form`); ``none``: layer energies alone, which are
        the same and drawn faster.
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
        ``extrapolate``; voxels are asked of a model of layer energies; or a chunk does not fit in
        memory.
    OutputError
        The file cannot be written; nothing is left under its name.
    """
    output = Path(output)
    check_destination(output, force=force)
    card = sampler.card
    energies, eta = check_request(card, n, energies, eta, seed, first_event, out_of_range)
    layers = card.layer_ids
    n_voxels: int = getattr(sampler, "n_voxels", 0)
    form = choose_form(voxels, n_voxels, output.suffix)
    storage = None if form == "none" else VoxelStorage(voxel_binning(card), form)
    asked: dict[str, Any] = {"voxels": storage is not None} if n_voxels else {}
    drawn_voxels = n_voxels if storage else 0
    chunk = min(chunk or default_chunk(n, drawn_voxels, len(layers)), n)
    check_chunk(chunk, len(layers), drawn_voxels)
    generation = 0.0
    n_out_of_range = 0
    fallback_before: int = getattr(sampler, "fallback_rows", 0)
    start = time.perf_counter()
    with atomic_path(output) as temporary:
        with (
            open_writer(temporary, layers, container, compression, storage) as writer,
            _Behind(writer) as behind,
        ):
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
                    **asked,
                )
                generation += time.perf_counter() - began
                n_out_of_range += showers.n_out_of_range
                behind.write(showers, layers=layers, seed=seed, pdg_id=card.pdg_id, voxels=storage)
                if progress is not None:
                    progress(first + rows - first_event)
            behind.wait()
            closing = time.perf_counter()
            provenance = Provenance(
                model=card.name,
                model_sha256=sampler.digest,
                pdg_id=card.pdg_id,
                layers=layers,
                voxels=form,
                binning=storage.binning.name if storage else None,
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
        writing_seconds=behind.seconds + end - closing,
        total_seconds=end - start,
        size=size,
    )


class _Behind:
    """Writes one chunk in a thread of its own while the caller draws the next."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._thread = ThreadPoolExecutor(1)
        self._pending: Future[None] | None = None
        self.seconds = 0.0

    def write(self, showers: ShowersLike, **arrangement: Any) -> None:
        """Write showers as ``columns(showers, **arrangement)``, after those before them."""
        self.wait()
        self._pending = self._thread.submit(self._write, showers, arrangement)

    def wait(self) -> None:
        """Return once nothing is left to write; raise what went wrong."""
        if self._pending is not None:
            pending, self._pending = self._pending, None
            pending.result()

    def _write(self, showers: ShowersLike, arrangement: dict[str, Any]) -> None:
        began = time.perf_counter()
        self._writer.extend(columns(showers, **arrangement))
        self.seconds += time.perf_counter() - began

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        # The file may be closed only when nobody writes to it any more.
        self._thread.shutdown(wait=True)
