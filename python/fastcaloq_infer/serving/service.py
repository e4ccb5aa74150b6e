"""One conditioner behind the protocol, whatever the transport: checks, batches, counts."""

from __future__ import annotations

import logging
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import numpy as np

import fastcaloq_infer
from fastcaloq_infer.errors import FastCaloQError
from fastcaloq_infer.serving.batching import Batcher
from fastcaloq_infer.serving.counters import Statistics
from fastcaloq_infer.serving.errors import RequestError, bad_request
from fastcaloq_infer.serving.protocol import DATATYPE, EXTENSIONS, INPUTS, OUTPUT, PLATFORM

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from fastcaloq_infer.serving.settings import Limits
    from fastcaloq_infer.serving.source import Source

log = logging.getLogger("fastcaloq.serve")

SERVER = "fastcaloq"
#: A float32 at the edge of the range may lie half a unit beyond it.
_SLACK = 1.0 + 2.0**-23


class Service:
    """Answers for one model; make it inside the event loop that will use it."""

    def __init__(self, source: Source, limits: Limits) -> None:
        self.source = source
        self.limits = limits
        self.statistics = Statistics()
        self.batcher = Batcher(source.evaluate, limits, self.statistics)
        self.stopping = False

    def check_model(self, name: str, version: str = "") -> None:
        """Refuse requests for other models; an empty version means the one there is.

        Raises
        ------
        RequestError
            Not this model.
        """
        source = self.source
        if name != source.name:
            raise RequestError(
                HTTPStatus.NOT_FOUND,
                f"model {name[:80]!r} is not served here: the one that is, is {source.name!r}",
            )
        if version and version != source.version:
            raise RequestError(
                HTTPStatus.NOT_FOUND,
                f"version {version[:80]!r} of {source.name!r} is not served here, but "
                f"{source.version!r}: model file and service come from different trainings",
            )

    async def infer(self, protocol: str, tensors: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        """Features (N, Q) float32 of the request's input tensors.

        Raises
        ------
        RequestError
            Tensors that cannot be used, too many rows, no room, too late, or a failed device.
        """
        start = time.monotonic()
        try:
            energies, etas = self._conditions(tensors)
            features = await self.batcher.features(energies, etas)
        except RequestError:
            raise
        except Exception as error:
            log.exception("evaluation failed")
            reason = str(error) if isinstance(error, FastCaloQError) else type(error).__name__
            raise RequestError(
                HTTPStatus.INTERNAL_SERVER_ERROR,
                f"the conditioner failed ({reason}): the server's log says more",
            ) from error
        self.statistics.answered(protocol, len(features), time.monotonic() - start)
        return features

    def _conditions(
        self, tensors: Mapping[str, NDArray[Any]]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        if sorted(tensors) != sorted(INPUTS):
            raise bad_request(
                f"the inputs are {', '.join(sorted(tensors)) or 'missing'}, and must be "
                f"{' and '.join(INPUTS)}"
            )
        energies, etas = (tensors[name] for name in INPUTS)
        if energies.shape != etas.shape:
            raise bad_request(
                f"incident_energy has shape {list(energies.shape)} and eta {list(etas.shape)}: "
                "give one number of each per row"
            )
        energies, etas = energies[:, 0], etas[:, 0]
        if len(energies) > self.limits.batch_rows:
            raise bad_request(
                f"{len(energies)} rows are more than this server takes at a time: split the "
                f"request into parts of at most {self.limits.batch_rows} rows"
            )
        reach = self.source.reach
        for name, values, bounds in (
            (INPUTS[0], energies, reach.incident_energy),
            (INPUTS[1], np.abs(etas), reach.eta),
        ):
            inside = (values >= bounds[0] / _SLACK) & (values <= bounds[1] * _SLACK)
            if not inside.all():  # NaN compares false
                row = int(np.argmin(inside))
                raise bad_request(
                    f"row {row}: {name} is {float(values[row]):g}, and this model knows "
                    f"{bounds[0]:g} to {bounds[1]:g}"
                )
        return energies, etas

    def server_metadata(self) -> dict[str, Any]:
        """Return the protocol's description of the server."""
        return {
            "name": SERVER,
            "version": fastcaloq_infer.__version__,
            "extensions": list(EXTENSIONS),
        }

    def model_metadata(self) -> dict[str, Any]:
        """Return the protocol's description of the model."""
        source = self.source
        return {
            "name": source.name,
            "versions": [source.version],
            "platform": PLATFORM,
            "inputs": [{"name": name, "datatype": DATATYPE, "shape": [-1, 1]} for name in INPUTS],
            "outputs": [{"name": OUTPUT, "datatype": DATATYPE, "shape": [-1, source.n_features]}],
        }

    def model_config(self) -> dict[str, Any]:
        """Return what Triton's model configuration says, which some of its clients ask for."""
        return {
            "name": self.source.name,
            "platform": PLATFORM,
            "max_batch_size": self.limits.batch_rows,
            "input": [{"name": name, "data_type": "TYPE_FP32", "dims": [1]} for name in INPUTS],
            "output": [
                {"name": OUTPUT, "data_type": "TYPE_FP32", "dims": [self.source.n_features]}
            ],
        }

    def repository_index(self) -> dict[str, str]:
        """Return the one entry of the model repository."""
        state = "UNAVAILABLE" if self.stopping else "READY"
        return {"name": self.source.name, "version": self.source.version, "state": state}

    def model_statistics(self) -> dict[str, Any]:
        """Return the counters in the form of the protocol's statistics extension."""
        statistics = self.statistics
        return {
            "name": self.source.name,
            "version": self.source.version,
            "last_inference": statistics.last_inference,
            "inference_count": statistics.rows,
            "execution_count": statistics.batches,
            "inference_stats": {
                name: {"count": duration.count, "ns": duration.ns}
                for name, duration in statistics.durations().items()
            },
            "batch_stats": [],
        }

    def description(self) -> dict[str, Any]:
        """Return the parameters of every answer: what evaluated it, and whether it repeats."""
        return {
            "evaluated_by": self.source.description,
            "reproducible": self.source.reproducible,
        }
