"""Google: the traps of generateContent, Live, interactions, embeddings and their streams."""

from typing import Any

import pytest

from producers.vendors import detect, read_answer
from tests.vendors.bodies import (
    CANARY,
    CONTENT,
    CONTEXT,
    MESSAGE,
    counts_of,
    merged,
    read,
    streamed,
    units_of,
)
from tokenweir.errors import RejectedInput

USAGE: dict[str, Any] = CONTENT["usageMetadata"]  # type: ignore[assignment]


def content(**usage: Any) -> dict[str, Any]:
    return {"modelVersion": "gemini-3-flash", "responseId": "r8", "usageMetadata": usage}


class TestContent:
    def test_thoughts_are_outside_the_candidates_and_billed_as_output(self) -> None:
        event = read("google", CONTENT)
        assert (event.output_tokens, event.reasoning_tokens) == (100, 80)

    def test_what_tools_put_into_the_prompt_is_outside_it_and_billed_as_input(self) -> None:
        assert read("google", CONTENT).input_tokens == 560

    def test_the_cache_is_inside_the_prompt(self) -> None:
        event = read("google", content(promptTokenCount=3520, cachedContentTokenCount=3512))
        assert (event.input_tokens, event.cache_read_tokens) == (3520, 3512)

    def test_zeros_that_are_left_out_are_zeros(self) -> None:
        event = read("google", content(promptTokenCount=15, thoughtsTokenCount=2, totalTokenCount=17))
        assert counts_of(event) == {"input_tokens": 15, "output_tokens": 2, "reasoning_tokens": 2}
        assert event.tags == {}

    def test_an_entry_without_tokens_has_none(self) -> None:
        details = [{"modality": "AUDIO"}, {"modality": "TEXT", "tokenCount": 10}]
        event = read("google", content(promptTokenCount=268, promptTokensDetails=details))
        assert event.input_audio_tokens == 0

    def test_documents_are_images_and_video_is_a_unit(self) -> None:
        details = [{"modality": "DOCUMENT", "tokenCount": 258}, {"modality": "VIDEO", "tokenCount": 87}]
        event = read("google", content(promptTokenCount=345, promptTokensDetails=details))
        assert event.input_image_tokens == 258
        assert units_of(event) == {"input_video_tokens": 87}

    def test_what_of_the_cache_was_audio_or_image_is_a_unit(self) -> None:
        event = read(
            "google",
            content(
                promptTokenCount=500,
                cachedContentTokenCount=230,
                promptTokensDetails=[
                    {"modality": "AUDIO", "tokenCount": 150},
                    {"modality": "DOCUMENT", "tokenCount": 258},
                ],
                cacheTokensDetails=[
                    {"modality": "AUDIO", "tokenCount": 58},
                    {"modality": "DOCUMENT", "tokenCount": 172},
                ],
            ),
        )
        assert units_of(event) == {"cache_read_audio_tokens": 58, "cache_read_image_tokens": 172}

    def test_that_no_audio_was_cached_is_told_too(self) -> None:
        event = read(
            "google",
            content(
                promptTokenCount=500,
                cachedContentTokenCount=200,
                promptTokensDetails=[
                    {"modality": "TEXT", "tokenCount": 350},
                    {"modality": "AUDIO", "tokenCount": 150},
                ],
                cacheTokensDetails=[{"modality": "TEXT", "tokenCount": 200}],
            ),
        )
        assert units_of(event) == {"cache_read_audio_tokens": 0}

    def test_details_larger_than_their_total_are_cut_to_it_and_tagged(self) -> None:
        details = [{"modality": "AUDIO", "tokenCount": 608}, {"modality": "IMAGE", "tokenCount": 25}]
        event = read("google", content(promptTokenCount=25, promptTokensDetails=details))
        assert counts_of(event) == {"input_tokens": 25, "input_audio_tokens": 25}
        assert event.tags == {"usage_details_mismatch": "cut"}

    def test_details_that_do_not_add_up_are_taken_as_they_are(self) -> None:
        details = [{"modality": "IMAGE", "tokenCount": 1120}]
        event = read("google", content(candidatesTokenCount=1780, candidatesTokensDetails=details))
        assert (event.output_tokens, event.output_image_tokens, event.tags) == (1780, 1120, {})

    @pytest.mark.parametrize(
        ("said", "tier"),
        [
            ({"serviceTier": "flex"}, "flex"),
            ({"trafficType": "ON_DEMAND"}, "standard"),
            ({"trafficType": "ON_DEMAND_PRIORITY"}, "priority"),
            ({"trafficType": "ON_DEMAND_OFFPEAK"}, "offpeak"),
            ({"trafficType": "PROVISIONED_THROUGHPUT"}, "provisioned"),
            ({}, "standard"),
        ],
    )
    def test_the_tier_has_two_names(self, said: dict[str, str], tier: str) -> None:
        assert read("google", content(promptTokenCount=1, **said)).service_tier == tier

    def test_gemini_before_3_bills_a_grounded_answer_once(self) -> None:
        older = {**CONTENT, "modelVersion": "models/gemini-2.5-pro"}
        event = read("google", older)
        assert (event.model, units_of(event)) == ("gemini-2.5-pro", {"web_searches": 1})
        assert units_of(read("google", CONTENT)) == {"web_searches": 2}

    def test_a_stored_cache_is_no_call(self) -> None:
        body = {
            "name": "cachedContents/abc",
            "model": "models/gemini-2.5-flash",
            "displayName": CANARY,
            "usageMetadata": {"totalTokenCount": 3512},
        }
        for surface in (None, "cached_contents"):
            with pytest.raises(RejectedInput) as caught:
                read_answer("google", body, surface=surface, context=CONTEXT)
            assert (caught.value.reason, caught.value.field) == ("wrong_type", "name")
            assert CANARY not in str(caught.value)

    @pytest.mark.parametrize("mark", [{"key": "1"}, {"status": "", "processed_time": "x", "request": {}}])
    def test_a_line_of_a_batch_costs_the_batch_price(self, mark: dict[str, Any]) -> None:
        event = read("google", {**mark, "response": CONTENT})
        assert (event.id, event.service_tier) == ("google:r7", "batch")

    def test_claude_on_vertex_has_its_cache_outside(self) -> None:
        event = read("google", MESSAGE)
        assert (event.vendor, event.input_tokens) == ("google", 2410)

    @pytest.mark.parametrize("name", ["google_gemini", "google_vertex", "gemini", "vertex"])
    def test_its_other_names_are_taken(self, name: str) -> None:
        assert read(name, CONTENT).id == "google:r7"


