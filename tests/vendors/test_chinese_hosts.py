"""The Chinese hosts that answer in OpenAI's shape, each with what it does otherwise."""

from typing import Any

import pytest

from tests.vendors.china import CANARY, counted, merged, read
from tokenweir.errors import RejectedInput

HOSTS = (
    "alibaba",
    "baichuan",
    "baidu",
    "huawei",
    "iflytek",
    "minimax",
    "moonshot",
    "stepfun",
    "tencent",
    "yi",
    "zhipu",
)
USAGE = {"prompt_tokens": 20, "completion_tokens": 30, "total_tokens": 50}
COUNTS = {"input_tokens": 20, "output_tokens": 30}


def chunk(finish_reason: str | None = None, **fields: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": {"content": CANARY}, "finish_reason": finish_reason}
    return {"id": "c-1", "object": "chat.completion.chunk", "model": "m-1", "choices": [choice], **fields}


@pytest.mark.parametrize("vendor", [*HOSTS, "volcengine"])
@pytest.mark.parametrize("surface", [None, "chat_completions", "openai_compat"])
def test_a_model_and_a_usage_object_are_enough(vendor: str, surface: str | None) -> None:
    details = {
        "prompt_tokens_details": {"cached_tokens": 8},
        "completion_tokens_details": {"reasoning_tokens": 9},
    }
    event = read(vendor, {"model": "m-1", "usage": {**USAGE, **details}}, surface)
    assert (event.vendor, event.model, event.operation) == (vendor, "m-1", "chat")
    assert counted(event) == {**COUNTS, "cache_read_tokens": 8, "reasoning_tokens": 9}


@pytest.mark.parametrize("vendor", [*HOSTS, "volcengine"])
def test_nulls_and_fields_beside_do_not_disturb(vendor: str) -> None:
    usage = {**USAGE, "prompt_tokens_details": None, "completion_tokens_details": None, "prompt_cache": {}}
    body = {"id": None, "choices": None, "created": None, "model": None, "service_tier": None, "usage": usage}
    event = read(vendor, body)
    assert (event.model, counted(event)) == ("unknown", COUNTS)


@pytest.mark.parametrize("vendor", HOSTS)
@pytest.mark.parametrize(
    "chunks",
    [
        [chunk(), chunk("stop", usage=USAGE)],
        [chunk(), chunk("stop", usage=None), chunk(choices=[], usage=USAGE)],
        [chunk(usage={**USAGE, "completion_tokens": 1}), chunk("stop", usage=USAGE)],
    ],
    ids=["with the reason", "in a chunk of its own", "in every chunk"],
)
def test_the_last_usage_of_a_stream_counts(vendor: str, chunks: list[dict[str, Any]]) -> None:
    event = merged(vendor, chunks)
    assert (event.id, event.model, event.status) == (f"{vendor}:c-1", "m-1", "ok")
    assert counted(event) == COUNTS


@pytest.mark.parametrize("vendor", HOSTS)
def test_a_stream_that_was_cut_off_is_counted_as_far_as_known(vendor: str) -> None:
    event = merged(vendor, [chunk(usage={**USAGE, "completion_tokens": 1}), chunk()], "openai_compat")
    assert (event.status, event.error_code) == ("cancelled", "stream_cut_off")
    assert counted(event) == {"input_tokens": 20, "output_tokens": 1}


@pytest.mark.parametrize("vendor", HOSTS)
@pytest.mark.parametrize(
    "value",
    [CANARY, -1, 1.5, [1], {"a": 1}, True],
    ids=["text", "negative", "part", "list", "object", "truth"],
)
def test_a_count_that_is_none_is_refused_by_field(vendor: str, value: Any) -> None:
    with pytest.raises(RejectedInput) as caught:
        read(vendor, {"model": "m", "usage": {**USAGE, "completion_tokens": value}})
    assert caught.value.field == "usage.completion_tokens"
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize("vendor", ["moonshot", "stepfun"])
@pytest.mark.parametrize(
    "extra",
    [
        {"cached_tokens": 10},
        {"prompt_tokens_details": {"cached_tokens": 10}},
        {"cached_tokens": 10, "prompt_tokens_details": {"cached_tokens": 10}},
    ],
    ids=["at the top", "in the details", "in both"],
)
def test_cached_tokens_at_the_top_are_the_same_as_in_the_details(vendor: str, extra: dict[str, Any]) -> None:
    event = read(vendor, {"model": "m", "usage": {**USAGE, **extra}})
    assert counted(event) == {**COUNTS, "cache_read_tokens": 10}


def test_older_streams_of_moonshot_have_their_usage_within_the_choice() -> None:
    last = chunk()
    last["choices"][0] |= {"finish_reason": "stop", "usage": USAGE}
    assert counted(read("moonshot", last)) == COUNTS
    event = merged("moonshot", [chunk(), last])
    assert (event.status, counted(event)) == ("ok", COUNTS)


def test_zhipu_reasons_and_its_other_id() -> None:
    body = {
        "request_id": "2026-1",
        "model": "glm-4.7",
        "choices": [{"finish_reason": "stop"}],
        "usage": {**USAGE, "completion_tokens_details": {"reasoning_tokens": 29}},
    }
    event = read("zhipu", body)
    assert (event.id, event.reasoning_tokens, event.status) == ("zhipu:2026-1", 29, "ok")
    assert read("zhipu", {**body, "choices": [{"finish_reason": "sensitive"}]}).status == "filtered"
    failed = read("zhipu", {**body, "choices": [{"finish_reason": "network_error"}]})
    assert (failed.status, failed.error_code) == ("error", "network_error")


def test_a_zhipu_answer_with_search_results_searched_once() -> None:
    results = [{"title": CANARY, "link": "https://a"}, {"title": CANARY, "link": "https://b"}]
    assert counted(read("zhipu", {"usage": USAGE, "web_search": results})) == {**COUNTS, "web_searches": 1}
    assert read("zhipu", {"usage": USAGE, "web_search": []}).units == {}


def test_zhipu_embeddings_state_a_completion_of_nothing() -> None:
    usage = {"prompt_tokens": 7, "completion_tokens": 0, "total_tokens": 7}
    event = read("zhipu", {"model": "embedding-3", "data": [], "usage": usage})
    assert (event.operation, counted(event)) == ("embedding", {"input_tokens": 7})
    ranked = read(
        "zhipu",
        {"results": [{"index": 0, "relevance_score": 1}], "usage": {"prompt_tokens": 7, "total_tokens": 7}},
    )
    assert (ranked.operation, counted(ranked)) == ("rerank", {"input_tokens": 7})


@pytest.mark.parametrize("vendor", ["baidu", "stepfun", "zhipu"])
def test_pictures_are_billed_by_the_piece_whether_or_not_there_is_usage(vendor: str) -> None:
    data = [{"url": "https://a", "size": "1024x1024"}, {"b64_image": "aGk="}, {"error": {"message": CANARY}}]
    event = read(vendor, {"id": "p-1", "created": 1_770_000_000, "data": data})
    assert (event.id, event.operation, counted(event)) == (f"{vendor}:p-1", "image", {"images": 2})
    assert event.tags == {"image_size": "1024x1024"}
    metered = read(vendor, {"data": data, "usage": {"prompt_tokens": 3, "total_tokens": 3}})
    assert counted(metered) == {"input_tokens": 3, "images": 2}
    with pytest.raises(RejectedInput) as caught:
        read(vendor, {"data": []}, "pictures")
    assert caught.value.field == "data"


def test_videos_of_zhipu_are_billed_by_the_piece_once_they_are_made() -> None:
    made = {
        "model": "cogvideox-3",
        "id": "t-1",
        "task_status": "SUCCESS",
        "video_result": [{"url": "https://v"}],
    }
    event = read("zhipu", made)
    assert (event.id, event.model, counted(event)) == ("zhipu:t-1", "cogvideox-3", {"videos": 1})
    with pytest.raises(RejectedInput) as caught:
        read("zhipu", {"model": "cogvideox-3", "id": "t-1", "task_status": "PROCESSING"})
    assert caught.value.field == "video_result"


def test_pangu_states_its_counts_as_floats() -> None:
    usage = {"completion_tokens": 98.0, "prompt_tokens": 14.0, "total_tokens": 112.0}
    event = read("huawei", {"usage": usage})
    assert counted(event) == {"input_tokens": 14, "output_tokens": 98}
    assert type(event.input_tokens) is int


def test_an_error_of_huawei_is_no_billed_call() -> None:
    with pytest.raises(RejectedInput) as caught:
        read("huawei", {"error_code": "ModelArts.81101", "error_msg": CANARY})
    assert caught.value.field == "usage"
    assert CANARY not in str(caught.value)


def test_a_search_of_baichuans_knowledge_base_is_a_unit() -> None:
    event = read("baichuan", {"model": "Baichuan4", "usage": {**USAGE, "search_count": 2}})
    assert counted(event) == {**COUNTS, "knowledge_searches": 2}


def test_a_stream_of_hunyuan_that_was_not_asked_for_usage_says_that_none_is_known() -> None:
    event = merged("tencent", [chunk(), chunk("stop", note=CANARY)])
    assert (event.id, event.model, event.error_code) == ("tencent:c-1", "m-1", "usage_not_stated")
    assert counted(event) == {}
    with pytest.raises(RejectedInput) as caught:
        read("tencent", chunk("stop", note=CANARY))
    assert caught.value.field == "usage"


@pytest.mark.parametrize("vendor", HOSTS)
def test_the_anthropic_shape_has_its_cache_outside(vendor: str) -> None:
    usage = {
        "input_tokens": 5,
        "cache_read_input_tokens": 40,
        "cache_creation_input_tokens": 10,
        "output_tokens": 2,
    }
    for surface in (None, "anthropic_compat"):
        event = read(vendor, {"model": "m", "usage": usage}, surface)
        assert counted(event) == {
            "input_tokens": 55,
            "cache_read_tokens": 40,
            "cache_write_tokens": 10,
            "output_tokens": 2,
        }


@pytest.mark.parametrize("vendor", HOSTS)
def test_the_responses_shape_has_its_cache_inside(vendor: str) -> None:
    usage = {
        "input_tokens": 50,
        "input_tokens_details": {"cached_tokens": 40},
        "output_tokens": 9,
        "output_tokens_details": {"reasoning_tokens": 7},
        "total_tokens": 59,
    }
    for surface in (None, "responses", "openai_compat"):
        event = read(vendor, {"model": "m", "usage": usage}, surface)
        assert counted(event) == {
            "input_tokens": 50,
            "cache_read_tokens": 40,
            "output_tokens": 9,
            "reasoning_tokens": 7,
        }
