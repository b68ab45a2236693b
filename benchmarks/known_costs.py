"""Known costs: calls of several vendors and years, with what each costs and whose word for it that is.

Reference data that is kept beside the repository, not in it: `expected_costs.jsonl` in TOKENWEIR_SHARED_DATA, else in
../shared/data.
"""

import json
import os
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple

from tokenweir.money import picos_from_decimal
from tokenweir.usage import UsageEvent

KNOWN_CNY_PICOS: Final = 140_000_000_000
"""Picos of USD for one yuan, at which the known costs are stated."""

_VENDORS: Final = {"bytedance": ("volcengine", ""), "alibaba-cn": ("alibaba", "cn-beijing")}
"""The data set's vendor: ours, and the region that it implies."""

_INPUT_PARTS: Final = (
    "uncached_input_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
)
_OUTPUT_PARTS: Final = ("output_tokens", "output_image_tokens")


class KnownCost(NamedTuple):
    """A call, and what it costs in USD and in the currency of its price."""

    case_id: str
    event: UsageEvent
    cost_picos: int
    native_cost_picos: int


def shared_data() -> Path:
    """Where the reference data is, if it is."""
    beside = Path(__file__).parents[2] / "shared" / "data"
    return Path(os.environ.get("TOKENWEIR_SHARED_DATA", beside))


def known_costs(folder: Path) -> list[KnownCost]:
    """The known costs in `folder`; empty where there is no such file. Raises ValueError for usage of a new kind."""
    path = folder / "expected_costs.jsonl"
    if not path.exists():
        return []
    cases = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return [
        KnownCost(
            case["id"],
            _event(case),
            picos_from_decimal(Decimal(case["expected_usd"])),
            picos_from_decimal(Decimal(case["expected_native"])),
        )
        for case in cases
    ]


def _event(case: Mapping[str, Any]) -> UsageEvent:
    usage: dict[str, int] = case["usage"]
    unknown = usage.keys() - {*_INPUT_PARTS, *_OUTPUT_PARTS}
    if unknown:
        raise ValueError(f"{case['id']}: parts {unknown} are new here")
    vendor, region = _VENDORS.get(case["vendor"], (case["vendor"], ""))
    return UsageEvent(
        id=f"known:{case['id']}",
        source="known",
        time=datetime.fromisoformat(case["timestamp"]),
        vendor=vendor,
        model=case["model"],
        region=region,
        service_tier=case["context"].get("processing", "standard"),
        input_tokens=sum(usage.get(part, 0) for part in _INPUT_PARTS),
        cache_read_tokens=usage.get("cache_read_tokens", 0),
        cache_write_tokens=usage.get("cache_write_5m_tokens", 0) + usage.get("cache_write_1h_tokens", 0),
        cache_write_1h_tokens=usage.get("cache_write_1h_tokens", 0),
        output_tokens=sum(usage.get(part, 0) for part in _OUTPUT_PARTS),
        output_image_tokens=usage.get("output_image_tokens", 0),
    )