class TestStream:
    def chunks(self, *outputs: int) -> list[dict[str, Any]]:
        said = [{"content": {"parts": [{"text": CANARY}]}}]
        return [
            {**content(promptTokenCount=9, candidatesTokenCount=count), "candidates": said}
            for count in outputs
        ]

    def test_each_chunk_has_the_counts_so_far(self) -> None:
        ended = {
            **content(promptTokenCount=9, candidatesTokenCount=23, thoughtsTokenCount=302),
            "candidates": [{"finishReason": "STOP"}],
        }
        event = merged("google", [*self.chunks(13, 23), ended])
        assert counts_of(event) == {"input_tokens": 9, "output_tokens": 325, "reasoning_tokens": 302}
        assert (event.id, event.model, event.status) == ("google:r8", "gemini-3-flash", "ok")

    def test_a_stream_that_was_cut_off_is_counted_as_far_as_known(self) -> None:
        event = merged("google", self.chunks(13, 23))
        assert (event.output_tokens, event.status, event.error_code) == (23, "cancelled", "stream_cut_off")

    def test_queries_that_are_told_again_are_counted_once(self) -> None:
        grounded = [{"finishReason": "STOP", "groundingMetadata": {"webSearchQueries": [CANARY, "b", ""]}}]
        chunk = {**content(promptTokenCount=9), "candidates": grounded}
        assert units_of(merged("google", [chunk, chunk])) == {"web_searches": 2}

    def test_a_filtered_stream_says_so(self) -> None:
        event = merged(
            "google", [{**content(promptTokenCount=9), "promptFeedback": {"blockReason": "SAFETY"}}]
        )
        assert event.status == "filtered"


