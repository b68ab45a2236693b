"""Bad usage at every door of one running pipeline: it is told apart and told why, and its neighbours are kept.

Each bad line holds a canary where a prompt would stand; at the end no door, log or table may show it.
"""

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from kafka import KafkaProducer

from tests.end_to_end.commands import wait_for, weir, weir_json
from tests.end_to_end.running import NOW, Up, event, start

pytestmark = [pytest.mark.xdist_group("bad_input"), pytest.mark.timeout(600)]

CANARY: Final = "canary-of-a-prompt"
HEADERS: Final = [("content-type", b"application/x-ndjson"), ("tokenweir-schema", b"1")]


def bad(number: int, **changes: Any) -> bytes:
    """The line of an event with something wrong, and a prompt in it where the fault is another one."""
    return json.dumps(event(number, **changes)).encode()


BAD_LINES: Final[dict[str, tuple[bytes, str, str]]] = {
    # What comes in, and the reason and field that every door gives.
    "no JSON": (b'{"id": "%s' % CANARY.encode(), "invalid_json", ""),
    "no UTF-8": (b'{"id": "\xff\xfe %s"}' % CANARY.encode(), "invalid_json", ""),
    "no object": (b'["%s"]' % CANARY.encode(), "wrong_type", ""),
    "deeply nested": (b"[" * 50_000, "invalid_json", ""),
    "wrong type": (bad(900_001, input_tokens=CANARY), "wrong_type", "input_tokens"),
    "missing field": (
        b'{"id":"x:1","source":"t","time":"2026-01-01T00:00:00Z","vendor":"v"}',
        "missing_field",
        "model",
    ),
    "negative count": (bad(900_002, output_tokens=-1), "out_of_range", "output_tokens"),
    "absurd count": (bad(900_003, input_tokens=10**18), "out_of_range", "input_tokens"),
    "count of many digits": (
        bad(900_004).replace(b"1000,", b"1" + b"0" * 400 + b","),
        "out_of_range",
        "input_tokens",
    ),
    "subset over total": (bad(900_005, cache_read_tokens=1001), "subset_exceeds_total", ""),
    "reasoning over output": (bad(900_006, reasoning_tokens=501), "subset_exceeds_total", ""),
    "far future": (bad(900_007, time="2199-01-01T00:00:00Z"), "implausible_time", "time"),
    "1970": (bad(900_008, time="1970-01-01T00:00:00Z"), "implausible_time", "time"),
    "no zone": (bad(900_009, time=NOW.replace(tzinfo=None).isoformat()), "implausible_time", "time"),
    "unknown field": (bad(900_010, prompt=CANARY), "unknown_field", "prompt"),
    "NUL byte": (bad(900_011, team=f"a\0{CANARY}"), "control_character", "team"),
    "raw NUL byte": (
        bad(900_012).replace(b'"search"', b'"a\0%s"' % CANARY.encode()),
        "invalid_json",
        "",
    ),
    "too many tags": (bad(900_013, tags={f"k{n}": CANARY for n in range(33)}), "too_many_tags", "tags"),
    "key in a tag's name": (bad(900_014, tags={"": CANARY}), "out_of_range", "tags"),
}
MILLION_TAGS: Final = bad(900_015, tags={f"{CANARY}{n}": "" for n in range(1_000_000)})
HUGE_LINE: Final = bad(900_016, prompt=CANARY * 1_200_000)


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """One pipeline for all; each test has numbers of its own. Few refused lines are enough to be told of."""
    folder = tmp_path_factory.mktemp("bad-events")
    (folder / "tokenweir.toml").write_text("[detection]\nrejects_min_lines = 5\n")
    yield from start(folder)


@pytest.fixture(scope="module")
def produce(up: Up) -> Iterator[Any]:
    """Sends a value to a topic of the pipeline as any Kafka client can, and waits for its confirmation."""
    producer = KafkaProducer(
        bootstrap_servers=up.running.kafka_bootstrap_servers,
        compression_type="gzip",
        max_request_size=64 * 1024 * 1024,
    )

    def send(value: bytes | None, *, headers: Any = HEADERS, topic: str = "tokenweir.usage") -> None:
        producer.send(topic, value=value, key=b"k", headers=headers).get(timeout=60)

    yield send
    producer.close()


def good(number: int) -> bytes:
    return json.dumps(event(number)).encode()


def calls(up: Up, first: int, last: int) -> int:
    """How many of the calls with these numbers the ledger has."""
    sql = f"SELECT count() FROM usage WHERE toUInt64OrZero(substring(id, 17)) BETWEEN {first} AND {last}"
    return int(weir("query", sql, "--format", "TSV", "--data-dir", "ledger", cwd=up.folder).stdout)


def refusals(up: Up, stage: str) -> Counter[tuple[str, str]]:
    """Reason and field of what the ledger has in `rejected`."""
    sql = f"SELECT reason, field FROM rejected FINAL WHERE stage = '{stage}'"
    rows = weir("query", sql, "--format", "JSONCompactEachRow", "--data-dir", "ledger", cwd=up.folder).stdout
    return Counter(tuple(json.loads(row)) for row in rows.splitlines())


