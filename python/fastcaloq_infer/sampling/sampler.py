"""The way from Python to showers: a model's name or file in, NumPy arrays out."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np

from fastcaloq_infer.errors import InputError
from fastcaloq_infer.sampling import arguments
from fastcaloq_infer.sampling.engines import make_engine
from fastcaloq_infer.sampling.models import find
from fastcaloq_infer.sampling.served import ServedConditioning, ServedEngine, check_conditioning
from fastcaloq_infer.sampling.showers import Showers

if TYPE_CHECKING:
    from os import PathLike

    from numpy.typing import ArrayLike, NDArray

    from fastcaloq_infer.artefact import Card
    from fastcaloq_infer.sampling.engines import Drawn, Engine, EngineName
    from fastcaloq_infer.sampling.served import Conditioning
    from fastcaloq_infer.serving.conditioner import ServiceCounters
    from fastcaloq_infer.serving.settings import ServiceOptions

OutOfRange = Literal["refuse", "clip", "extrapolate"]


class Sampler:
    """Draws showers from a model; may be used by many threads at once.

    A shower depends on (seed, event, particle), its energy and eta alone: not on the batch, the
    order, or the number of threads. With one instruction set the bits are the same.

    Parameters
    ----------
    model
        Name of a shipped model ("photon_energy") or path of a file written by ``export-onnx``.
    engine
        "native" (C++, the default) or "onnxruntime" (the same file through ONNX Runtime).
    threads
        0: all processors this process may use.
    instruction_set
        "auto", or one of ``fastcaloq_infer._core.instruction_sets()``; native engine only.
    conditioning
        "model": the features inside the file. "served": those of the service at ``url``, which
        must serve the conditioner this file was exported with (extra ``served``).
    url, token
        Address of the service, and the bearer token it asks for, if any.
    fallback
        Whether the file's own features may stand in when the service is away (`fallback_rows`).
    service
        Time-outs, retries and memory of the client; the defaults suit a service nearby.

    Raises
    ------
    ModelError
        The model is unknown, missing, damaged, of a newer schema, or does not reproduce its own
        parity vectors on this machine.
    InputError
        An unknown engine or instruction set, or a package that is not installed.
    ServiceError
        The service is away, or serves another conditioner.

    Examples
    --------
    >>> from fastcaloq_infer import Sampler
    >>> showers = Sampler("photon_energy").sample(65536.0, n=1000, seed=1)  # doctest: +SKIP
    >>> showers.total_energy.mean()  # doctest: +SKIP
    """

    def __init__(
        self,
        model: str | PathLike[str],
        engine: EngineName = "native",
        threads: int = 0,
        instruction_set: str = "auto",
        *,
        conditioning: Conditioning = "model",
        url: str | None = None,
        token: str | None = None,
        fallback: bool = False,
        service: ServiceOptions | None = None,
    ) -> None:
        check_conditioning(conditioning, url, token, fallback)
        self.engine = engine
        self.threads = arguments.whole_number(threads, "threads", 1025)
        self.path = find(model)
        self._engine: Engine = make_engine(engine, self.path, self.threads, instruction_set)
        self._model = self._engine.model
        self._served: ServedEngine | None = None
        if url is not None:
            served = ServedConditioning(url, token, fallback, service)
            self._engine = self._served = ServedEngine(self._engine, self.card, served)

    @property
    def conditioning(self) -> str:
        """Where features come from, for provenance: "model", or the service and what it runs."""
        if self._served is None:
            return "model"
        conditioner = self._served.conditioner
        return f"served by {conditioner.url} ({conditioner.evaluated_by or 'not asked yet'})"

    @property
    def fallback_rows(self) -> int:
        """Showers drawn with the file's own features because the service was away."""
        return 0 if self._served is None else self._served.fallback_rows

    @property
    def service_counters(self) -> ServiceCounters | None:
        """What the client of the service has done so far; None without one."""
        return None if self._served is None else self._served.conditioner.counters

    @cached_property
    def card(self) -> Card:
        """What the model says about itself, checked."""
        from fastcaloq_infer.artefact import Card

        return Card.from_json(self._model.card)

    @property
    def digest(self) -> str:
        """SHA-256 that names the model, 64 hexadecimal characters."""
        return self._model.digest

    @property
    def n_layers(self) -> int:
        """Columns of ``layer_energy``, in the order of ``card.binning.layers``."""
        return self._model.n_layers

    @property
    def n_voxels(self) -> int:
        """Columns of ``voxel_energy``; 0 for a model of layer energies alone."""
        return self._model.n_voxels

    def sample(
        self,
        incident_energies: ArrayLike,
        *,
        eta: ArrayLike | None = None,
        seed: int,
        n: int | None = None,
        first_event: int = 0,
        particle: int = 0,
        out_of_range: OutOfRange = "refuse",
        voxels: bool | None = None,
    ) -> Showers:
        """Draw one shower for each energy.

        Parameters
        ----------
        incident_energies
            (N,) or (N, 1) MeV, or one number for all showers.
        eta
            (N,) or one number, of either sign; may be left out where the model knows one value.
        seed
            0 to 2^64 - 1. The same seed, event and particle give the same shower.
        n
            Number of showers; needed where neither energies nor eta is an array.
        first_event
            Event number of the first row; the others follow.
        particle
            Number of the particle in its event, the same for all rows.
        out_of_range
            Outside the range of validity: "refuse", "clip" to it, or "extrapolate" as far as the
            card allows. Such rows are counted in the result.
        voxels
            Whether to draw the voxels, too; None: where the model has them. The layer energies are
            the same either way, and come sooner alone.

        Raises
        ------
        InputError
            Wrong shapes; an energy that is NaN, infinite, not positive or out of range, the
            message names the first such row; voxels of a model without them; more showers than
            fit into memory.
        ModelError
            An energy that is not finite came out; names the row.
        """
        energies, etas = arguments.rows(incident_energies, self._eta(eta), n)
        wanted = arguments.want_voxels(voxels, self.n_voxels)
        self._check_memory(len(energies), wanted)
        event = arguments.events(first_event, len(energies))
        particles = np.full(
            len(energies), arguments.whole_number(particle, "particle", 2**32), dtype=np.uint32
        )
        seed = arguments.whole_number(seed, "seed")
        drawn = self._engine.sample(
            energies, etas, seed, event, particles, out_of_range, voxels=wanted
        )
        return self._showers(energies, etas, event, drawn, out_of_range)

    def generate(
        self,
        incident_energies: ArrayLike,
        z: ArrayLike,
        *,
        eta: ArrayLike | None = None,
        first_event: int = 0,
        out_of_range: OutOfRange = "refuse",
        z_shape: ArrayLike | None = None,
    ) -> Showers:
        """Draw showers from given latents instead of random ones; else as `sample`.

        ``z`` (N, L) are those of the layer energies, ``z_shape`` (N, V) those of the voxels;
        without the latter there are no voxels.
        """
        energies, etas = arguments.rows(
            incident_energies, self._eta(eta), np.shape(z)[0] if np.ndim(z) else None
        )
        event = arguments.events(first_event, len(energies))
        latents = arguments.latents(z, "z", len(energies), self.n_layers, "layer")
        shape_latents = None
        if z_shape is not None:
            arguments.want_voxels(True, self.n_voxels)
            shape_latents = arguments.latents(
                z_shape, "z_shape", len(energies), self.n_voxels, "voxel"
            )
        self._check_memory(len(energies), z_shape is not None)
        drawn = self._engine.generate(energies, etas, latents, out_of_range, z_shape=shape_latents)
        return self._showers(energies, etas, event, drawn, out_of_range)

    def _check_memory(self, n: int, voxels: bool) -> None:
        arrays = 1 if self.engine == "native" else 2  # ONNX Runtime takes its latents as arrays
        arguments.check_memory(n, arrays * (self.n_layers + voxels * self.n_voxels), voxels)

    def _eta(self, eta: ArrayLike | None) -> ArrayLike:
        if eta is not None:
            return eta
        low, high = self.card.validity.eta
        if low != high:
            raise InputError(
                f"eta is missing, and this model knows |eta| from {low:g} to {high:g}: give eta"
            )
        return low

    def _showers(
        self,
        energies: NDArray[np.float32],
        etas: NDArray[np.float32],
        event: NDArray[np.uint64],
        drawn: Drawn,
        out_of_range: OutOfRange,
    ) -> Showers:
        layer_energy, voxel_energy, n_outside = drawn
        if out_of_range == "clip" and n_outside:
            energies, etas, _ = self._model.check_conditions(energies, etas, out_of_range)
        return Showers(energies, etas, layer_energy, event, n_outside, voxel_energy)
