"""The settings that docs/notifications.md shows can be used as they stand."""

import tomllib

from sinks.notifications.hours import read_hours
from sinks.notifications.sending import Channel
from tests.docs.pages import ROOT, blocks
from tokenweir.settings import NotificationSettings


def test_the_example_is_one() -> None:
    (example,) = (one for one in blocks(ROOT / "docs" / "notifications.md") if one.language == "toml")
    settings = NotificationSettings.model_validate(tomllib.loads(example.text)["notifications"])
    formats = {name: Channel(name, one).room.format for name, one in settings.channels.items()}
    assert formats == {"search": "text", "pager": "text", "finance": "html"}
    assert read_hours(settings.channels["search"].hours, settings.channels["search"].time_zone)


def test_null_is_no_channel() -> None:
    assert NotificationSettings.model_validate({"channels": None}).channels == {}
