"""Names, states by date, successors, and what was known when."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenweir.catalog import STATES, Catalog, Model
from tokenweir.catalog.catalog import FileLayer
from tokenweir.catalog.model import Stated
from tokenweir.catalog.reading import read_catalog
from tokenweir.errors import WrongCall

ACME = """\
vendor = "acme"
recorded_at = 2026-01-10

[[source]]
name = "page"
page = "https://acme.example/models"
seen_on = 2026-01-09

[[source]]
name = "notice"
page = "https://acme.example/notices"
seen_on = 2026-05-01

[[model]]
model = "house-1"
aliases = ["house-classic", "house-1-eu-*"]
context_tokens = 32000
max_output_tokens = 4000
operations = ["chat"]
can = ["cache"]
cannot = ["batch"]
released_on = 2025-01-01
deprecated_on = 2025-09-01
retires_on = 2026-03-01
successors = ["house-2"]
source = "page"

[[model]]
model = "house-2"
released_on = 2025-08-01
successors = ["house-3", { vendor = "other", model = "x1", outside = true }]
source = "page"

[[model]]
model = "house-2"
recorded_at = 2026-05-02
deprecated_on = 2026-05-01
retires_on = 2026-11-01
source = "notice"

[[model]]
model = "house-3"
released_on = 2026-04-01
source = "page"

[[pointer]]
name = "house-latest"
model = "house-1"
valid_to = 2025-08-01
source = "page"

[[pointer]]
name = "house-latest"
model = "house-2"
valid_from = 2025-08-01
source = "page"

