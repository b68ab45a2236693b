"""Where a compiled book is kept, when it is made anew, and that no state of the place changes a price."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pricing_events import NOVEMBER

from tests.end_to_end.commands import weir
from tokenweir.pricing import PriceBook
from tokenweir.pricing.compiled_book import CompiledSource
from tokenweir.pricing.genai_feed import GenaiFeed
from tokenweir.pricing.installed_feed import InstalledFeed, installed_feed
from tokenweir.pricing.price_cache import (
    CACHE_DIR_VARIABLE,
    _own_files,
    default_cache_dir,
    fingerprint,
    public_sources,
)
from tokenweir.settings import Settings

PROGRAM = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from tokenweir.pricing import PriceBook
book = PriceBook.default(cache_dir=Path(sys.argv[1]))
print(book.lookup("openai", "gpt-4o", datetime(2025, 11, 1, tzinfo=UTC)).price_id)
print(*sorted({"genai_prices", "tokenweir.pricing.overlay", "pydantic", "email"} & sys.modules.keys()))
"""


def start(cache_dir: Path) -> list[str]:
    """What a process of its own finds, and which of the modules it imported that a start can do without."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(cache_dir)], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


def kept(cache_dir: Path) -> list[Path]:
    return sorted(cache_dir.iterdir())


def is_compiled(cache_dir: Path) -> bool:
    return all(isinstance(source, CompiledSource) for source in public_sources(cache_dir))


def test_the_second_start_imports_neither_the_feed_nor_what_reads_files(tmp_path: Path) -> None:
    cache_dir = tmp_path / "not" / "there"
    price_id, imported = start(cache_dir)
    assert price_id == "genai:openai/gpt-4o"
    assert "genai_prices" in imported
    (book,) = kept(cache_dir)
    written_at = book.stat().st_mtime_ns
    assert start(cache_dir) == [price_id, ""]
    assert kept(cache_dir) == [book]
    assert book.stat().st_mtime_ns == written_at


@pytest.mark.parametrize("content", [b"", b"\0" * 1_000, b"tokenweir-price-book of long ago\n", b"half"])
def test_what_is_no_whole_book_is_said_and_made_anew(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    public_sources(tmp_path)
    (book,) = kept(tmp_path)
    whole = book.read_bytes()
    book.write_bytes(whole[: len(whole) // 2] if content == b"half" else content)
    assert is_compiled(tmp_path)
    (said,) = caplog.messages
    assert str(book) in said
    assert "made anew" in said
    assert book.read_bytes() == whole
    assert kept(tmp_path) == [book]


@pytest.mark.skipif(os.name != "posix", reason="ownership and modes of POSIX")
def test_a_book_that_others_could_have_written_is_not_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    public_sources(tmp_path)
    (book,) = kept(tmp_path)
    assert book.stat().st_mode & 0o777 == 0o644
    spoilt: list[Callable[[], None]] = [lambda: book.chmod(0o666), lambda: book.chmod(0o664)]
    if os.geteuid() == 0:
        spoilt.append(lambda: os.chown(book, 12_345, -1))
    for spoil in spoilt:
        caplog.clear()
        spoil()
        assert is_compiled(tmp_path)
        assert "others could have written it" in caplog.text
        assert (book.stat().st_mode & 0o777, book.stat().st_uid) == (0o644, os.geteuid())


@pytest.mark.parametrize("place", ["a file", "a directory in place of the book"])
def test_where_no_book_can_be_kept_the_sources_are_read(
    tmp_path: Path, place: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    cache_dir = tmp_path / "cache"
    if place == "a file":
        cache_dir.write_text("")
    else:
        public_sources(cache_dir)
        (book,) = kept(cache_dir)
        book.unlink()
        book.mkdir()
    assert isinstance(public_sources(cache_dir)[0], GenaiFeed)
    assert str(cache_dir) in caplog.text
    assert PriceBook.default(cache_dir=cache_dir).lookup("openai", "gpt-4o", NOVEMBER) is not None
    assert place == "a file" or [path.is_dir() for path in kept(cache_dir)] == [True]


def test_a_read_only_file_system_is_no_hindrance(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    assert isinstance(public_sources(Path("/proc/tokenweir"))[0], GenaiFeed)
    assert "/proc/tokenweir" in caplog.text


def test_many_at_once_each_have_a_whole_book(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(start, [tmp_path] * 4):
            assert found[0] == "genai:openai/gpt-4o"
    assert len(kept(tmp_path)) == 1
    assert is_compiled(tmp_path)


def test_few_books_are_kept_and_no_half_written_ones(tmp_path: Path) -> None:
    tmp_path.joinpath("prices of my own.txt").write_text("not ours")
    for age in range(1, 12):
        for name in (f"prices-{age}.book", f"prices-{age}.book.x"):
            path = tmp_path / name
            path.write_bytes(b"old")
            moment = path.stat().st_mtime - age * 1_000
            os.utime(path, (moment, moment))
    public_sources(tmp_path)
    names = {path.name for path in kept(tmp_path)}
    assert {f"prices-{age}.book" for age in range(1, 8)} | {"prices of my own.txt"} < names
    assert {name for name in names if name.endswith(".x")} == {f"prices-{age}.book.x" for age in (1, 2, 3)}
    assert len(names) == 7 + 1 + 1 + 3


def test_the_fingerprint_follows_the_data_the_version_and_the_time(tmp_path: Path) -> None:
    feed = installed_feed()
    assert fingerprint(feed) == fingerprint(feed)
    copy = tmp_path / "data.py"
    copy.write_bytes(feed.data_path.read_bytes())
    os.utime(copy, (0, 0))
    same = feed._replace(data_path=copy)
    assert fingerprint(same) == fingerprint(feed), "where the data lies, and since when, is not what it says"
    others: list[InstalledFeed] = [same._replace(version="0.2.4"), same._replace(recorded_at=NOVEMBER)]
    assert len({fingerprint(feed), *map(fingerprint, others)}) == 3
    assert {"money.py", "genai_feed.py", "price_tables.py", "openai.toml"} < {
        name for name, _ in _own_files()
    }
    content = copy.read_bytes()
    copy.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert fingerprint(same) != fingerprint(feed)


def test_the_directory_is_the_settings_the_environments_or_the_platforms(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKENWEIR_PRICING__CACHE_DIR", str(tmp_path / "named"))
    assert default_cache_dir() == Settings().pricing.cache_dir == tmp_path / "named"
    monkeypatch.delenv("TOKENWEIR_PRICING__CACHE_DIR")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert default_cache_dir() == tmp_path / "xdg" / "tokenweir"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert default_cache_dir() == tmp_path / ".cache" / "tokenweir"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert default_cache_dir() == tmp_path / "Library" / "Caches" / "tokenweir"


def test_commands_keep_it_where_the_settings_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tokenweir.toml").write_text('[pricing]\ncache_dir = "books"\n')
    call = b'{"vendor": "openai", "model": "gpt-4o", "input_tokens": 1000}'
    monkeypatch.delenv(CACHE_DIR_VARIABLE)
    by_file = weir("price", cwd=tmp_path, stdin=call)
    by_environment = weir("price", cwd=tmp_path, stdin=call, extra={CACHE_DIR_VARIABLE: "others"})
    assert json.loads(by_file.stdout)["cost"] == json.loads(by_environment.stdout)["cost"] == "0.0025"
    assert [len(kept(tmp_path / name)) for name in ("books", "others")] == [1, 1]


def test_the_installed_feed_is_told_without_importing_it() -> None:
    from importlib.metadata import version

    import genai_prices.data

    feed = installed_feed()
    assert feed.version == version("genai-prices")
    assert str(feed.data_path) == genai_prices.data.__file__
