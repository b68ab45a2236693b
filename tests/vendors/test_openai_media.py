"""OpenAI: pictures, videos, speech, transcripts and realtime sessions, and what they are billed by."""

from typing import Any, ClassVar

import pytest

from producers.vendors import detect, read_answer
from tests.vendors.bodies import CANARY, CONTEXT, calls, counts_of, merged, read, streamed, units_of
from tokenweir.errors import RejectedInput

PICTURE_USAGE = {
    "input_tokens": 25,
    "input_tokens_details": {"text_tokens": 20, "image_tokens": 5},
    "output_tokens": 1056,
    "total_tokens": 1081,
}
DONE = {
    "type": "response.done",
    "response": {
        "object": "realtime.response",
        "id": "resp_9",
        "status": "completed",
        "output": [{"content": [{"transcript": CANARY}]}],
        "usage": {
            "total_tokens": 1500,
            "input_tokens": 1000,
            "output_tokens": 500,
            "input_token_details": {
                "text_tokens": 600,
                "audio_tokens": 250,
                "image_tokens": 150,
                "cached_tokens": 400,
                "cached_tokens_details": {"text_tokens": 250, "audio_tokens": 100, "image_tokens": 50},
            },
            "output_token_details": {"text_tokens": 200, "audio_tokens": 300},
        },
    },
}
WRITTEN_DOWN = {
    "type": "conversation.item.input_audio_transcription.completed",
    "event_id": "event_1",
    "item_id": "item_1",
    "transcript": CANARY,
    "usage": {"type": "duration", "seconds": 3},
}


class TestPictures:
    def test_tokens_are_counted_and_pictures_too(self) -> None:
        event = read("openai", {"data": [{"b64_json": CANARY}], "size": "1024x1024", "usage": PICTURE_USAGE})
        assert counts_of(event) == {"input_tokens": 25, "input_image_tokens": 5, "output_tokens": 1056}
        assert (units_of(event), event.tags) == ({"images": 1}, {"size": "1024x1024"})

    def test_pictures_without_usage_are_billed_by_count_size_and_quality(self) -> None:
        body = {"created": 1_770_000_000, "data": [{"url": CANARY}, {"url": CANARY}], "size": "1792x1024"}
        for surface in (None, "images"):
            event = read("openai", {**body, "quality": "high"}, surface)
            assert (event.operation, counts_of(event), units_of(event)) == ("image", {}, {"images": 2})
            assert event.tags == {"size": "1792x1024", "quality": "high"}

    def test_a_size_or_quality_that_is_prose_is_left_out(self) -> None:
        body = {"data": [{"url": "x"}], "size": CANARY, "quality": CANARY}
        assert read("openai", body).tags == {}

    def test_what_draws_by_code_is_a_call_of_its_own_model(self) -> None:
        drawn = {
            "model": "gpt-5-svg",
            "input_tokens": 10,
            "output_tokens": 90,
            "reasoning_tokens": 40,
            "total_tokens": 100,
        }
        first, code = calls(
            "openai", {"data": [{"b64_json": ""}], "usage": PICTURE_USAGE, "svg_usage": drawn}
        )
        assert (first.output_tokens, code.model) == (1056, "gpt-5-svg")
        assert counts_of(code) == {"input_tokens": 10, "output_tokens": 90, "reasoning_tokens": 40}

    @pytest.mark.parametrize("kind", ["image_generation", "image_edit"])
    def test_the_completed_event_of_a_stream_tells_the_usage(self, kind: str) -> None:
        part = {"type": f"{kind}.partial_image", "b64_json": CANARY}
        ended = {"type": f"{kind}.completed", "b64_json": CANARY, "usage": PICTURE_USAGE, "quality": "low"}
        event = merged("openai", [part, ended])
        assert (event.operation, event.status, event.output_image_tokens) == ("image", "ok", 1056)
        assert units_of(event) == {"images": 1}
        assert read("openai", ended).output_tokens == 1056
        cut_off = merged("openai", [part])
        assert (cut_off.status, cut_off.error_code) == ("cancelled", "usage_not_stated")


class TestVideos:
    JOB: ClassVar = {
        "id": "video_1",
        "object": "video",
        "model": "sora-2",
        "status": "completed",
        "completed_at": 1_770_000_000,
        "seconds": "8",
        "size": "1024x1792",
        "prompt": CANARY,
    }

    @pytest.mark.parametrize("surface", [None, "videos", "videos_sora"])
    def test_seconds_are_a_string_and_the_size_a_tag(self, surface: str | None) -> None:
        event = read("openai", self.JOB, surface)
        assert (event.id, event.operation, units_of(event)) == (
            "openai:video_1",
            "video",
            {"video_seconds": 8},
        )
        assert event.tags == {"size": "1024x1792"}

    @pytest.mark.parametrize("status", ["queued", "in_progress", "failed"])
    def test_a_job_that_is_not_completed_is_not_billed(self, status: str) -> None:
        with pytest.raises(RejectedInput) as caught:
            read_answer("openai", {**self.JOB, "status": status}, context=CONTEXT)
        assert caught.value.field == "status"

    def test_seconds_that_are_none_are_refused(self) -> None:
        with pytest.raises(RejectedInput) as caught:
            read_answer("openai", {**self.JOB, "seconds": CANARY}, context=CONTEXT)
        assert (caught.value.reason, caught.value.field) == ("wrong_type", "seconds")
        assert CANARY not in str(caught.value)


