"""Cohere: what is billed of what it counts, on each surface."""

from typing import Any, ClassVar

import pytest

from producers.vendors import detect, read_answer
from tests.vendors.bodies import CANARY, CHAT, CONTEXT, counts_of, merged, read, units_of
from tokenweir.errors import RejectedInput

USAGE = {
    "billed_units": {"input_tokens": 2406.0, "output_tokens": 2.0},
    "tokens": {"input_tokens": 2935.0, "output_tokens": 4.0},
    "cached_tokens": 2928.0,
}
ANSWER = {
    "id": "0bf8e1a5",
    "finish_reason": "COMPLETE",
    "message": {"content": [{"text": CANARY}]},
    "usage": USAGE,
}


class TestChat:
    @pytest.mark.parametrize("surface", [None, "chat"])
    def test_billed_units_are_counted_not_the_templated_prompt(self, surface: str | None) -> None:
        event = read("cohere", ANSWER, surface)
        assert counts_of(event) == {"input_tokens": 2406, "output_tokens": 2}
        assert (event.id, event.model) == ("cohere:0bf8e1a5", "unknown")

    @pytest.mark.parametrize("cached", [2928, 100])
    def test_cached_tokens_are_part_of_the_prompt_and_not_of_what_is_billed(self, cached: int) -> None:
        """pydantic/genai-prices expects of these bodies the billed units without a cache, or the prompt with it; a
        cache beside the billed units would be neither, and larger than its total in recorded answers."""
        event = read("cohere", {"usage": {**USAGE, "cached_tokens": cached}})
        assert (event.input_tokens, event.cache_read_tokens) == (2406, 0)

    def test_without_billed_units_the_prompt_is_counted_with_its_cache(self) -> None:
        event = read("cohere", {"usage": {name: USAGE[name] for name in ("tokens", "cached_tokens")}})
        assert counts_of(event) == {"input_tokens": 2935, "cache_read_tokens": 2928, "output_tokens": 4}

    def test_billed_units_that_are_empty_are_none(self) -> None:
        event = read(
            "cohere", {"usage": {"billed_units": {}, "tokens": {"input_tokens": 5, "output_tokens": 6}}}
        )
        assert counts_of(event) == {"input_tokens": 5, "output_tokens": 6}

    def test_version_1_has_its_units_in_meta(self) -> None:
        body = {"text": CANARY, "generation_id": "g", "response_id": "r", "meta": USAGE}
        event = read("cohere", body)
        assert (event.id, event.operation, event.input_tokens) == ("cohere:r", "chat", 2406)

    @pytest.mark.parametrize(
        ("reason", "status"),
        [("COMPLETE", "ok"), ("MAX_TOKENS", "ok"), ("ERROR_TOXIC", "filtered"), ("ERROR", "error")],
    )
    def test_how_it_finished(self, reason: str, status: str) -> None:
        assert read("cohere", {**ANSWER, "finish_reason": reason}).status == status


class TestStream:
    STARTED: ClassVar = {
        "type": "message-start",
        "id": "29f14a5a",
        "delta": {"message": {"role": "assistant"}},
    }
    SAID: ClassVar = {
        "type": "content-delta",
        "index": 0,
        "delta": {"message": {"content": {"text": CANARY}}},
    }
    ENDED: ClassVar = {"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": USAGE}}

    def test_the_message_end_tells_the_usage(self) -> None:
        event = merged("cohere", [self.STARTED, self.SAID, self.ENDED])
        assert counts_of(event) == {"input_tokens": 2406, "output_tokens": 2}
        assert (event.id, event.status) == ("cohere:29f14a5a", "ok")

    @pytest.mark.parametrize("surface", [None, "chat", "chat_stream"])
    def test_the_message_end_by_itself_is_a_call(self, surface: str | None) -> None:
        event = read("cohere", self.ENDED, surface)
        assert (event.input_tokens, event.streaming) == (2406, True)

    def test_a_stream_that_was_cut_off_says_so(self) -> None:
        event = merged("cohere", [self.STARTED, self.SAID])
        assert (event.id, event.status, event.error_code) == (
            "cohere:29f14a5a",
            "cancelled",
            "usage_not_stated",
        )

    def test_version_1_ends_with_its_whole_response(self) -> None:
        end = {"event_type": "stream-end", "response": {"response_id": "r", "text": CANARY, "meta": USAGE}}
        event = merged("cohere", [{"event_type": "stream-start", "generation_id": "g"}, end])
        assert (event.id, event.input_tokens) == ("cohere:r", 2406)


class TestOthers:
    @pytest.mark.parametrize("surface", [None, "embed", "embeddings"])
    def test_an_embedding(self, surface: str | None) -> None:
        meta = {"api_version": {"version": "2"}, "billed_units": {"image_tokens": 0, "input_tokens": 4}}
        event = read("cohere", {"meta": meta}, surface)
        assert (event.operation, counts_of(event)) == ("embedding", {"input_tokens": 4})

    @pytest.mark.parametrize(
        ("billed", "counts"),
        [
            ({"image_tokens": 1610, "input_tokens": 0}, (1610, 1610)),
            ({"image_tokens": 1610}, (1610, 1610)),
            ({"image_tokens": 100, "text_tokens": 20, "input_tokens": 120}, (120, 100)),
            ({"image_tokens": 100, "text_tokens": 200, "input_tokens": 200}, (300, 100)),
        ],
    )
    def test_image_tokens_are_within_the_input_whichever_way_they_are_stated(
        self, billed: dict[str, int], counts: tuple[int, int]
    ) -> None:
        event = read("cohere", {"embeddings": {}, "meta": {"billed_units": {**billed, "images": 1}}})
        assert (event.input_tokens, event.input_image_tokens, units_of(event)) == (*counts, {})

    def test_pictures_without_tokens_are_billed_by_the_piece(self) -> None:
        event = read("cohere", {"embeddings": {}, "meta": {"billed_units": {"images": 2}}})
        assert units_of(event) == {"images": 2}

    def test_a_ranking_bills_search_units(self) -> None:
        body = {"id": "x", "results": [{"index": 0}], "meta": {"billed_units": {"search_units": 1}}}
        event = read("cohere", body)
        assert (event.operation, counts_of(event), units_of(event)) == ("rerank", {}, {"search_units": 1})

    def test_a_classification_bills_what_was_classified(self) -> None:
        body = {"classifications": [{"input": CANARY}], "meta": {"billed_units": {"classifications": 3}}}
        event = read("cohere", body)
        assert (event.operation, units_of(event)) == ("classification", {"classifications": 3})

    def test_the_openai_compatible_endpoint(self) -> None:
        assert detect("cohere", CHAT) == "chat_completions"
        assert read("cohere", CHAT).input_tokens == 1000

    @pytest.mark.parametrize(
        "body", [{"id": "x", "message": CANARY}, {"usage": {}}, {"meta": {"billed_units": None}}]
    )
    def test_what_states_no_units_is_no_call(self, body: dict[str, Any]) -> None:
        with pytest.raises(RejectedInput) as caught:
            read_answer("cohere", body, context=CONTEXT)
        assert CANARY not in str(caught.value)

    def test_units_of_a_wrong_type_are_refused_by_name(self) -> None:
        with pytest.raises(RejectedInput) as caught:
            read_answer("cohere", {"usage": {"billed_units": {"input_tokens": CANARY}}}, context=CONTEXT)
        assert caught.value.field == "usage.billed_units.input_tokens"
