"""What tests of instrumented clients share."""

from collections.abc import Iterator

import pytest

from tests.instrumentation.clients import Bench
from tests.instrumentation.recording import RecordingEmitter
from tests.instrumentation.server import VendorServer


@pytest.fixture(scope="session")
def vendor_server() -> Iterator[VendorServer]:
    with VendorServer() as running:
        yield running


@pytest.fixture
def server(vendor_server: VendorServer) -> VendorServer:
    """A vendor's API on this machine."""
    return vendor_server


@pytest.fixture(scope="session")
def bench(vendor_server: VendorServer) -> Iterator[Bench]:
    """Clients that talk to it."""
    made = Bench(vendor_server.url)
    yield made
    made.close()


@pytest.fixture
def emitter() -> RecordingEmitter:
    return RecordingEmitter()