class TestLive:
    TURN = staticmethod(
        lambda **content: {
            "serverContent": content,
            "usageMetadata": {"promptTokenCount": 25, "responseTokenCount": 30, "totalTokenCount": 55},
        }
    )

    @pytest.mark.parametrize("surface", [None, "live"])
    def test_the_answer_is_counted_as_response(self, surface: str | None) -> None:
        event = read("google", self.TURN(), surface)
        assert (event.operation, counts_of(event)) == (
            "realtime",
            {"input_tokens": 25, "output_tokens": 30},
        )
        assert event.tags == {}

    def test_each_turn_of_a_session_is_a_call(self) -> None:
        said = {"serverContent": {"modelTurn": {"parts": [{"text": CANARY}]}}}
        events = streamed(
            "google",
            [
                {"setupComplete": {}},
                said,
                self.TURN(turnComplete=True),
                said,
                self.TURN(turnComplete=True),
                said,
            ],
        )
        assert [(event.output_tokens, event.status) for event in events] == [
            (30, "ok"),
            (30, "ok"),
            (0, "cancelled"),
        ]
        assert len({event.id for event in events}) == 3
        assert events[2].error_code == "usage_not_stated"


class TestInteractions:
    USAGE = staticmethod(
        lambda **more: {
            "total_input_tokens": 22,
            "total_output_tokens": 590,
            "total_tool_use_tokens": 198,
            "total_thought_tokens": 1173,
            "total_tokens": 1983,
            **more,
        }
    )

    def test_tool_use_and_thoughts_are_outside(self) -> None:
        event = read("google", {"id": "i1", "model": "gemini-3", "usage": self.USAGE()})
        assert counts_of(event) == {"input_tokens": 220, "output_tokens": 1763, "reasoning_tokens": 1173}
        assert event.tags == {}

    def test_modalities_and_searches_are_told(self) -> None:
        usage = self.USAGE(
            input_tokens_by_modality=[{"modality": "image", "tokens": 20}],
            grounding_tool_count=[{"type": "google_search", "count": 3}],
        )
        event = read("google", {"usage": usage})
        assert (event.input_image_tokens, units_of(event)) == (20, {"web_searches": 3})

    def test_the_last_event_of_a_stream_tells_all(self) -> None:
        started = {"event_type": "interaction.created", "interaction": {"id": "i1", "model": "gemini-3"}}
        said = {"event_type": "step.delta", "delta": {"text": CANARY}}
        ended = {
            "event_type": "interaction.completed",
            "interaction": {"id": "i1", "status": "completed", "usage": self.USAGE()},
        }
        event = merged("google", [started, said, ended])
        assert (event.id, event.model, event.output_tokens) == ("google:i1", "gemini-3", 1763)
        assert detect("google", ended) == "interactions"
        assert read("google", ended).output_tokens == 1763
        assert merged("google", [started, said]).error_code == "usage_not_stated"


class TestEmbeddings:
    @pytest.mark.parametrize("spelling", ["promptTokenDetails", "promptTokensDetails"])
    def test_gemini_and_vertex_spell_the_details_differently(self, spelling: str) -> None:
        details = [{"modality": "IMAGE", "tokenCount": 7}]
        event = read("google", {"usageMetadata": {"promptTokenCount": 11, spelling: details}})
        assert (event.operation, event.model) == ("embedding", "unknown")
        assert counts_of(event) == {"input_tokens": 11, "input_image_tokens": 7}

    def test_predict_counts_each_embedding(self) -> None:
        one = {"embeddings": {"values": [0.1], "statistics": {"token_count": 4, "truncated": False}}}
        body = {"predictions": [one, one], "metadata": {"billableCharacterCount": 22}}
        event = read("google", body)
        assert (event.operation, counts_of(event), units_of(event)) == (
            "embedding",
            {"input_tokens": 8},
            {},
        )

    def test_predict_counts_pictures(self) -> None:
        body = {"predictions": [{"bytesBase64Encoded": CANARY, "mimeType": "image/png"}]}
        event = read("google", body)
        assert (event.operation, units_of(event)) == ("image", {"images": 1})