EXPECTED: Final = Counter((reason, field) for _, reason, field in BAD_LINES.values())


def test_the_gateway_refuses_the_bad_line_and_takes_its_neighbours(up: Up) -> None:
    for number, (name, (line, reason, field)) in enumerate(BAD_LINES.items()):
        body = b"\n".join((good(1000 + 2 * number), line, good(1001 + 2 * number)))
        status, answer = up.send(body)
        assert (status, answer["accepted"]) == (202, 2), (name, answer)
        (refused,) = answer["rejected"]
        assert (refused["line"], refused["reason"], refused["field"]) == (1, reason, field), name
        assert CANARY not in json.dumps(answer), name
    last = 999 + 2 * len(BAD_LINES)
    wait_for("the neighbours", lambda: calls(up, 1000, last) == 2 * len(BAD_LINES), log=up.log)
    wait_for("the rejections", lambda: refusals(up, "gateway") >= EXPECTED, log=up.log)


def test_the_gateway_refuses_bodies_that_it_cannot_take_whole(up: Up) -> None:
    status, answer = up.send(HUGE_LINE)
    assert status == 413
    assert "hint" in answer
    status, answer = up.send(MILLION_TAGS[: 15 * 1024 * 1024])
    assert (status, answer["rejected"][0]["reason"]) == (400, "too_large")
    # In gzip both are small; they are unpacked no further than the limit.
    status, answer = up.send(gzip.compress(HUGE_LINE, 1))
    assert status == 413
    status, answer = up.send(gzip.compress(good(1))[:-9])
    assert status == 400
    status, answer = up.send(b"\n\n")
    assert status == 400
    assert "empty_batch" in answer["error"]
    status, answer = up.send(b"[]", "application/json")
    assert (status, "empty_batch" in answer["error"]) == (400, True)
    status, answer = up.send(b"<xml/>", "text/xml")
    assert status == 415


def test_messages_that_anyone_wrote_to_kafka(up: Up, produce: Any) -> None:
    lines = [line for line, _, _ in BAD_LINES.values()]
    produce(b"\n".join(line for number, bad in enumerate(lines) for line in (good(2000 + number), bad)))
    for number, line in enumerate(lines):
        produce(b"\n".join((line, good(2100 + number))))
    for value in (b"", None, b"\n \n"):
        produce(value)
    produce(good(2200), headers=[("tokenweir-schema", b"2")])
    produce(good(2201), headers=[("tokenweir-schema", b"\xff\0" * 1000)])
    produce(b"\n".join((good(2300), HUGE_LINE, good(2301), MILLION_TAGS, good(2302))))
    produce(good(2303), headers=None)
    produce(b'{"not":"metered"}\n' + CANARY.encode(), topic="tokenweir.metered")
    produce(good(2304))
    total = 2 * len(lines) + 5
    wait_for("the neighbours", lambda: calls(up, 2000, 2999) == total, log=up.log)
    expected = Counter({key: 2 * count for key, count in EXPECTED.items()})
    expected["empty_batch", ""] += 3
    expected["wrong_schema_version", "tokenweir-schema"] += 2
    expected["too_large", ""] += 2
    wait_for("the rejections", lambda: refusals(up, "meter") == expected, log=up.log)
    wait_for("the sink's", lambda: refusals(up, "sink") == Counter({("store_refused", ""): 2}), log=up.log)


def test_a_file_of_bad_lines_costs_only_these(up: Up, tmp_path: Path) -> None:
    lines = [line for line, _, _ in BAD_LINES.values()] + [HUGE_LINE, MILLION_TAGS]
    file = tmp_path / "events.ndjson"
    file.write_bytes(
        b"\n".join(one for number, line in enumerate(lines) for one in (good(3000 + number), line))
    )
    done = weir("ingest", file, "--json", "--data-dir", "ledger", cwd=up.folder)
    summary = json.loads(done.stdout)
    assert (summary["events"], summary["rejected"]) == (len(lines), len(lines))
    assert calls(up, 3000, 3999) == len(lines)
    expected = EXPECTED.copy()
    expected["too_large", ""] += 2
    assert refusals(up, "collector") == expected
    weir("ingest", file, "--data-dir", "ledger", cwd=up.folder)
    assert calls(up, 3000, 3999) == len(lines)
    assert refusals(up, "collector") == expected


def test_an_empty_file_is_no_mistake(up: Up, tmp_path: Path) -> None:
    for name, content in (("empty.ndjson", b""), ("blank.ndjson", b"\n\n"), ("empty.gz", gzip.compress(b""))):
        (tmp_path / name).write_bytes(content)
        summary = weir_json("ingest", tmp_path / name, "--json", "--data-dir", "ledger", cwd=up.folder)
        assert (summary["events"], summary["rejected"]) == (0, 0)


