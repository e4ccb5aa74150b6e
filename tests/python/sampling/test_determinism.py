"""A shower is the same whatever the batch, the threads and the shard it is drawn in."""

import threading
import time

import numpy as np
import pytest

from fastcaloq_infer import _core
from fastcaloq_infer.sampling import Sampler

N = 4001


@pytest.fixture(scope="module", params=["quantum-precomputed-eta", "quantum-embedded", "none"])
def job(request, make_model):
    path, _, metadata = make_model(request.param)
    energies = np.geomspace(256.0, 65536.0, N, dtype=np.float32).clip(256.0, 65536.0)
    energies[1000:1500] = 4096.0
    etas = np.linspace(*metadata.validity.eta, N, dtype=np.float32)
    etas = etas.clip(*np.array(metadata.validity.eta, dtype=np.float32))
    return path, energies, etas


def whole(sampler, job, **options):
    _, energies, etas = job
    return sampler.sample(energies, eta=etas, seed=77, **options).layer_energy


@pytest.mark.parametrize("instruction_set", _core.instruction_sets())
def test_shards_of_any_size_make_the_whole(job, instruction_set):
    path, energies, etas = job
    sampler = Sampler(path, threads=1, instruction_set=instruction_set)
    expected = whole(sampler, job)
    for size in (1, 7, 96, 384, 1000):
        stop = min(N, 300 * size)
        parts = [
            sampler.sample(
                energies[i : i + size], eta=etas[i : i + size], seed=77, first_event=i
            ).layer_energy
            for i in range(0, stop, size)
        ]
        drawn = np.concatenate(parts)
        np.testing.assert_array_equal(drawn, expected[: len(drawn)])


def test_threads_change_nothing(job):
    expected = whole(Sampler(job[0], threads=1), job)
    for threads in (0, 2, 5):
        np.testing.assert_array_equal(whole(Sampler(job[0], threads=threads), job), expected)


def test_vector_instruction_sets_agree_to_the_bit(job):
    sets = [name for name in _core.instruction_sets() if name != "plain"]
    drawn = [whole(Sampler(job[0], instruction_set=name), job) for name in sets]
    for other in drawn[1:]:
        np.testing.assert_array_equal(other, drawn[0])


def test_every_part_of_the_key_counts(model):
    sampler = Sampler(model)

    def draw(**changes):
        options = {"seed": 5, "first_event": 9, "particle": 0} | changes
        return sampler.sample(1000.0, eta=0.1, n=3, **options).layer_energy

    base = draw()
    np.testing.assert_array_equal(base, draw())
    for changes in ({"seed": 6}, {"seed": 5 + 2**32}, {"particle": 1}, {"first_event": 9 + 2**33}):
        assert not np.array_equal(base, draw(**changes)), changes
    np.testing.assert_array_equal(base[1:], draw(first_event=10)[:2])


def test_event_numbers_reach_64_bits(model):
    showers = Sampler(model).sample(1000.0, eta=0.1, seed=2**64 - 1, n=2, first_event=2**64 - 2)
    assert showers.event.tolist() == [2**64 - 2, 2**64 - 1]


def test_the_interpreter_is_free_while_showers_are_drawn(model):
    sampler = Sampler(model, threads=1)
    energies = np.full(400_000, 1000.0, dtype=np.float32)
    begun, done = threading.Event(), threading.Event()

    def draw():
        begun.set()
        sampler.sample(energies, eta=0.1, seed=1)
        done.set()

    thread = threading.Thread(target=draw)
    thread.start()
    begun.wait()
    steps = 0
    while not done.is_set():
        time.sleep(0.001)
        steps += 1
    thread.join()
    # Were the lock held, at most the few steps around the call would be made.
    assert steps >= 20


def test_one_sampler_serves_many_threads(job):
    sampler = Sampler(job[0], threads=2)
    expected = whole(sampler, job)
    results = [None] * 4

    def draw(i):
        results[i] = whole(sampler, job)

    threads = [threading.Thread(target=draw, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        np.testing.assert_array_equal(result, expected)