[[pointer]]
name = "house-latest"
model = "house-3"
valid_from = 2026-04-01
recorded_at = 2026-05-02
source = "notice"
"""


@pytest.fixture
def acme() -> Catalog:
    return Catalog([FileLayer(read_catalog(ACME, "acme.toml"))])


def model_of(catalog: Catalog, name: str, on: date | None = None) -> Model:
    model = catalog.model("acme", name, on=on)
    assert model is not None
    return model


@pytest.mark.parametrize(
    ("name", "on", "model", "how"),
    [
        ("HOUSE-1", None, "house-1", "name"),
        ("house-classic", None, "house-1", "alias"),
        ("house-1-eu-west", None, "house-1", "alias"),
        ("house-1-2025-02-03", None, "house-1", "dated"),
        ("house-1-20250203", None, "house-1", "dated"),
        ("house-1@20250203", None, "house-1", "dated"),
        ("house-latest", date(2025, 7, 31), "house-1", "pointer"),
        ("house-latest", date(2025, 8, 1), "house-2", "pointer"),
        ("house-latest", None, "house-3", "pointer"),
    ],
)
def test_a_model_is_found_by_its_names(
    acme: Catalog, name: str, on: date | None, model: str, how: str
) -> None:
    found = acme.find("acme", name, on=on)
    assert found is not None
    assert (found.model.model, found.how) == (model, how)


@pytest.mark.parametrize("name", ["house", "house-10", "house-1-2025-13-01", "house-1x", ""])
def test_what_is_not_known_is_not_found(acme: Catalog, name: str) -> None:
    assert acme.find("acme", name) is None
    assert acme.find("nobody", "house-1") is None


@pytest.mark.parametrize(
    ("day", "state"),
    [
        (date(2024, 12, 31), "announced"),
        (date(2025, 1, 1), "active"),
        (date(2025, 8, 31), "active"),
        (date(2025, 9, 1), "deprecated"),
        (date(2026, 2, 28), "deprecated"),
        (date(2026, 3, 1), "retired"),
    ],
)
def test_a_state_follows_from_the_dates(acme: Catalog, day: date, state: str) -> None:
    assert model_of(acme, "house-1").state_on(day) == state


@pytest.mark.parametrize(
    ("stated", "before", "after"),
    [
        ("active", "unknown", "active"),
        ("deprecated", "unknown", "deprecated"),
        ("retired", "unknown", "retired"),
    ],
)
def test_what_a_source_called_it_holds_from_the_day_it_was_seen(stated: str, before: str, after: str) -> None:
    seen = date(2026, 8, 3)
    model = Model("acme", "m", datetime(2026, 8, 4, tzinfo=UTC), stated=Stated(stated, seen))  # type: ignore[arg-type]
    assert model.state_on(seen - timedelta(days=1)) == before
    assert model.state_on(seen) == after


_DAYS = st.dates(date(2025, 1, 1), date(2027, 1, 1))


@given(st.lists(_DAYS, min_size=3, max_size=3).map(sorted), st.tuples(*[st.booleans()] * 3), _DAYS, _DAYS)
def test_a_state_never_goes_back(days: list[date], given_: tuple[bool, ...], one: date, two: date) -> None:
    released, deprecated, retires = (day if known else None for day, known in zip(days, given_, strict=True))
    model = Model(
        "acme",
        "m",
        datetime(2027, 1, 1, tzinfo=UTC),
        released_on=released,
        deprecated_on=deprecated,
        retires_on=retires,
    )
    order = ("announced", "unknown", "active", "deprecated", "retired")
    earlier, later = sorted((one, two))
    assert set(order) == set(STATES)
    assert order.index(model.state_on(earlier)) <= order.index(model.state_on(later))


def test_a_later_announcement_is_a_row_of_its_own(acme: Catalog) -> None:
    before = acme.model("acme", "house-2", known_at=datetime(2026, 5, 1, tzinfo=UTC))
    after = acme.model("acme", "house-2", known_at=datetime(2026, 5, 2, tzinfo=UTC))
    assert before is not None
    assert after is not None
    assert (before.retires_on, after.retires_on) == (None, date(2026, 11, 1))
    assert after.released_on == before.released_on
    assert after.sources["released_on"].page.endswith("models")
    assert after.sources["retires_on"].page.endswith("notices")
    assert acme.model("acme", "house-2") == after
    assert acme.model("acme", "house-2", known_at=datetime(2026, 1, 9, tzinfo=UTC)) is None


def test_a_pointer_moves_only_once_the_move_is_known(acme: Catalog) -> None:
    early = datetime(2026, 5, 1, tzinfo=UTC)
    model = acme.model("acme", "house-latest", on=date(2026, 6, 1), known_at=early)
    assert model is not None
    assert model.model == "house-2"
    assert model_of(acme, "house-latest", date(2026, 6, 1)).model == "house-3"


def test_what_was_announced_can_be_taken_back() -> None:
    called_off = ACME + (
        '\n[[model]]\nmodel = "house-2"\nrecorded_at = 2026-06-01\nwithdraws = ["retires_on"]\nsource = "notice"\n'
    )
    catalog = Catalog([FileLayer(read_catalog(called_off, "acme.toml"))])
    model = model_of(catalog, "house-2")
    assert (model.deprecated_on, model.retires_on) == (date(2026, 5, 1), None)


def test_successors_are_followed_past_those_that_are_retired_themselves(acme: Catalog) -> None:
    (first,) = acme.successors("acme", "house-classic", on=date(2026, 10, 31))
    assert (first.successor.model, first.state, first.through) == ("house-2", "deprecated", ())
    later = acme.successors("acme", "house-classic", on=date(2026, 11, 1))
    assert [(r.successor.model, r.model is not None, r.through) for r in later] == [
        ("house-3", True, ("house-2",)),
        ("x1", False, ("house-2",)),
    ]
    assert acme.successors("acme", "house-3", on=date(2026, 11, 1)) == ()
    assert [m.model for m in acme.predecessors(model_of(acme, "house-2"))] == ["house-1"]


def test_those_that_retire_in_a_span_the_first_to_go_first(acme: Catalog) -> None:
    assert [m.model for m in acme.retiring(date(2026, 3, 1), date(2026, 11, 2))] == ["house-1", "house-2"]
    assert [m.model for m in acme.retiring(date(2026, 3, 2), date(2026, 11, 1))] == []


def test_an_ability_of_which_no_source_speaks_is_not_known(acme: Catalog) -> None:
    model = model_of(acme, "house-1")
    assert [model.is_able(name) for name in ("cache", "batch", "tools")] == [True, False, None]
    assert model.longest_input_tokens == 32_000


def test_a_platform_has_its_own_dates_and_others_have_the_usual_ones() -> None:
    catalog = Catalog.default()
    usual = catalog.model("google", "gemini-2.5-pro")
    vertex = catalog.model("google", "gemini-2.5-pro", platform="vertex")
    assert usual is not None
    assert vertex is not None
    assert vertex.retires_on != usual.retires_on
    assert catalog.model("google", "veo-2.0-generate-001", platform="vertex") == catalog.model(
        "google", "veo-2.0-generate-001"
    )


def test_known_facts_are_answered() -> None:
    catalog = Catalog.default()
    gpt_5 = catalog.model("openai", "gpt-5-2025-08-07")
    assert gpt_5 is not None
    assert (gpt_5.retires_on, gpt_5.context_tokens) == (date(2026, 12, 11), 400_000)
    (after,) = catalog.successors("anthropic", "claude-sonnet-4-5", on=date(2026, 11, 25))
    assert (after.successor.model, after.state) == ("claude-sonnet-5-5", "active")
    assert catalog.nearest("gpt5", "openai")[0] == ("openai", "gpt-5")


def test_a_company_file_stands_over_the_built_in_rows(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(
        'recorded_at = 2026-11-01\n[[source]]\nname = "us"\npage = "our platform team"\nseen_on = 2026-11-01\n'
        '[[model]]\nvendor = "openai"\nmodel = "gpt-5"\nretires_on = 2026-12-01\nsource = "us"\n',
        encoding="utf-8",
    )
    model = Catalog.default(path).model("openai", "gpt-5")
    assert model is not None
    assert model.retires_on == date(2026, 12, 1)
    assert model.context_tokens == 400_000


@pytest.mark.parametrize(
    ("good", "bad", "line", "reason"),
    [
        ("context_tokens = 32000", "context_token = 32000", 17, "unknown key context_token"),
        ("context_tokens = 32000", "context_tokens = 0", 17, "not a whole number"),
        ("max_output_tokens = 4000", "max_output_tokens = 40000", 18, "more than context_tokens"),
        ('operations = ["chat"]', 'operations = ["talk"]', 19, "does not know talk"),
        ('cannot = ["batch"]', 'cannot = ["cache"]', 21, "in can and in cannot"),
        ("released_on = 2025-01-01", 'released_on = "2025-01-01"', 22, "not a date"),
        ("deprecated_on = 2025-09-01", "deprecated_on = 2024-09-01", 23, "before released_on"),
        ("retires_on = 2026-03-01", "retires_on = 2025-03-01", 24, "before deprecated_on"),
        ('successors = ["house-2"]', 'successors = ["house-1"]', 25, "succeeds itself"),
        ('successors = ["house-2"]', 'successors = ["house-9"]', 25, "no model house-9"),
        (
            'outside = true }]\nsource = "page"',
            'outside = true }]\nsource = "book"',
            32,
            "no source named book",
        ),
        ("recorded_at = 2026-05-02\ndeprecated_on", "deprecated_on", 35, "already told"),
        ('"house-1-eu-*"]', '"house-3"]', 16, "already a name of house-3"),
        ("seen_on = 2026-01-09", "seen_at = 2026-01-09", 7, "unknown key seen_at"),
        ('model = "house-1"\nvalid_to', 'model = "house-7"\nvalid_to', 48, "no model house-7"),
        ("valid_to = 2025-08-01", 'valid_to = "soon"', 49, "not a date"),
    ],
)
def test_a_file_with_a_mistake_is_refused_with_the_line_the_reason_and_the_fix(
    good: str, bad: str, line: int, reason: str
) -> None:
    assert ACME.count(good) >= 1
    with pytest.raises(WrongCall) as refused:
        Catalog([FileLayer(read_catalog(ACME.replace(good, bad, 1), "acme.toml"))]).check("acme")
    assert refused.value.message.startswith(f"acme.toml, line {line}"), refused.value.message
    assert reason in refused.value.message
    assert refused.value.hint
