"""`weir bills` as a person calls it: vendors on a local server, through Kafka and the sink, into the ledger and out."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.bills.fake_vendors import KEY, XAI, OpenAICompletions, OpenAICosts, days
from tests.bills.vendor_server import Asked, VendorServer
from tests.end_to_end.commands import wait_for, weir, weir_json, weir_process
from tokenweir.cli.root import run

_ENVIRONMENT = {"TOKENWEIR_BILLS__MAIN__KEY": KEY, "TOKENWEIR_BILLS__GROK__KEY": KEY}
_PERIOD = ("--since", "2026-11-01", "--until", "2026-11-06")
_LEDGER = ("--data-dir", "ledger")


class Vendors:
    """OpenAI and xAI on one server."""

    def __init__(self) -> None:
        self.completions, self.costs, self.xai = OpenAICompletions(), OpenAICosts(), XAI()
        self.xai_is_away = False

    def answer(self, asked: Asked) -> tuple[int, Any]:
        if asked.path.startswith("/v1/billing"):
            return (403, {"error": f"no team for {KEY}"}) if self.xai_is_away else self.xai.answer(asked)
        if asked.path.endswith("/completions"):
            return self.completions.answer(asked)
        return self.costs.answer(asked)


@pytest.fixture
def vendors(tmp_path: Path) -> Iterator[Vendors]:
    fakes = Vendors()
    with VendorServer(fakes.answer) as server:
        (tmp_path / "tokenweir.toml").write_text(
            f"""
[bills.main]
vendor = "openai"
base_url = "{server.url}"
reports = ["usage/completions", "costs"]
[bills.main.labels]
key_1 = "checkout"
[bills.grok]
vendor = "xai"
base_url = "{server.url}"
vendor_account = "team-1"
"""
        )
        yield fakes


def test_from_the_vendors_into_the_ledger_and_out(vendors: Vendors, tmp_path: Path) -> None:
    def poll(*more: str, status: int = 0) -> Any:
        done = weir(
            "bills",
            "poll",
            *_PERIOD,
            *_LEDGER,
            "--json",
            *more,
            cwd=tmp_path,
            extra=_ENVIRONMENT,
            status=status,
        )
        assert KEY.encode() not in done.stdout + done.stderr
        return json.loads(done.stdout)

    results = poll()
    assert [(one["report"], one["days"], one["lines"], one["error"]) for one in results] == [
        ("usage/completions", 5, 5, ""),
        ("costs", 5, 10, ""),
        ("usage", 5, 5, ""),
    ]
    listed = weir_json("bills", "list", "--json", *_LEDGER, cwd=tmp_path)
    assert len(listed) == 15
    assert {row["restated"] for row in listed} == {0}
    assert sum(row["input_tokens"] or 0 for row in listed) == 15_000
    sums = weir_json(
        "query",
        "SELECT vendor, sum(amount_usd) AS usd FROM vendor_bills GROUP BY vendor ORDER BY vendor",
        "--json",
        *_LEDGER,
        cwd=tmp_path,
    )["data"]
    assert [(row["vendor"], float(row["usd"])) for row in sums] == [("openai", 2.5), ("xai", 18.75)]
    assert weir_json("spend", "--json", *_LEDGER, cwd=tmp_path)[0]["calls"] == 0

    # A past day is restated, a line vanishes, one vendor refuses, one line lacks its amount.
    vendors.costs.rows[days()[1]] = []
    del vendors.costs.rows[days()[2]][0]["amount"]
    vendors.xai_is_away = True
    results = poll(status=1)
    assert [bool(one["error"]) for one in results] == [False, False, True]
    assert "refused with status 403" in results[2]["error"]
    assert results[1]["refused_lines"] == 1
    listed = weir_json("bills", "list", "--vendor", "openai", "--json", *_LEDGER, cwd=tmp_path)
    restated = {(row["report"], row["day"]): row["lines"] for row in listed if row["restated"]}
    assert restated == {("costs", "2026-11-02"): 0, ("costs", "2026-11-03"): 1}
    history = weir_json("bills", "list", "--vendor", "openai", "--history", "--json", *_LEDGER, cwd=tmp_path)
    assert len(history) == len(listed) + 2
    kept = weir_json("bills", "list", "--vendor", "xai", "--json", *_LEDGER, cwd=tmp_path)
    assert sum(row["lines"] for row in kept) == 5
    (refused,) = weir_json("rejected", "--json", *_LEDGER, cwd=tmp_path)
    assert (refused["stage"], refused["reason"]) == ("collector", "missing_field")
    assert "amount" in refused["field"]
    _google_is_imported(tmp_path)


def _google_is_imported(tmp_path: Path) -> None:
    line = {
        "service": {"description": "Gemini API"},
        "sku": {"description": "Input"},
        "usage_start_time": "2026-11-01T00:00:00Z",
        "usage_end_time": "2026-11-01T01:00:00Z",
        "cost": 0.25,
        "currency": "USD",
    }
    (tmp_path / "export.jsonl").write_text(json.dumps(line) + "\n")
    (result,) = weir_json(
        "bills", "import", "export.jsonl", "--vendor", "google", "--json", *_LEDGER, cwd=tmp_path
    )
    assert (result["days"], result["lines"], result["error"]) == (1, 1, "")
    table = weir("bills", cwd=tmp_path, extra={"TOKENWEIR_LOCAL__DATA_DIR": "ledger"}).stdout.decode()
    assert "billing_export" in table
    assert "0.2500" in table


@pytest.mark.parametrize(
    ("arguments", "key", "said"),
    [
        (("--account", "nobody"), KEY, "name no account 'nobody'"),
        (("--vendor", "anthropic"), KEY, "name no such account"),
        (("--report", "invoices"), KEY, "has no report 'invoices'"),
        ((), "", "TOKENWEIR_BILLS__MAIN__KEY"),
    ],
)
def test_what_is_called_wrongly_is_said_before_anything_is_started(
    vendors: Vendors,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    key: str,
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in _ENVIRONMENT:
        monkeypatch.setenv(name, key)
    assert run(["bills", "poll", *arguments, *_LEDGER]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "ledger").exists()


def test_every_goes_on_until_it_is_stopped(vendors: Vendors, tmp_path: Path) -> None:
    log = tmp_path / "poll.log"
    arguments = ("bills", "poll", "--every", "1", "--account", "grok", *_PERIOD, *_LEDGER)
    with weir_process(*arguments, cwd=tmp_path, log=log, extra=_ENVIRONMENT) as process:
        wait_for("three polls", lambda: log.read_text().count("grok") >= 3, log=log)
        process.terminate()
        assert process.wait(60) == 0
    assert KEY not in log.read_text()
