"""The reports that are known, found by vendor and name.

A module of `producers.bills.vendors` registers its vendor's reports when it is imported, and all are imported on first
use: adding a vendor is one new file.

    register(
        Report(vendor="acme", name="costs", first=first_request, read=read_page, sign=bearer)
    )

Pure: from an account and days a request; from an answer, lines and the next request.
"""

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Final

from producers.bills.reading import Page, PageReading
from producers.bills.request import Account, Request, Sign, Window, bearer
from tokenweir.errors import WrongCall

BEIJING_MINUTES: Final = 480


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One report of one vendor.

    first: the request for the first page of a window; raises WrongCall where the account lacks what it takes.
    most_days: of one window. utc_offset_minutes: how far the vendor's days begin before UTC's. settle_days: past
    days that may still be restated, and are asked for again at each poll. final_after_days: after its end a day's
    figures may change so long. today: whether the day that has not ended can be asked for. only_now: it
    tells how things stand, and nothing of any past day. always: asked for
    unless the settings name other reports; the others take what not every account has.
    """

    vendor: str
    name: str
    first: Callable[[Account, Window], Request]
    read: Callable[[Page], PageReading]
    sign: Sign = bearer
    most_days: int = 31
    utc_offset_minutes: int = 0
    settle_days: int = 3
    final_after_days: int = 2
    today: bool = True
    only_now: bool = False
    always: bool = True


_REPORTS: Final[dict[str, dict[str, Report]]] = {}


def register(report: Report) -> Report:
    """Makes a report known."""
    _REPORTS.setdefault(report.vendor, {})[report.name] = report
    return report


@cache
def load() -> None:
    """Imports every vendor's module, which registers its reports."""
    package = importlib.import_module("producers.bills.vendors")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"producers.bills.vendors.{module.name}")


def vendors() -> list[str]:
    """The vendors that have a report here, by name."""
    load()
    return sorted(_REPORTS)


def report_names(vendor: str) -> list[str]:
    """The names of a vendor's reports. Raises WrongCall for a vendor without any."""
    return [report.name for report in _known(vendor)]


def reports_of(vendor: str, names: Sequence[str] = ()) -> list[Report]:
    """A vendor's reports of these names, or those that are always asked for. Raises WrongCall for an unknown one."""
    known = {report.name: report for report in _known(vendor)}
    for name in names:
        if name not in known:
            raise WrongCall(
                f"{vendor} has no report {name!r} here", hint=f"Its reports are {', '.join(known)}"
            )
    return [known[name] for name in names] if names else [one for one in known.values() if one.always]


def _known(vendor: str) -> list[Report]:
    load()
    if vendor not in _REPORTS:
        near = get_close_matches(vendor, _REPORTS, 1, 0.5)
        hint = f"Did you mean {near[0]}? " if near else ""
        raise WrongCall(f"no reports of {vendor!r} are known", hint=f"{hint}Known are {', '.join(vendors())}")
    return list(_REPORTS[vendor].values())
