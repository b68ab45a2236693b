"""Apache Kafka as `make kafka` runs it: up, said how to reach it, down on Ctrl-C, nothing left behind."""

import re
import signal
import subprocess
import sys
from pathlib import Path

from tests.kafka.fixtures import Broker
from tokenweir.local.broker import free_port, port_is_free


def test_it_runs_in_the_foreground_until_interrupted(apache_kafka: Broker) -> None:
    """Where Apache Kafka cannot be had, it says so and ends with status 1."""
    port = free_port()
    with subprocess.Popen(
        [sys.executable, "-m", "tests.kafka.apache", "--port", str(port)],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdout is not None
        assert "starting" in program.stdout.readline()
        if apache_kafka.durable:
            told = [program.stdout.readline() for _ in range(3)]
            program.send_signal(signal.SIGINT)
            assert program.stdout.read() == "stopped\n"
            address, setting, _ = told
            assert f"127.0.0.1:{port}" in address
            assert f"TOKENWEIR_KAFKA__BOOTSTRAP_SERVERS=127.0.0.1:{port}" in setting
            log = re.search(r"log: (.+)\)", address)
            assert log is not None
            assert not Path(log.group(1)).parent.exists()
        assert program.stderr is not None
        problems = program.stderr.read()
        status = program.wait(timeout=120)
    assert (status, problems) == (0, "") if apache_kafka.durable else problems.startswith("error: ")
    assert port_is_free(port)