def test_wrong_questions_change_nothing(up: Up) -> None:
    questions = (
        ["spend", "--by", "nosuch"],
        ["spend", "--since", "someday"],
        ["spend", "--where", "team"],
        ["query", "SELEKT 1"],
        ["query", "SELECT nosuch FROM usage"],
        ["query", "DROP TABLE events"],
        ["query", "SELECT 1", "--format", "nosuch"],
    )
    up.post(event(4000))
    wait_for("the call", lambda: calls(up, 4000, 4000) == 1, log=up.log)
    for question in questions:
        done = weir(*question, "--data-dir", "ledger", cwd=up.folder, status=2)
        assert b"Traceback" not in done.stderr
        assert done.stderr.startswith(b"weir: "), done.stderr
    assert calls(up, 4000, 4000) == 1


def test_a_map_that_fits_no_row_takes_nothing(up: Up, tmp_path: Path) -> None:
    columns = (
        "--map",
        "time=T",
        "--map",
        "input_tokens=N",
        "--set",
        "vendor=openai",
        "--set",
        "model=gpt-4o",
    )
    few, many = tmp_path / "few.csv", tmp_path / "many.csv"
    before = refusals(up, "collector")
    for file, rows in ((few, 3), (many, 1500)):
        file.write_text("T,N\n" + f"2026-01-01T00:00:00Z,{CANARY}\n" * rows)
    told = weir("ingest", many, *columns, "--data-dir", "ledger", cwd=up.folder, status=1).stderr.decode()
    assert "the first 1000 rows are all refused" in told
    assert "--map" in told
    assert "Traceback" not in told
    assert refusals(up, "collector") == before
    told = weir("ingest", few, *columns, "--data-dir", "ledger", cwd=up.folder, status=1).stderr.decode()
    assert "3 rows were refused; `weir rejected` says why" in told
    assert refusals(up, "collector").total() == before.total() + 3


def test_filters_answer_line_by_line(tmp_path: Path) -> None:
    lines = [line.replace(b"\n", b"") for line, _, _ in BAD_LINES.values()]
    priced = weir("price", cwd=tmp_path, stdin=b"\n".join([*lines, good(1)]))
    answers = [json.loads(line) for line in priced.stdout.splitlines()]
    assert len(answers) == len(lines) + 1
    assert answers[-1]["cost"] == "0.0075"
    parsed = weir("parse", "--vendor", "openai", cwd=tmp_path, stdin=b"\n".join(lines))
    assert len(parsed.stdout.splitlines()) == len(lines)
    for done in (priced, parsed):
        assert done.stderr == b""
        errors = [json.loads(line) for line in done.stdout.splitlines()]
        assert all(answer["error"] for answer in errors if "error" in answer)
        assert sum("error" in answer for answer in errors) >= len(lines) - 2


def test_what_the_meter_refuses_is_told_as_the_ledger_has_it(up: Up, produce: Any) -> None:
    for _ in range(6):
        produce(b"\n".join((bad(900_020, prompt=CANARY), good(5000), b"%s{" % CANARY.encode())))

    def told() -> dict[str, Any]:
        rows = weir_json("signals", "--kind", "rejects", "--json", "--data-dir", "ledger", cwd=up.folder)
        found = {row["scope"]["tenant"]: row for row in rows}
        return found if set(found) >= {"default", "(unknown)"} else {}

    stored: Counter[str] = Counter()
    found = wait_for("signals of what was refused", told, log=up.log)
    for (reason, _), count in refusals(up, "meter").items():
        stored[reason] += count
    for row in found.values():
        evidence = row["evidence"]
        assert evidence["refused_lines"] == sum(evidence["reasons"].values()) >= 5
        assert Counter(evidence["reasons"]) <= stored
        assert "weir rejected" in row["explanation"]
    assert "test" in found["default"]["evidence"]["sources"]


def test_at_the_end_nothing_shows_a_prompt_and_all_is_well(up: Up, produce: Any) -> None:
    produce(good(9999))
    wait_for("the last event", lambda: calls(up, 9999, 9999) == 1, log=up.log)
    shown = weir("rejected", "--payload", "--limit", "1000", "--data-dir", "ledger", cwd=up.folder).stdout
    shown += weir("rejected", "--payload", "--json", "--data-dir", "ledger", cwd=up.folder).stdout
    for table in ("rejected", "usage", "events"):
        sql = f"SELECT * FROM {table}"
        asked = weir("query", sql, "--format", "JSONEachRow", "--data-dir", "ledger", cwd=up.folder)
        shown += asked.stdout
    log = up.log.read_text()
    metrics = up.get("metrics")
    for text in (shown.decode(errors="replace"), log, metrics, (up.folder / "ledger/broker.log").read_text()):
        assert CANARY not in text, text[text.index(CANARY) - 700 : text.index(CANARY) + 200]
    assert "Traceback" not in log
    assert json.loads(up.get("health"))["healthy"]
    assert up.process.poll() is None
    weir("doctor", "--data-dir", "ledger", cwd=up.folder)
