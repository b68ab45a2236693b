"""How one value reads in a report: exact, in HTML that nothing hostile comes through.

Money is written with every digit that it has, in groups of three; what goes beyond cents stands paler. Names are
escaped, set apart from the direction of the text around them, and shown without characters that control it.
"""

import html
import re
import unicodedata
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from dashboards.panels.panel import MONEY, Unit
from tokenweir.money import decimal_string, picos_from_decimal

NOTHING: Final = "\N{EN DASH}"
MINUS: Final = "\N{MINUS SIGN}"
UNKNOWN: Final = "unknown"
_AFTER_TITLE: Final[dict[Unit, str]] = {
    Unit.USD_PER_DAY: "a day",
    Unit.USD_PER_MILLION_TOKENS: "per 1M tokens",
    Unit.USD_PER_THOUSAND_CALLS: "per 1k calls",
    Unit.TOKENS_PER_SECOND: "tokens/s",
    Unit.CALLS_PER_SECOND: "calls/s",
    Unit.MILLISECONDS: "ms",
    Unit.SECONDS: "s",
    Unit.DAYS: "days",
    Unit.RATIO: "times",
    Unit.TIME: "UTC",
    Unit.DAY: "UTC",
}
_WHOLE: Final = frozenset({Unit.CALLS, Unit.TOKENS, Unit.COUNT})
_WORDS: Final = frozenset({Unit.TEXT, Unit.TIME, Unit.DAY})
_CODE: Final = re.compile(r"`([^`]+)`")
_OF_CLICKS: Final = re.compile(r"(?:(?<=\. )|^)(?:A click|Click)\b[^.]*\.\s*")
_NEVER_BROKEN: Final = 12
"""Names of so many characters stay on one line."""
ADDED_UP: Final = _WHOLE | {Unit.USD}
"""What makes sense when it is added up over groups and steps."""


def escaped(text: str) -> str:
    """Text for HTML and its quoted attributes; what controls or hides text is shown as U+FFFD."""
    return html.escape("".join(_shown(character) for character in text), quote=True)


def name(text: str) -> str:
    """A name out of the ledger, as HTML."""
    kept = ' class="short"' if len(text) <= _NEVER_BROKEN else ""
    return f"<bdi{kept}>{escaped(text)}</bdi>" if text else '<span class="nameless">(none)</span>'


def is_numeric(unit: Unit) -> bool:
    """Whether values of the unit are lined up at the right."""
    return unit not in _WORDS


def heading(title: str, unit: Unit) -> str:
    """A column's title with its unit, as HTML."""
    after = _AFTER_TITLE.get(unit, "")
    said = after and f" {after} " not in f" {title.lower()} "
    return f'{escaped(title)} <span class="unit">({after})</span>' if said else escaped(title)


def unit_words(unit: Unit) -> str:
    """What stands behind a lone figure of the unit; often nothing."""
    if unit in (Unit.CALLS, Unit.TOKENS):
        return unit.value
    return _AFTER_TITLE.get(unit, "")


def prose(text: str) -> str:
    """A description as HTML, without what it says of clicks, which lead nowhere in a report."""
    return _CODE.sub(r"<code>\1</code>", escaped(_OF_CLICKS.sub("", text).strip()))


def figure(value: Any, unit: Unit) -> str:
    """A value as HTML. value: as `dashboards.panels.question` gives it, money as a decimal string."""
    if value is None:
        return f'<span class="unknown">{UNKNOWN if unit in MONEY else NOTHING}</span>'
    if unit is Unit.TEXT:
        return name(value)
    if unit is Unit.TIME:
        return f'<time datetime="{escaped(value)}">{moment(value)}</time>'
    if unit is Unit.DAY:
        return escaped(value)
    if unit in MONEY:
        return money(value)
    if unit in _WHOLE:
        return f"{value:,}"
    return f"{number(value)} %" if unit is Unit.PERCENT else number(value)


def money(amount: str) -> str:
    """Every digit of an amount, as HTML: $1,234.56 with what lies below cents set paler."""
    exact = Decimal(amount)
    sign = MINUS if exact < 0 else ""
    whole, _, fraction = amount.removeprefix("-").partition(".")
    fraction = fraction.ljust(2, "0")
    beyond = f'<span class="beyond">{fraction[2:]}</span>' if fraction[2:] else ""
    return f"{sign}${int(whole):,}.{fraction[:2]}{beyond}"


def number(value: float) -> str:
    """A figure that is no money: two decimals, or as many as it takes to show two digits."""
    rounded = f"{Decimal(f'{value:.2g}'):f}"
    text = rounded if 0 < abs(value) < 0.1 else f"{value:,.2f}".rstrip("0").rstrip(".")
    return text.replace("-", MINUS)


def moment(text: str) -> str:
    """An RFC 3339 time in minutes, UTC; only the day at midnight."""
    at = datetime.fromisoformat(text).astimezone(UTC)
    return f"{at:%Y-%m-%d}" if (at.hour, at.minute) == (0, 0) else f"{at:%Y-%m-%d %H:%M}"


def added(values: list[Any], unit: Unit) -> Any:
    """The exact sum of what is known, in the form of the values; None where nothing is. unit: one of ADDED_UP."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    if unit not in MONEY:
        return sum(known)
    return decimal_string(sum(picos_from_decimal(Decimal(value)) for value in known))


def change(value: Any, earlier: Any) -> str:
    """How much more or less than earlier, in percent; a dash where there is nothing to compare with."""
    if value is None or earlier is None or Decimal(earlier) == 0:
        return NOTHING
    percent = 100 * (Decimal(value) - Decimal(earlier)) / abs(Decimal(earlier))
    return f"{percent:+,.1f} %".replace("-", MINUS)


def _shown(character: str) -> str:
    if character in "\t\n\r":
        return " "
    return "\N{REPLACEMENT CHARACTER}" if unicodedata.category(character) in ("Cc", "Cf", "Cs") else character
