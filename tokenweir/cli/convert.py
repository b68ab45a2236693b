"""`weir parse` and `weir price`: filters from standard input to standard output, one JSON object a line.

Neither touches Kafka or the ledger. A line that cannot be taken gives `{"error": …}` in its place, so that input
and output stay line by line beside each other; the exit status stays 0. What `parse` finds further within an answer
comes at the end for that reason.

`price` answers line by line, except where the price book has allowances: a call's cost then depends on those before it,
and all lines are read first (`tokenweir.cli.event_order`).
"""

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click

from producers.files import parse_answers
from producers.vendors.names import vendor_named
from tokenweir.cli.event_order import Answer, price_in_event_order
from tokenweir.cli.moments import parse_moment
from tokenweir.errors import RejectedInput
from tokenweir.pricing import PriceBook, priced_fields
from tokenweir.settings import Settings
from tokenweir.usage import UsageEvent
from tokenweir.usage.reading import read_event_line

_NAMELESS_ID: Final = "price:1"


@click.command()
@click.option("--vendor", required=True, help="Who sends the bill: openai, anthropic, google…")
@click.option("--surface", help="Which of the vendor's interfaces; found by itself where not named.")
@click.option(
    "--first-only",
    is_flag=True,
    help="Leave out further calls that were billed within an answer: one line out for every answer.",
)
def parse(vendor: str, surface: str | None, first_only: bool) -> None:
    """Turn raw vendor answers on standard input into usage events, one a line.

    A line holds an answer, a single event of a stream that tells usage, or an array of a stream's chunks; or the input
    is server-sent events as they came over the wire. Lines out stand beside lines in; calls billed within an answer at
    another model's price (an advisor, a compaction) come after all of them.

    For --vendor, the name of a tool that keeps records of its own does as well: litellm, helicone, portkey, langfuse,
    claude_code, codex_cli, gemini_cli, otel. One record may then hold any number of calls; --first-only does nothing.

    \b
    Examples:
      weir parse --vendor anthropic < answers.jsonl
      weir parse --vendor claude_code < session.jsonl
      curl -sN … | weir parse --vendor openai --surface chat_completions
    """
    events = parse_answers(
        sys.stdin.buffer, vendor, surface, now=datetime.now(UTC), inner_calls=not first_only
    )
    for fields in events:
        _write(fields)


@click.command()
@click.option("--at", help="Price at the prices of this time instead of each event's own.")
@click.option(
    "--known-at", help="Use only what the price book knew at this time (default: all that it knows now)."
)
@click.option(
    "--prices",
    "overlay",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A price file of your own, over the built-in book.",
)
def price(at: str | None, known_at: str | None, overlay: Path | None) -> None:
    """Price usage events (JSONL on standard input).

    An event here needs only vendor, model and its counts; id, source and time are filled in where missing. A vendor
    that has no price under the name given is read as the readers read it (bedrock is aws, bytedance volcengine). The
    answer is the event with cost, list_cost, native_cost (decimal strings, null where there is no price), currency,
    cost_parts, price_id and price_status.

    Where a price file has allowances (free tiers, prepaid packs), all lines are read before the first is answered, and
    the calls use the allowances up in the order of their time, then tenant and id, whatever the order of the lines.
    Not so with --at, which asks for prices alone.

    \b
    Examples:
      echo '{"vendor":"openai","model":"gpt-4o","input_tokens":1000,"output_tokens":500}' | weir price
      weir price --prices contracts.toml < events.jsonl
    """
    now = datetime.now(UTC)
    moment, known = parse_moment(at, now), parse_moment(known_at, now)
    settings = Settings()
    book = PriceBook.default(
        overlay or settings.pricing.overlay, settings.recorded_prices, cache_dir=settings.pricing.cache_dir
    )
    answers = _answers(book, now, moment, known)
    for number, answer in answers:
        if isinstance(answer, RejectedInput):
            _write({"error": str(answer), "reason": answer.reason, "field": answer.field, "line": number})
            continue
        event, priced = answer
        shown = event.model_dump(mode="json", exclude_defaults=True)
        _write(shown | priced_fields(priced))


def _answers(
    book: PriceBook, now: datetime, at: datetime | None, known_at: datetime | None
) -> Iterator[tuple[int, Answer]]:
    """The number of each line of standard input that is not blank, and its answer."""

    def read(line: bytes) -> UsageEvent:
        event = _event_of(line, at or now)
        named = vendor_named(event.vendor)
        if named == event.vendor or book.price(event, at=at, known_at=known_at).price_status != "unpriced":
            return event
        return event.model_copy(update={"vendor": named})

    lines = sys.stdin.buffer
    if at is None and book.contracts.allowances:
        yield from price_in_event_order(lines, read, book, nameless_id=_NAMELESS_ID, known_at=known_at)
        return
    for number, line in enumerate(lines):
        if not line.strip():
            continue
        try:
            event = read(line)
        except RejectedInput as error:
            yield number, error
            continue
        yield number, (event, book.price(event, at=at, known_at=known_at))


def _event_of(line: bytes, now: datetime) -> UsageEvent:
    """The event of a line that may leave out its id, source and time."""
    try:
        given: Any = json.loads(line, parse_float=str)
    except (ValueError, RecursionError):
        return read_event_line(line, now=now)
    missing: dict[str, str] = {}
    if isinstance(given, dict):
        defaults = {"id": _NAMELESS_ID, "source": "price", "time": now.isoformat()}
        missing = {name: value for name, value in defaults.items() if name not in given}
    if not missing:
        return read_event_line(line, now=now)
    # Put in front of the object's own text, so that no number of the input is read and written again.
    body = line.strip()
    front = json.dumps(missing)[:-1].encode()
    rest = body[1:].lstrip()
    return read_event_line(front + (b"}" if rest == b"}" else b"," + rest), now=now)


def _write(fields: dict[str, Any]) -> None:
    click.echo(json.dumps(fields, ensure_ascii=False))