class TestAudio:
    def test_a_transcript_is_billed_by_duration_or_by_tokens(self) -> None:
        by_time = read("openai", {"text": CANARY, "usage": {"type": "duration", "seconds": 37}})
        assert (by_time.operation, units_of(by_time)) == ("transcription", {"audio_seconds": 37})
        usage = {
            "type": "tokens",
            "input_tokens": 14,
            "input_token_details": {"audio_tokens": 14},
            "output_tokens": 45,
        }
        by_tokens = read("openai", {"text": CANARY, "usage": usage})
        assert counts_of(by_tokens) == {"input_tokens": 14, "input_audio_tokens": 14, "output_tokens": 45}
        assert units_of(by_tokens) == {}

    def test_a_transcript_of_before_there_was_usage_tells_its_duration(self) -> None:
        body = {"task": "transcribe", "duration": 36.709999084472656, "text": CANARY}
        assert units_of(read("openai", body)) == {"audio_seconds": 36.709999084472656}
        assert units_of(read("openai", {**body, "duration": "2.5"})) == {"audio_seconds": 2.5}

    def test_a_streamed_transcript_tells_its_usage_at_the_end(self) -> None:
        said = {"type": "transcript.text.delta", "delta": CANARY}
        usage = {"type": "tokens", "input_tokens": 14, "output_tokens": 45, "total_tokens": 59}
        done = {"type": "transcript.text.done", "text": CANARY, "usage": usage}
        assert merged("openai", [said, done]).output_tokens == 45
        assert merged("openai", [said]).error_code == "usage_not_stated"

    def test_streamed_speech_tells_its_usage_at_the_end(self) -> None:
        said = {"type": "speech.audio.delta", "audio": CANARY}
        done = {"type": "speech.audio.done", "usage": {"input_tokens": 9, "output_tokens": 80}}
        event = merged("openai", [said, done])
        assert (event.operation, counts_of(event)) == ("speech", {"input_tokens": 9, "output_tokens": 80})
        assert merged("openai", [said]).status == "cancelled"

    def test_speech_that_is_not_streamed_states_nothing(self) -> None:
        with pytest.raises(RejectedInput):
            read_answer("openai", {"content": CANARY}, context=CONTEXT)


class TestRealtime:
    def test_details_are_spelled_in_the_singular_and_the_cache_is_split(self) -> None:
        assert detect("openai", DONE) == "realtime"
        event = read("openai", DONE)
        assert counts_of(event) == {
            "input_tokens": 1000,
            "cache_read_tokens": 400,
            "input_audio_tokens": 250,
            "input_image_tokens": 150,
            "output_tokens": 500,
            "output_audio_tokens": 300,
        }
        assert units_of(event) == {"cache_read_audio_tokens": 100, "cache_read_image_tokens": 50}

    def test_that_no_audio_was_cached_is_told_too(self) -> None:
        usage = {
            "total_tokens": 120,
            "input_tokens": 100,
            "output_tokens": 20,
            "input_token_details": {
                "text_tokens": 60,
                "audio_tokens": 40,
                "cached_tokens": 30,
                "cached_tokens_details": {"text_tokens": 30, "audio_tokens": 0},
            },
        }
        event = read("openai", {"model": "gpt-realtime", "usage": usage})
        assert units_of(event) == {"cache_read_audio_tokens": 0}

    def test_the_usage_alone_is_enough(self) -> None:
        body = {"model": "gpt-realtime", "usage": DONE["response"]["usage"]}  # type: ignore[index]
        assert detect("openai", body) == "realtime"
        assert counts_of(read("openai", body)) == counts_of(read("openai", DONE))

    @pytest.mark.parametrize("surface", [None, "realtime"])
    def test_what_was_said_to_it_is_billed_by_an_event_of_its_own(self, surface: str | None) -> None:
        event = read("openai", WRITTEN_DOWN, surface)
        assert (event.id, event.operation) == ("openai:item_1", "transcription")
        assert units_of(event) == {"audio_seconds": 3}

    def test_a_session_is_as_many_calls_as_it_has_answers_and_transcripts(self) -> None:
        session: dict[str, Any] = {"type": "session.created", "session": {"model": "gpt-realtime"}}
        begun = {
            "type": "response.created",
            "response": {"object": "realtime.response", "id": "resp_10", "status": "in_progress"},
        }
        events = streamed("openai", [session, WRITTEN_DOWN, DONE, begun])
        assert [(event.id, event.model, event.status) for event in events] == [
            ("openai:item_1", "unknown", "ok"),
            ("openai:resp_9", "gpt-realtime", "ok"),
            ("openai:resp_10", "gpt-realtime", "cancelled"),
        ]

    def test_a_cancelled_answer_is_billed_for_what_it_took(self) -> None:
        response = {**DONE["response"], "status": "cancelled"}  # type: ignore[dict-item]
        event = read("openai", {**DONE, "response": response})
        assert (event.status, event.output_tokens) == ("cancelled", 500)
