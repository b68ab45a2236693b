"""From signals to messages that real services take: grouping, the cap, mutes, restarts, services that fail."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sinks.notifications.notifier import Notifier
from tests.notifications.making import START, channel, incident_signal, notifying
from tests.notifications.servers import HttpService, MailService, http_service, mail_service
from tokenweir.errors import WrongCall
from tokenweir.settings import NotificationSettings


@pytest.fixture
def http() -> Iterator[HttpService]:
    with http_service() as service:
        yield service


@pytest.fixture
def mail() -> Iterator[MailService]:
    with mail_service() as service:
        yield service


def titles(service: HttpService) -> list[str]:
    return [post["title"] for post in service.posts]


def test_signals_of_a_moment_are_one_message(http: HttpService, tmp_path: Path) -> None:
    with notifying(tmp_path, {"team": channel(http.url())}) as clock:
        clock.accept(*(incident_signal(f"team-{number}") for number in range(10)))
        assert clock.after(seconds=9) == []
        assert clock.after(seconds=2) == ["team"]
        assert clock.after(hours=2) == []
    (post,) = http.posts
    assert post["title"] == "[critical] 10 incidents: 10 open"
    assert all(f"team-{number} costs" in post["message"] for number in range(10))
    assert post["type"] == "failure"


def test_an_incident_is_told_from_its_opening_to_its_end_and_nothing_twice(
    http: HttpService, tmp_path: Path
) -> None:
    opened, worse = incident_signal("search"), incident_signal("search", 1, change="worse")
    over = incident_signal("search", 2, state="resolved")
    with notifying(tmp_path, {"team": channel(http.url())}, group_seconds=0) as clock:
        for signal in (opened, opened, worse, opened, over, over):
            clock.accept(signal)
            clock.after(seconds=1)
    assert titles(http) == [
        f"[{word}] search costs 166 times the usual" for word in ("critical", "critical", "resolved")
    ]
    assert [post["type"] for post in http.posts] == ["failure", "failure", "success"]


def test_a_restart_repeats_nothing_and_loses_nothing(http: HttpService, tmp_path: Path) -> None:
    channels = {"team": channel(http.url())}
    first, second = incident_signal("search"), incident_signal("billing")
    with notifying(tmp_path, channels) as clock:
        clock.accept(first)
        clock.after(seconds=11)
        clock.accept(second)
    with notifying(tmp_path, channels, now=START + timedelta(minutes=5)) as clock:
        clock.accept(first, second)
        assert clock.after(seconds=0) == ["team"]
        assert clock.after(hours=1) == []
    assert ["search" in title for title in titles(http)] == [True, False]
    assert "billing" in http.posts[1]["title"]


def test_a_crash_between_sending_and_noting_repeats_that_one_message(
    http: HttpService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    channels = {"team": channel(http.url())}

    def crash(*_: Any) -> None:
        raise KeyboardInterrupt

    with notifying(tmp_path, channels, group_seconds=0) as clock:
        clock.accept(incident_signal("told"))
        clock.after(seconds=1)
        clock.accept(incident_signal("search"))
        monkeypatch.setattr("sinks.notifications.outbox.Outbox.note_sent", crash)
        with pytest.raises(KeyboardInterrupt):
            clock.after(seconds=1)
        monkeypatch.undo()
    with notifying(tmp_path, channels, group_seconds=0) as clock:
        assert clock.after(minutes=1) == ["team"]
        assert clock.after(minutes=1) == []
    assert ["told" in title for title in titles(http)] == [True, False, False]
    assert http.posts[1] == http.posts[2]
    assert f"Reference: {incident_signal('search').id}" in http.posts[1]["message"]


def test_what_is_over_the_cap_comes_as_one_summary(http: HttpService, tmp_path: Path) -> None:
    channels = {"team": channel(http.url(), max_messages_per_hour=3)}
    with notifying(tmp_path, channels, group_seconds=0) as clock:
        for number in range(12):
            clock.accept(incident_signal(f"team-{number}", severity="warning"))
            clock.after(minutes=1)
        assert len(http.posts) == 2  # the third is kept for what is critical
        clock.accept(incident_signal("urgent"))
        assert clock.after(minutes=1) == ["team"]
        assert http.posts[2]["title"] == "[critical] 11 incidents: 11 open"
        clock.accept(incident_signal("later", severity="warning"))
        assert clock.after(minutes=30) == []
        assert clock.after(minutes=30) == ["team"]
    told = "".join(post["message"] for post in http.posts)
    assert all(f"team-{number} costs" in told for number in range(12))


def test_a_mute_takes_back_what_waits_and_only_its_end_is_told(http: HttpService, tmp_path: Path) -> None:
    until = START + timedelta(hours=4)
    with notifying(tmp_path, {"team": channel(http.url())}) as clock:
        clock.accept(incident_signal("unheard"), incident_signal("unheard", 1, muted_until=until))
        clock.accept(incident_signal("heard"))
        clock.after(seconds=11)
        clock.accept(
            incident_signal("heard", 1, change="muted", muted_until=until),
            incident_signal("heard", 2, change="worse", muted_until=until),
        )
        assert clock.after(seconds=11) == []
        for team in ("heard", "unheard"):
            clock.accept(incident_signal(team, 3, state="resolved", muted_until=until))
        clock.after(seconds=11)
    assert titles(http) == [f"[{word}] heard costs 166 times the usual" for word in ("critical", "resolved")]


def test_who_has_taken_it_up_is_told_and_then_no_more_than_its_end(http: HttpService, tmp_path: Path) -> None:
    with notifying(tmp_path, {"team": channel(http.url())}, group_seconds=0) as clock:
        for signal in (
            incident_signal("search"),
            incident_signal("search", 1, change="acknowledged", acknowledged_by="ana"),
            incident_signal("search", 2, change="worse", acknowledged_by="ana"),
            incident_signal("search", 3, change="severity_up"),
            incident_signal("search", 4, state="resolved", acknowledged_by="ana"),
        ):
            clock.accept(signal)
            clock.after(seconds=1)
    assert len(http.posts) == 4
    assert "Taken up by: ana" in http.posts[1]["message"]
    assert "more severe" in http.posts[2]["message"]


def test_a_channel_that_fails_is_told_of_on_the_others_and_sends_all_when_it_is_back(
    http: HttpService, mail: MailService, tmp_path: Path
) -> None:
    http.is_down = True
    channels = {
        "chat": channel(http.url()),
        "mail": channel(mail.url(), kinds=["notification"], format="text"),
    }
    with notifying(tmp_path, channels, group_seconds=0) as clock:
        clock.accept(incident_signal("search"))
        waits = []
        for _ in range(4):
            clock.after(minutes=2)
            trouble = clock.notifier._outbox.trouble("chat")
            assert trouble is not None
            waits.append((trouble.retry_at - clock.now).total_seconds())
        assert waits == [5, 10, 20, 40]
        (opened,) = clock.pass_on()
        assert (opened.kind, opened.subject, opened.state) == ("notification", "chat", "open")
        assert clock.after(seconds=1) == ["mail"]
        clock.accept(incident_signal("billing"))
        http.is_down = False
        assert clock.after(minutes=2) == ["chat"]
        (over,) = clock.pass_on()
        assert (over.state, over.incident) == ("resolved", opened.incident)
        assert clock.after(minutes=1) == ["mail"]
    assert titles(http) == ["[critical] 2 incidents: 2 open"]
    subjects = [str(one["subject"]) for one in mail.mails]
    assert subjects == [
        f"[{word}] The notification channel chat does not work" for word in ("warning", "resolved")
    ]
    assert "status 503" in mail.mails[0].get_content()


def test_the_failing_of_the_only_channel_is_not_told_on_itself(http: HttpService, tmp_path: Path) -> None:
    http.is_down = True
    with notifying(tmp_path, {"chat": channel(http.url())}, group_seconds=0) as clock:
        clock.accept(incident_signal("search"))
        for _ in range(3):
            clock.after(minutes=2)
        assert len(clock.pass_on()) == 1
        http.is_down = False
        clock.after(minutes=20)
        clock.pass_on()
        assert clock.after(minutes=20) == []
    assert titles(http) == ["[critical] search costs 166 times the usual"]


def test_who_asks_for_patience_has_a_minute(http: HttpService, tmp_path: Path) -> None:
    http.answers = [429]
    with notifying(tmp_path, {"chat": channel(http.url())}, group_seconds=0) as clock:
        clock.accept(incident_signal("search"))
        clock.after(seconds=1)
        assert clock.after(seconds=59) == []
        assert clock.after(seconds=1) == ["chat"]


def test_a_service_that_does_not_answer_is_given_up_and_tried_again(
    http: HttpService, tmp_path: Path
) -> None:
    http.delay_seconds = 3
    with notifying(tmp_path, {"chat": channel(http.url(rest="hook?rto=0.3"))}, group_seconds=0) as clock:
        clock.accept(incident_signal("search"))
        assert clock.after(seconds=1) == []
        http.delay_seconds = 0
        assert clock.after(seconds=5) == ["chat"]


def test_outside_of_its_hours_a_channel_waits(http: HttpService, tmp_path: Path) -> None:
    hours = {"hours": "Mon-Fri 09:00-11:00", "time_zone": "Europe/Berlin"}  # 12:02 in UTC is 13:02 there
    with notifying(tmp_path, {"team": channel(http.url(), **hours)}, group_seconds=0) as clock:
        clock.accept(incident_signal("search"), incident_signal("billing"))
        clock.accept(incident_signal("search", 1, state="resolved"))
        assert clock.after(hours=1) == []
        assert clock.after(hours=18, minutes=50) == []  # 07:52 in UTC
        assert clock.after(minutes=10) == ["team"]
    assert titles(http) == ["[critical] 2 incidents: 1 open, 1 resolved"]
    assert "OPENED AND RESOLVED" in http.posts[0]["message"]


def test_a_pager_has_a_message_for_each_incident(http: HttpService, tmp_path: Path) -> None:
    channels = {"pager": channel(http.url(), one_per_incident=True)}
    with notifying(tmp_path, channels, group_seconds=0) as clock:
        clock.accept(incident_signal("search"), incident_signal("billing"))
        assert [clock.after(seconds=1) for _ in range(3)] == [["pager"], ["pager"], []]
    assert len(set(titles(http))) == 2


def test_what_is_old_is_no_news(http: HttpService, tmp_path: Path) -> None:
    with notifying(tmp_path, {"team": channel(http.url())}, now=START + timedelta(hours=25)) as clock:
        clock.accept(incident_signal("search"), incident_signal("search", 1, state="resolved"))
        assert clock.after(minutes=1) == []


def test_no_secret_is_in_a_log_an_error_or_a_message(
    http: HttpService, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    http.answers = [500, 404]
    channels = {
        "chat": channel(http.url()),
        "gone": channel("json://user:s3cret-password@127.0.0.1:9/s3cret-path"),
    }
    with notifying(tmp_path, channels, group_seconds=0) as clock:
        clock.accept(incident_signal("search"))
        for _ in range(4):
            clock.after(minutes=20)
            clock.pass_on()
    with pytest.raises(WrongCall, match="'chat'") as wrong:
        Notifier(
            NotificationSettings(channels={"chat": channel("nonsense://s3cret")}),
            tmp_path / "n",
            chance=float,
        )
    assert http.posts
    written = caplog.text + str(http.posts) + str(wrong.value) + repr(channels)
    assert "channel chat failed" in written
    assert "s3cret" not in written


def test_one_process_has_the_folder(http: HttpService, tmp_path: Path) -> None:
    channels = {"team": channel(http.url())}
    with (
        notifying(tmp_path, channels),
        pytest.raises(WrongCall, match="another process"),
        notifying(tmp_path, channels),
    ):
        pass


def test_what_waits_for_a_channel_that_is_no_more_is_dropped(http: HttpService, tmp_path: Path) -> None:
    with notifying(tmp_path, {"old": channel(http.url())}) as clock:
        clock.accept(incident_signal("search"))
    with notifying(tmp_path, {"new": channel(http.url())}) as clock:
        assert clock.notifier._outbox.waiting("old") == []
        assert clock.after(hours=1) == []


def test_mail_and_xml_are_taken(http: HttpService, mail: MailService, tmp_path: Path) -> None:
    channels = {"mail": channel(mail.url()), "xml": channel(http.url("xml"))}
    with notifying(tmp_path, channels, group_seconds=0, link="https://weir.test/i/{incident}") as clock:
        clock.accept(incident_signal("<b>search</b>"))
        assert clock.after(seconds=1) == ["mail", "xml"]
    (one,) = mail.mails
    assert one["to"] == "oncall@mail.test"
    shown = one.get_body(("html",))
    assert shown is not None
    body = shown.get_content()
    assert "&lt;\u200bb&gt;search" in body
    assert "<b>search" not in body
    assert 'href="https://weir.test/i/cost_spike%3A' in body
    assert b"weir signals ack cost_spike:" in http.raw[0]
    assert mail.logins == [b"\0user\0s3cret-password"]
    mail.refuses = True
    with notifying(tmp_path, channels, group_seconds=0) as clock:
        clock.accept(incident_signal("billing"))
        assert clock.after(seconds=1) == ["xml"]
