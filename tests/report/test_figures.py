"""How values read."""

from decimal import Decimal

import pytest

from dashboards.panels.panel import Unit
from dashboards.report.figures import added, change, escaped, figure, money, name, number, prose
from tests.report.reading import Report


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("0", "$0.00"),
        ("1234.5", "$1,234.50"),
        ("-12.692409611666", "\N{MINUS SIGN}$12.692409611666"),
        ("0.000000000001", "$0.000000000001"),
        ("98765432109876543210.123456789012", "$98,765,432,109,876,543,210.123456789012"),
    ],
)
def test_money_has_every_digit(amount: str, shown: str) -> None:
    text = Report(money(amount)).root.text
    assert text == shown
    digits = text.replace("$", "").replace(",", "").replace("\N{MINUS SIGN}", "-")
    assert Decimal(digits) == Decimal(amount)


def test_what_nobody_knows_is_never_zero() -> None:
    assert "unknown" in figure(None, Unit.USD)
    assert "0" not in figure(None, Unit.CALLS)
    assert added([None, None], Unit.USD) is None
    assert added(["0.1", None, "0.2"], Unit.USD) == "0.3"
    assert added([3, None, 4], Unit.CALLS) == 7
    assert added(["9999999999999999.000000000001"] * 3, Unit.USD) == "29999999999999997.000000000003"


def test_changes_and_numbers() -> None:
    assert change("3", "2") == "+50.0 %"
    assert change("1", "2") == "\N{MINUS SIGN}50.0 %"
    assert change("1", "0") == change(None, "1") == change("1", None) == "\N{EN DASH}"
    assert [number(value) for value in (0.0, 100.0, 0.00123, 1234.567, -0.5)] == [
        "0",
        "100",
        "0.0012",
        "1,234.57",
        "\N{MINUS SIGN}0.5",
    ]


def test_names_are_inert() -> None:
    for hostile in ("</script><script>", "<img src=x onerror=alert(1)>", '"><b>', "a'b", "&lt;"):
        assert Report(name(hostile)).root.the("bdi").children == [hostile]
        assert Report(f'<p title="{escaped(hostile)}"></p>').root.the("p").attributes["title"] == hostile
    assert escaped("\u202egnp.exe\x00") == "�gnp.exe�"
    assert "(none)" in name("")
    assert (
        prose("Read `weir <x>`. Click one to see it alone. Then go.")
        == "Read <code>weir &lt;x&gt;</code>. Then go."
    )
