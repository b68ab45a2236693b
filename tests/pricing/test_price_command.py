"""`weir price` on lines whose vendor is spelled as others spell it."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tokenweir.cli.convert import price

CALL = {"time": "2026-06-01T00:00:00Z", "input_tokens": 1000, "output_tokens": 500}
OWN = """
name = "acme"
recorded_at = 2026-01-01
[[price]]
vendor = "bedrock"
models = ["house-model"]
valid_from = 2026-01-01
currency = "USD"
input = 1
output = 1
source = "order form"
"""


def priced(vendor: str, model: str, *arguments: str) -> dict[str, Any]:
    line = json.dumps({"vendor": vendor, "model": model, **CALL})
    done = CliRunner().invoke(price, arguments, input=line)
    assert done.exit_code == 0, done.output
    answer: dict[str, Any] = json.loads(done.output)
    return answer


@pytest.mark.parametrize(
    ("spelled", "vendor", "model", "native"),
    [
        ("bytedance", "volcengine", "doubao-seed-2-0-pro-260215", "0.0112"),
        ("alibaba-cn", "alibaba", "qwen-plus", "0.0018"),
        ("bedrock", "aws", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "0.01155"),
        ("vertex_ai", "google", "gemini-2.5-flash", "0.00155"),
        ("z-ai", "zhipu", "glm-4.6", "0.0017"),
    ],
)
def test_a_vendor_is_read_as_the_readers_read_it(spelled: str, vendor: str, model: str, native: str) -> None:
    answer = priced(spelled, model)
    assert (answer["vendor"], answer["native_cost"]) == (vendor, native)
    assert answer == priced(vendor, model)


def test_a_vendor_that_the_company_prices_keeps_its_name(tmp_path: Path) -> None:
    file = tmp_path / "acme.toml"
    file.write_text(OWN)
    answer = priced("bedrock", "house-model", "--prices", str(file))
    assert (answer["vendor"], answer["cost"], answer["price_status"]) == ("bedrock", "0.0015", "contract")


def test_a_vendor_that_nobody_knows_stays_and_has_no_price() -> None:
    answer = priced("nobody", "gpt-4o")
    assert (answer["vendor"], answer["cost"], answer["price_status"]) == ("nobody", None, "unpriced")
