"""When the store refuses: whose fault it is, what is said, and that nothing is lost."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError
from pydantic import SecretStr

from sinks.clickhouse import ClickHouseLedger, LedgerClient, connect
from sinks.clickhouse.failures import failure_of
from tokenweir.errors import RejectedInput, StoreUnavailable, TokenweirError, WrongCall
from tokenweir.settings import ClickHouseSettings

GOOD = (
    b'{"id":"%d","source":"s","time":"2026-01-01T00:00:00Z","vendor":"v","model":"m",'
    b'"metered_at":"2026-01-01T00:00:00Z","version":1,"input_tokens":1}'
)


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"\x00\x01",
        b"not json",
        b'{"id":"x","unheard_of":1}',
        b'{"id":"x","version":-1}',
        b'{"id":"x","time":"yesterday"}',
        b'{"id":"x","time":null}',
        b'{"id":"x","tags":[1]}',
        b'{"id":"x","input_tokens":1.5}',
        b'{"id":"x","cost":"1e60"}',
        b'{"id":"x","streaming":"maybe"}',
        b'{"id":"x","is_deleted":1}',
        b'{"id":"x","rank":1}',
    ],
)
def test_a_bad_line_rejects_its_block_whole(
    ledger_client: LedgerClient, ledger: ClickHouseLedger, line: bytes
) -> None:
    block = b"\n".join([GOOD % 1, line, GOOD % 2])
    with pytest.raises(RejectedInput) as caught:
        ledger.write_events(block, "block")
    assert caught.value.reason == "store_refused"
    assert ledger_client.query("SELECT count() FROM usage") == [(0,)]
    # What the caller does next: the good neighbours, by themselves.
    ledger.write_events(GOOD % 1, "block/0")
    ledger.write_events(GOOD % 2, "block/2")
    assert ledger_client.query("SELECT count(), sum(calls) FROM usage_by_day") == [(1, 2)]


def test_rejections_are_kept_once(ledger_client: LedgerClient, ledger: ClickHouseLedger) -> None:
    line = (
        b'{"id":"usage/0/7/3","rejected_at":"2026-01-01T00:00:00.5Z","stage":"meter","reason":"invalid_json",'
        b'"detail":"d","topic":"usage","partition":0,"offset":7,"line":3,"size_bytes":9,"payload":"{}"}'
    )
    for token in ("a", "a", "b"):
        ledger.write_rejections(line, token)
    ledger.write_rejections(b"", "c")
    assert ledger_client.query("SELECT id, reason, offset FROM rejected FINAL") == [
        ("usage/0/7/3", "invalid_json", 7)
    ]
    with pytest.raises(RejectedInput):
        ledger.write_rejections(b'{"id":', "d")


def test_an_empty_block_is_nothing(ledger_client: LedgerClient, ledger: ClickHouseLedger) -> None:
    ledger.write_events(b"", "empty")
    ledger.write_events(b"\n\n", "blank")
    assert ledger_client.query("SELECT count() FROM events") == [(0,)]


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (159, StoreUnavailable),
        (209, StoreUnavailable),
        (210, StoreUnavailable),
        (241, StoreUnavailable),
        (243, StoreUnavailable),
        (252, StoreUnavailable),
        (999, StoreUnavailable),
        (60, StoreUnavailable),
        (12345, StoreUnavailable),
        (None, StoreUnavailable),
        (27, RejectedInput),
        (117, RejectedInput),
        (407, RejectedInput),
    ],
)
def test_the_code_says_whose_fault_it_is(code: int | None, kind: type[TokenweirError]) -> None:
    assert type(failure_of(DatabaseError("Code: 1. DB::Exception: x", code=code), "storing")) is kind


def test_what_only_a_person_can_mend_is_neither() -> None:
    for code in (516, 497):
        failure = failure_of(DatabaseError("refused", code=code), "storing")
        assert not isinstance(failure, StoreUnavailable | RejectedInput)
        assert "TOKENWEIR_CLICKHOUSE__DSN" in failure.hint


def test_errors_are_one_line_without_stack_or_query() -> None:
    error = OperationalError(
        "Code: 6. DB::Exception: Code: 6. DB::Exception: Bad:\n number: While executing X: Stack trace: …"
    )
    assert str(failure_of(error, "storing events")).startswith(
        "ClickHouse failed while storing events: Bad: number."
    )


def test_a_ledger_without_schema_says_to_migrate(new_settings: ClickHouseSettings) -> None:
    with connect(new_settings) as client:
        with pytest.raises(StoreUnavailable, match="weir migrate"):
            client.query("SELECT 1 FROM usage")
        with pytest.raises(StoreUnavailable, match="weir migrate"):
            ClickHouseLedger(client).write_events(GOOD % 1, "block")


def test_a_server_that_is_away_is_unavailable_and_its_password_unsaid() -> None:
    with pytest.raises(StoreUnavailable) as caught:
        connect(ClickHouseSettings(dsn=SecretStr("clickhouse://user:hunter2@127.0.0.1:1")))
    assert "127.0.0.1:1" in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert caught.value.retry_after_seconds > 0


def test_a_dsn_of_another_kind_is_a_wrong_call() -> None:
    with pytest.raises(WrongCall, match="postgres"):
        connect(ClickHouseSettings(dsn=SecretStr("postgres://127.0.0.1/x")))


def test_a_closed_client_says_so(new_settings: ClickHouseSettings) -> None:
    client = connect(new_settings)
    client.close()
    client.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        client.query("SELECT 1")


def run_python(program: str, *arguments: object) -> str:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


OPEN = """
    import sys
    from pydantic import SecretStr
    from sinks.clickhouse import connect
    from tokenweir.errors import TokenweirError
    from tokenweir.settings import ClickHouseSettings
    def open_ledger(directory):
        return connect(ClickHouseSettings(dsn=SecretStr("chdb://" + directory)))
