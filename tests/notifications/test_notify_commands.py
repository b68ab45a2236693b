"""Channels as a person has them: a test message, and `weir up` that tells once, over a restart too."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest
from kafka import KafkaProducer

from tests.end_to_end.commands import wait_for, weir, weir_json
from tests.end_to_end.running import Up, start
from tests.notifications.making import incident_signal
from tests.notifications.servers import HttpService, http_service
from tokenweir.signals import Signal, encode_signal

pytestmark = [pytest.mark.xdist_group("end_to_end"), pytest.mark.timeout(600)]


@pytest.fixture
def http(tmp_path: Path) -> Iterator[HttpService]:
    with http_service() as service:
        (tmp_path / "tokenweir.toml").write_text(
            '[notifications]\ngroup_seconds = 1\nrunbook = "https://weir.test/{kind}"\n'
            f'[notifications.channels.team]\nurl = "{service.url()}"\nhours = "00:00-00:01"\n',
            encoding="utf-8",
        )
        yield service


def test_a_test_message_goes_out_at_once(http: HttpService, tmp_path: Path) -> None:
    done = weir("signals", "test-notify", "team", cwd=tmp_path)
    assert done.stdout.strip() == b"team took the test message"
    assert [post["title"] for post in http.posts] == ["[info] A test of the channel team"]
    assert weir_json("signals", "test-notify", "team", "--json", cwd=tmp_path) == {
        "channel": "team",
        "sent": True,
    }


def test_what_goes_wrong_with_it_is_said_without_the_secret(http: HttpService, tmp_path: Path) -> None:
    http.answers = [403]
    refused = weir("signals", "test-notify", "team", cwd=tmp_path, status=1)
    assert b"the channel team did not take the test message: it answered with status 403" in refused.stderr
    unknown = weir("signals", "test-notify", "pager", cwd=tmp_path, status=2)
    assert b"there is no channel 'pager'" in unknown.stderr
    assert b"Channels: team" in unknown.stderr
    (tmp_path / "tokenweir.toml").write_text(
        '[notifications.channels.team]\nurl = "slak://s3cret"\n', encoding="utf-8"
    )
    misspelt = weir("signals", "test-notify", "team", cwd=tmp_path, status=2)
    assert b"apprise" in misspelt.stderr
    assert b"s3cret" not in refused.stderr + unknown.stderr + misspelt.stderr


def _send(up: Up, *signals: Signal) -> None:
    with closing(KafkaProducer(bootstrap_servers=up.running.kafka_bootstrap_servers, acks="all")) as producer:
        for signal in signals:
            producer.send(
                "tokenweir.signals", key=signal.fingerprint.encode(), value=encode_signal(signal)
            ).get(30)


def test_weir_up_tells_once_over_a_restart_too(http: HttpService, tmp_path: Path) -> None:
    settings = tmp_path / "tokenweir.toml"
    settings.write_text(settings.read_text().replace('hours = "00:00-00:01"\n', ""), encoding="utf-8")
    first, second = (incident_signal(team, observed_at=datetime.now(UTC)) for team in ("one", "two"))
    with _running(tmp_path) as up:
        _send(up, first, first)
        wait_for("the first is told", lambda: http.posts, log=up.log)
    with _running(tmp_path) as up:
        _send(up, first, second)
        checks = {
            one["subject"] for one in weir_json("doctor", "--json", "--data-dir", "ledger", cwd=tmp_path)
        }
        assert "notify lag" in checks
        wait_for("the second is told", lambda: len(http.posts) > 1, log=up.log)
    assert [post["title"] for post in http.posts] == [f"[critical] {one.title}" for one in (first, second)]
    page = f"{up.running.page_url}?board=signals&incident={quote(second.incident, safe='')}"
    assert f"Look: {page}\n" in http.posts[1]["message"]
    assert "Runbook: https://weir.test/cost_spike\n" in http.posts[1]["message"]
    assert "s3cret" not in (tmp_path / "up.log").read_text(encoding="utf-8")


@contextmanager
def _running(folder: Path) -> Iterator[Up]:
    with closing(start(folder)) as generator:  # type: ignore[type-var]
        yield next(generator)
