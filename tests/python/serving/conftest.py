"""Services shared by the tests of this folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from services import Double, make_source, running

from fastcaloq_infer.serving import Server, Source, open_source

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def photon() -> Source:
    """The exact layer of the shipped model's checkpoint."""
    from fastcaloq_infer.sampling.models import folder

    return open_source(folder("photon_energy") / "model.safetensors")


@pytest.fixture(scope="module")
def toy() -> Iterator[Server]:
    with running(make_source(), grpc=True) as server:
        yield server


@pytest.fixture
def double() -> Iterator[Double]:
    server = Double()
    yield server
    server.close()