"""


def test_a_data_directory_in_use_is_named(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            textwrap.dedent(OPEN)
            + "client = open_ledger(sys.argv[1])\nprint('open', flush=True)\nsys.stdin.read()\n",
            str(tmp_path / "data"),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"open\n"
        said = run_python(
            textwrap.dedent(OPEN)
            + textwrap.dedent("""
                try:
                    open_ledger(sys.argv[1])
                except TokenweirError as error:
                    print(error)
            """),
            tmp_path / "data",
        )
        holder.kill()
    assert (
        f"The data directory {tmp_path / 'data'} is in use by another process (process {holder.pid})" in said
    )


def test_a_second_directory_in_one_process_and_one_that_cannot_be_made(tmp_path: Path) -> None:
    said = run_python(
        textwrap.dedent(OPEN)
        + textwrap.dedent("""
            first = open_ledger(sys.argv[1])
            for directory in (sys.argv[2],):
                try:
                    open_ledger(directory)
                except TokenweirError as error:
                    print(error)
            first.close()
            open_ledger(sys.argv[2]).close()
            try:
                open_ledger("/proc/nowhere")
            except TokenweirError as error:
                print(error)
        """),
        tmp_path / "one",
        tmp_path / "two",
    )
    assert f"already holds another chDB directory, so it cannot open {tmp_path / 'two'}" in said
    assert "The data directory /proc/nowhere cannot be opened" in said


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 48 MiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(disk)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_full_disk_holds_the_block_and_loses_nothing(small_disk: Path) -> None:
    """The disk fills up under the ledger; once there is room again the same blocks go in and every call is there."""
    said = run_python(
        textwrap.dedent(OPEN)
        + textwrap.dedent("""
            import os, pathlib
            from sinks.clickhouse import ClickHouseLedger, migrate
            from tokenweir.errors import StoreUnavailable
            disk = pathlib.Path(sys.argv[1])
            client = open_ledger(str(disk / "ledger"))
            migrate(client, client.settings)
            ledger = ClickHouseLedger(client)
            def block(number):
                return b"\\n".join(
                    b'{"id":"%d-%d","source":"s","time":"2026-01-01T00:00:00Z","vendor":"v","model":"m","user":"%s",'
                    b'"metered_at":"2026-01-01T00:00:00Z","version":1,"input_tokens":1}'
                    % (number, line, os.urandom(60).hex().encode())
                    for line in range(2000)
                )
            ledger.write_events(block(0), "block-0")
            ballast = disk / "ballast"
            with ballast.open("wb") as file:
                try:
                    while True:
                        file.write(bytes(1 << 16))
                        file.flush()
                except OSError:
                    pass
            blocks = {f"block-{number}": block(number) for number in range(1, 4)}
            refused = 0
            for token, lines in blocks.items():
                try:
                    ledger.write_events(lines, token)
                except StoreUnavailable as error:
                    refused += 1
                    print(error)
            ballast.unlink()
            for token, lines in blocks.items():
                ledger.write_events(lines, token)
            print("refused", refused)
            print("held", client.query("SELECT count(), sum(input_tokens) FROM usage"))
            print("days", client.query("SELECT sum(calls) FROM usage_by_day"))
            client.close()
        """),
        small_disk,
    )
    assert "refused 3" in said
    assert "no room left" in said
    assert "held [(8000, 8000)]" in said
    assert "days [(8000,)]" in said


def test_disk_trouble_is_the_stores() -> None:
    assert isinstance(failure_of(OSError(28, os.strerror(28)), "storing events"), StoreUnavailable)


def test_a_directory_opens_again_with_what_it_held(tmp_path: Path) -> None:
    program = textwrap.dedent(OPEN) + textwrap.dedent("""
        from sinks.clickhouse import ClickHouseLedger, migrate
        client = open_ledger(sys.argv[1])
        migrate(client, client.settings)
        ClickHouseLedger(client).write_events(sys.argv[2].encode(), "block")
        print(client.query("SELECT count() FROM usage"), flush=True)
        import os, signal
        os.kill(os.getpid(), signal.SIGKILL) if sys.argv[3] == "kill" else client.close()
    """)
    line = (GOOD % 1).decode()
    killed = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "data"), line, "kill"],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert killed.stdout == "[(1,)]\n"
    assert run_python(program, tmp_path / "data", line, "close") == "[(1,)]\n"


@pytest.mark.parametrize("line", [b"a secret", b'{"input_tokens":"a secret"}', b'{"a secret":1}'])
def test_what_the_store_refuses_is_not_quoted(ledger: ClickHouseLedger, line: bytes) -> None:
    """Its sentence goes to the log and to the rejects, and what was sent may be a prompt."""
    with pytest.raises(RejectedInput) as caught:
        ledger.write_events(line, "block")
    assert "secret" not in str(caught.value)
    assert str(caught.value).startswith("ClickHouse cannot take this input while storing events: ")
    assert caught.value.field in ("", "input_tokens")
