"""Time and memory of a block of kind ``statevector`` against the number of qubits."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypedDict

import torch

from fastcaloq_infer.errors import InputError
from fastcaloq_infer.flow.kinds.statevector.blocks import StateCoupling
from fastcaloq_infer.flow.kinds.statevector.config import StateVectorConfig
from fastcaloq_infer.memory import available_memory, gigabytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Cost", "measure"]

_CONTEXT = 2
_COPIES = 40  # of a batch of states that a step holds at most: 34 measured at 16 qubits


class Cost(TypedDict):
    """What one number of qubits costs; seconds and bytes per shower.

    ``seconds`` is for one direction, encoding and reading back included, the best of all
    repetitions; ``step_bytes`` is what a gradient keeps of one block.
    """

    n_qubits: int
    coordinates: int
    seconds: float
    state_bytes: int
    step_bytes: float
    round_trip: float


def measure(max_qubits: int, showers: int, repetitions: int) -> Iterator[Cost]:
    """Measure blocks of 1 to ``max_qubits`` qubits with as many showers at once, one thread.

    Raises
    ------
    InputError
        The states of the largest register do not fit in memory.
    """
    needed = _COPIES * showers * 2**max_qubits * 16
    available = available_memory()
    if available is not None and needed > available:
        raise InputError(
            f"{showers} showers through states of {max_qubits} qubits need {gigabytes(needed)} of "
            f"memory, of which {gigabytes(available)} are available; measure fewer qubits or "
            "showers"
        )
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for n_qubits in range(1, max_qubits + 1):
            yield _measure(n_qubits, showers, repetitions)
    finally:
        torch.set_num_threads(threads)


def _measure(n_qubits: int, showers: int, repetitions: int) -> Cost:
    coordinates = 2**n_qubits - 1
    random = torch.Generator().manual_seed(n_qubits)
    # Lengths as of data that were scaled to lie about half way to the equator.
    x = torch.randn((showers, coordinates), generator=random, dtype=torch.float64)
    x = 1.5 * x / x.norm(dim=1, keepdim=True)
    context = torch.randn((showers, _CONTEXT), generator=random, dtype=torch.float64)
    config = StateVectorConfig(n_qubits=max(n_qubits, 1))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(n_qubits)
        block = StateCoupling(config, coordinates, _CONTEXT, (), "relu").double()
        with torch.no_grad():
            for parameter in block.subnet.parameters():
                parameter.normal_(0.0, 0.5)
    kept = _kept(lambda: block(x, context)[0].sum())
    with torch.no_grad():
        z = block(x, context)[0]
        round_trip = float((block.inverse(z, context)[0] - x).abs().max())
        best = min(_seconds(lambda: block(x, context)) for _ in range(repetitions))
    return Cost(
        n_qubits=n_qubits,
        coordinates=coordinates,
        seconds=best / showers,
        state_bytes=16 * 2**n_qubits,
        step_bytes=kept / showers,
        round_trip=round_trip,
    )


def _seconds(function: Callable[[], object]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def _kept(loss: Callable[[], torch.Tensor]) -> int:
    """Bytes that the graph of a loss keeps for its gradient, every storage once."""
    storages: dict[int, tuple[int, torch.Tensor]] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        storages[storage.data_ptr()] = (storage.nbytes(), tensor)  # alive: addresses stay distinct
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss()
    return sum(size for size, _ in storages.values())
