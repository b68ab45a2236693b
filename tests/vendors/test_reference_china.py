"""Real and documented answers of Chinese vendors kept beside the repository, against the counts stated for them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.vendors.china import counted, read
from tokenweir.errors import RejectedInput

pytestmark = pytest.mark.shared_data

VENDORS = {
    "alibaba_dashscope": "alibaba",
    "baichuan": "baichuan",
    "baidu_qianfan": "baidu",
    "huawei_pangu": "huawei",
    "iflytek_spark": "iflytek",
    "minimax": "minimax",
    "moonshot_kimi": "moonshot",
    "stepfun": "stepfun",
    "tencent_hunyuan": "tencent",
    "volcengine_ark": "volcengine",
    "yi_01ai": "yi",
    "zhipu_zai": "zhipu",
}
OUR_NAMES = {
    "cache_read": "cache_read_tokens",
    "cache_write_5m": "cache_write_tokens",
    "reasoning": "reasoning_tokens",
    "image_tokens": "input_image_tokens",
    "search_requests": "web_searches",
}
"""Names of the expectations that are not ours; `total` and `total_tokens` are compared with input and output."""

PARTS_WITHOUT_A_FIELD = {"search_tokens_inside_input", "plugin_tokens_inside_input", "text_tokens"}

ANSWERS = (
    "alibaba_dashscope__native_stream",
    "alibaba_dashscope__openai_compat",
    "baichuan__chat",
    "baidu_qianfan__v1_wenxinworkshop",
    "baidu_qianfan__v2_openai_compat",
    "huawei_pangu__chat",
    "iflytek_spark__http",
    "iflytek_spark__websocket",
    "minimax__anthropic_compat",
    "minimax__chat",
    "moonshot_kimi__chat",
    "stepfun__chat",
    "tencent_hunyuan__native_api3",
    "tencent_hunyuan__openai_compat_stream",
    "volcengine_ark__chat",
    "volcengine_ark__images_video",
    "volcengine_ark__multimodal_embeddings",
    "volcengine_ark__responses",
    "yi_01ai__chat",
    "zhipu_zai__chat",
)

WITHOUT_EXPECTATION: dict[str, dict[str, Any]] = {
    "alibaba_dashscope__openai_compat/0": {
        "input_tokens": 24,
        "output_tokens": 1355,
        "reasoning_tokens": 1084,
    },
    "baidu_qianfan__v1_wenxinworkshop/1": {"input_tokens": 3},
    "huawei_pangu__chat/0": {"input_tokens": 14, "output_tokens": 98},
    "iflytek_spark__websocket/0": {},
    "minimax__anthropic_compat/0": {
        "input_tokens": 150,
        "cache_read_tokens": 40,
        "cache_write_tokens": 10,
        "output_tokens": 20,
    },
    "minimax__chat/1": {"input_tokens": 44, "output_tokens": 43, "reasoning_tokens": 20},
    "moonshot_kimi__chat/0": {
        "input_tokens": 20,
        "cache_read_tokens": 10,
        "output_tokens": 30,
        "reasoning_tokens": 22,
    },
    "moonshot_kimi__chat/1": {"input_tokens": 9, "output_tokens": 12, "reasoning_tokens": 7},
    "stepfun__chat/0": {"input_tokens": 100, "cache_read_tokens": 40, "output_tokens": 50},
    "volcengine_ark__chat/2": {
        "input_tokens": 1000,
        "cache_read_tokens": 300,
        "output_tokens": 200,
        "reasoning_tokens": 120,
    },
    "volcengine_ark__images_video/0": {"output_tokens": 16_384, "images": 1},
    "volcengine_ark__images_video/1": {"output_tokens": 246_840, "video_seconds": 5},
    "volcengine_ark__responses/0": {
        "input_tokens": 100,
        "cache_read_tokens": 20,
        "output_tokens": 50,
        "reasoning_tokens": 30,
        "web_searches": 1,
    },
    "zhipu_zai__chat/0": {"input_tokens": 13, "output_tokens": 369, "reasoning_tokens": 366},
}
"""Counts of samples that state none, by file and number: what the field guide's formula makes of their usage."""

NOT_BILLED = {
    "baidu_qianfan__v1_wenxinworkshop/2",
    "baidu_qianfan__v2_openai_compat/5",
    "iflytek_spark__http/2",
    "minimax__chat/3",
    "tencent_hunyuan__openai_compat_stream/0",
    "volcengine_ark__chat/1",
}
"""Errors, and chunks of streams without usage."""


def bodies(path: Path) -> list[tuple[str, dict[str, Any], Mapping[str, Any] | None]]:
    """Name, raw answer and stated counts of each sample; of a recorded stream the event that states the usage."""
    samples = json.loads(path.read_text(encoding="utf-8"))["samples"]
    found = []
    for number, sample in enumerate(samples):
        events = sample["raw"].get("events_with_usage", [sample["raw"]])
        stated = sample.get("expected", {}).get("usage")
        found.append((f"{path.stem}/{number}", events[-1], stated))
    return found


@pytest.mark.parametrize("named", [False, True], ids=["found", "named"])
@pytest.mark.parametrize("file", ANSWERS)
def test_every_sample_is_read_as_stated(shared_data: Path, file: str, named: bool) -> None:
    vendor, _, surface = file.partition("__")
    for name, body, stated in bodies(shared_data / "samples" / f"{file}.json"):
        if name in NOT_BILLED:
            with pytest.raises(RejectedInput):
                read(VENDORS[vendor], body, surface if named else None)
            continue
        event = read(VENDORS[vendor], body, surface if named else None)
        counts = counted(event)
        if stated is None:
            assert counts == WITHOUT_EXPECTATION[name], name
            continue
        for theirs, value in stated.items():
            if theirs in ("total", "total_tokens"):
                assert event.input_tokens + event.output_tokens == value, name
            elif theirs not in PARTS_WITHOUT_A_FIELD:
                assert counts.get(OUR_NAMES.get(theirs, theirs), 0) == value, (name, theirs)


@pytest.mark.parametrize("file", ANSWERS)
def test_a_sample_cut_to_model_and_usage_counts_the_same(shared_data: Path, file: str) -> None:
    vendor = VENDORS[file.partition("__")[0]]
    for name, body, _ in bodies(shared_data / "samples" / f"{file}.json"):
        if name in NOT_BILLED or not isinstance(body.get("usage"), dict):
            continue
        cut = {key: body[key] for key in ("model", "usage") if key in body}
        tokens = {key: value for key, value in counted(read(vendor, body)).items() if key.endswith("_tokens")}
        assert tokens.items() <= counted(read(vendor, cut)).items(), name


def test_every_recorded_body_of_z_ai_is_read_as_expected(shared_data: Path) -> None:
    lines = (shared_data / "usage_bodies.jsonl").read_text(encoding="utf-8").splitlines()
    ours = [body for body in map(json.loads, lines) if body["vendor"] == "zai"]
    assert len(ours) == 3
    for body in ours:
        names = {"output_reasoning_tokens": "reasoning_tokens"}
        (expected,) = body["expected"]
        assert counted(read("zhipu", body["body"])) == {names.get(k, k): v for k, v in expected.items()}
