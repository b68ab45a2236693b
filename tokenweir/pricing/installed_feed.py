"""The installed genai-prices, told without importing it: its version, its data, and since when that is known."""

from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Final, NamedTuple

_PACKAGE: Final = "genai_prices"
_RECORDED_AT: Final = {
    # The day that the newest of its prices took effect, bar those announced for later.
    "0.2.3": datetime(2026, 11, 9, tzinfo=UTC),
}


class InstalledFeed(NamedTuple):
    """recorded_at: when its prices became known; for a version that is not listed here, when it was installed."""

    version: str
    data_path: Path
    recorded_at: datetime


def installed_feed() -> InstalledFeed:
    """What is installed. Raises ModuleNotFoundError where nothing is."""
    found = find_spec(_PACKAGE)
    if found is None or found.origin is None:
        raise ModuleNotFoundError("genai-prices is not installed", name=_PACKAGE)
    data_path = Path(found.origin).with_name("data.py")
    version = _version(data_path.parent.parent)
    recorded_at = _RECORDED_AT.get(version) or datetime.fromtimestamp(data_path.stat().st_mtime, UTC)
    return InstalledFeed(version, data_path, recorded_at)


def _version(folder: Path) -> str:
    """The version, from the name of the record that an installer leaves beside a package.

    Reading that record would say the same and cost as much as the rest of a start.
    """
    names = [path.name for path in folder.glob(f"{_PACKAGE}-*.dist-info")]
    if len(names) == 1:
        return names[0].removeprefix(f"{_PACKAGE}-").removesuffix(".dist-info")
    # Installed in another way, such as from a working copy.
    from importlib import metadata

    return metadata.version("genai-prices")
