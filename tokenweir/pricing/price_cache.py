"""The public prices from a compiled book that is kept between starts, made anew whenever it does not fit.

A book is named after a fingerprint of everything that its rows follow from: the bytes of the feed's data, of the
project's own data and of the code that reads them. Dates and sizes of files decide nothing, so a copied or restored
installation cannot be mistaken for another. It is written beside its place and moved there, so that several processes
may do so at once; each reads a whole book or none.

A book that is damaged, of another form, or could have been written by somebody else is left alone and made anew. Where
none can be kept, the sources are read as they are: the same rows, some tenths of a second later.
"""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from hashlib import blake2b
from importlib.resources import files
from pathlib import Path
from tempfile import mkstemp
from typing import TYPE_CHECKING, Final

from tokenweir.pricing.compiled_book import NotThisBook, compiled, opened
from tokenweir.pricing.installed_feed import InstalledFeed, installed_feed
from tokenweir.pricing.sources import PriceSource

if TYPE_CHECKING:
    from tokenweir.pricing.genai_feed import GenaiFeed
    from tokenweir.pricing.own_data import OwnData

CACHE_DIR_VARIABLE: Final = "TOKENWEIR_PRICING__CACHE_DIR"
"""The setting `pricing.cache_dir`, as the environment names it."""

_PREFIX: Final = "prices-"
_SUFFIX: Final = ".book"
_KEPT: Final = 8
"""Books kept at most; environments with different versions share the directory."""

_ABANDONED_NS: Final = 3_600 * 10**9
_FINGERPRINT_BYTES: Final = 16
_logger = logging.getLogger(__name__)


def public_sources(cache_dir: Path | None = None) -> list[PriceSource]:
    """The feed, and the project's own data over it.

    cache_dir: where the compiled book is kept; None for `default_cache_dir()`.
    """
    folder = cache_dir or default_cache_dir()
    if folder is None:
        _logger.info("there is no home directory to keep a compiled price book in; the sources are read")
        return [*_sources()]
    made_from = fingerprint(installed_feed())
    path = folder / f"{_PREFIX}{made_from}{_SUFFIX}"
    try:
        return [*opened(_bytes_of(path), made_from)]
    except FileNotFoundError:
        pass
    except NotThisBook as problem:
        _logger.warning("the compiled price book %s is not used, but made anew: %s", path, problem)
    except OSError as problem:
        _logger.warning("the compiled price book %s cannot be read: %s", path, problem.strerror)
    return _made_anew(path, made_from)


def default_cache_dir() -> Path | None:
    """Where a book is kept if nobody says; None where the user has no home.

    What the environment's name of the setting `pricing.cache_dir` says, else `tokenweir` in the directory that the
    platform has for what programs may lose: XDG_CACHE_HOME or ~/.cache, ~/Library/Caches on macOS, LOCALAPPDATA on
    Windows.
    """
    named = os.environ.get(CACHE_DIR_VARIABLE)
    if named:
        return Path(named)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or os.path.expanduser(r"~\AppData\Local")
    elif sys.platform == "darwin":
        base = os.path.expanduser("~/Library/Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME", "")
        # A relative one is to be ignored (XDG Base Directory Specification 0.8).
        base = base if os.path.isabs(base) else os.path.expanduser("~/.cache")
    return Path(base) / "tokenweir" if os.path.isabs(base) else None


def fingerprint(feed: InstalledFeed) -> str:
    """In hexadecimal, what the public rows follow from: data and code, byte for byte, and since when they are known."""
    taken = blake2b(digest_size=_FINGERPRINT_BYTES)
    taken.update(f"{feed.version} {feed.recorded_at.isoformat()}".encode())
    for name, content in (("feed", feed.data_path.read_bytes()), *_own_files()):
        taken.update(f"\n{name} {len(content)}\n".encode())
        taken.update(content)
    return taken.hexdigest()


def _own_files() -> Iterator[tuple[str, bytes]]:
    pricing = files("tokenweir.pricing")
    for folder in (files("tokenweir"), pricing, pricing / "data"):
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
            if entry.is_file():
                yield entry.name, entry.read_bytes()


def _sources() -> "tuple[GenaiFeed, OwnData]":
    # What reads sources is not imported by a start that reads none.
    from tokenweir.pricing.genai_feed import GenaiFeed
    from tokenweir.pricing.own_data import own_data

    return GenaiFeed(), own_data()


def _bytes_of(path: Path) -> bytes:
    """What the file holds. Raises NotThisBook where others could have written it, OSError where it is not there."""
    with path.open("rb") as book:
        status = os.fstat(book.fileno())
        if os.name == "posix" and (status.st_uid not in (0, os.geteuid()) or status.st_mode & 0o022):
            raise NotThisBook("others could have written it")
        return book.read()


def _made_anew(path: Path, made_from: str) -> list[PriceSource]:
    """The sources, from a new book at `path`; as they are where none can be kept there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, beside = mkstemp(prefix=f"{path.name}.", dir=path.parent)
    except OSError as problem:
        _logger.info(
            "no compiled price book can be kept in %s (%s); the sources are read", path.parent, problem
        )
        return [*_sources()]
    try:
        with os.fdopen(handle, "wb") as file:
            feed, own = _sources()
            book = compiled([(feed, True), (own, False)], made_from)
            file.write(book)
        os.chmod(beside, 0o644)
        os.replace(beside, path)
        _forget_old_books(path)
    except OSError as problem:
        _logger.warning("the compiled price book %s could not be written: %s", path, problem)
        return [*_sources()]
    finally:
        Path(beside).unlink(missing_ok=True)
    return [*opened(book, made_from)]


def _forget_old_books(newest: Path) -> None:
    """Keep the last few books, and none that was left half written an hour ago."""
    written_at = {}
    for path in newest.parent.glob(f"{_PREFIX}*"):
        with suppress(FileNotFoundError):  # another process has moved or forgotten it
            written_at[path] = path.stat().st_mtime_ns
    newest_first = sorted(written_at, key=lambda path: written_at[path], reverse=True)
    books = [path for path in newest_first if path.suffix == _SUFFIX]
    abandoned_before = max(written_at.values(), default=0) - _ABANDONED_NS
    halves = [path for path in newest_first if path.suffix != _SUFFIX and written_at[path] < abandoned_before]
    for path in (*books[_KEPT:], *halves):
        path.unlink(missing_ok=True)
