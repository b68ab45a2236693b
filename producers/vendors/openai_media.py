"""OpenAI's answers that are no text: pictures, videos, speech, transcripts, sessions in real time, and their streams.

Accounting: what states tokens is billed by them; a picture without usage (dall-e) by its count, size and quality, a
video by its seconds and size, a transcript without tokens by the seconds of audio. Size and quality are tags, because
the price depends on them.
In a realtime session every `response.done` is a call, and every transcript of what was said to it is one more, billed
at the transcribing model's price.
Sources: types of the package openai 3.54; recorded frames.
Limits: spoken text (TTS) is answered with bytes alone and states nothing: report it with its characters as an event.
Where a video extends another, `seconds` is the length of both; nothing says which part of it is new.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from producers.vendors import openai_shapes as shapes
from producers.vendors.answer import Answer, Reading, whole_units
from producers.vendors.merging import ended_by_error, kind_of
from producers.vendors.plain_facts import size, tagged
from producers.vendors.registry import Merged

_PICTURE_EVENTS: Final = ("image_generation.", "image_edit.")
_TRANSCRIBED: Final = "conversation.item.input_audio_transcription.completed"
_SESSION_EVENTS: Final = ("session.", "conversation.", "input_audio_buffer.", "rate_limits.")
_QUALITY: Final = re.compile(r"[a-z]{2,12}")
_SECONDS: Final = re.compile(r"\d{1,6}(\.\d{1,15})?")
_UNBILLED: Final = ("queued", "in_progress", "failed")


def is_picture_event(answer: Answer) -> bool:
    return kind_of(answer).startswith(_PICTURE_EVENTS)


def is_plain_picture(answer: Answer) -> bool:
    """Pictures without a usage object."""
    pictures = answer.body.get("data")
    if answer.has_any("usage") or not isinstance(pictures, list):
        return False
    return any(isinstance(one, Mapping) and ("b64_json" in one or "url" in one) for one in pictures)


def read_pictures(answer: Answer) -> Reading:
    """Pictures, by tokens or by count; and the last event of a streamed one, whose output is the picture alone.

    `svg_usage` is what another model took to draw by code, billed at its own price.
    """
    if not answer.has_any("usage"):
        pictures = answer.find("data")
        if not is_plain_picture(answer):
            raise answer.refusal("missing_field", "usage", "is missing")
        reading = Reading(
            model=answer.text("model"),
            time=answer.moment("created"),
            operation="image",
            counts={},
            units=whole_units(images=len(pictures)),
        )
    else:
        reading = shapes.read_image(answer)
    if is_picture_event(answer):
        counts = dict(reading.counts)
        counts["output_image_tokens"] = counts["output_image_tokens"] or counts["output_tokens"]
        reading = replace(
            reading, counts=counts, time=answer.moment("created_at"), units={"images": Decimal(1)}
        )
    tags = tagged(size=size(answer.body.get("size")), quality=_word(answer.body.get("quality")))
    return replace(reading, facts={**reading.facts, **tags}, inner=_drawn_by_code(answer))


def merge_pictures(events: Sequence[Answer]) -> Merged:
    """A streamed picture: its completed event tells the usage, those with parts of it nothing."""
    ended = [event for event in events if kind_of(event).endswith(".completed")]
    bodies = [
        Merged({"usage": {"output_tokens": 0}, **event.body}, stated=event.has_any("usage"))
        for event in ended
    ]
    if not bodies:
        body = {"type": kind_of(events[0]), "usage": {"output_tokens": 0}}
        return ended_by_error(Merged(body, complete=False, stated=False), events)
    return replace(bodies[0], further=bodies[1:])


def is_video(answer: Answer) -> bool:
    return answer.body.get("object") == "video" and answer.has_any("seconds")


def read_video(answer: Answer) -> Reading:
    """A video job. Only one that is completed is billed; asked for again it has the same id."""
    status = answer.find("status")
    if status in _UNBILLED:
        raise answer.refusal(
            "wrong_type",
            "status",
            "is of a video that is not completed, and not billed",
            hint="Read the job again when it is completed",
        )
    return Reading(
        model=answer.text("model"),
        response_id=answer.text("id"),
        time=answer.moment("completed_at", "created_at"),
        operation="video",
        counts={},
        units={"video_seconds": _seconds(answer, "seconds")},
        facts=tagged(size=size(answer.body.get("size"))),
    )


def is_timed_transcript(answer: Answer) -> bool:
    """A transcript of before there was a usage object, which tells the length of the audio."""
    return answer.find("task") in ("transcribe", "translate") and answer.has_any("duration")


def read_transcript(answer: Answer) -> Reading:
    """A transcript, a translation of one, or what was said to a realtime session."""
    if not answer.has_any("usage") and answer.has_any("duration"):
        seconds = _seconds(answer, "duration")
        return Reading(
            model=answer.text("model"),
            operation="transcription",
            counts={},
            units={"audio_seconds": seconds} if seconds else {},
        )
    # One item of a conversation is written down once; its event is not the same when it is asked for again.
    return replace(shapes.read_transcription(answer), response_id=answer.text("item_id"))


def is_transcript_event(answer: Answer) -> bool:
    return kind_of(answer).startswith("transcript.text.")


def merge_transcript(events: Sequence[Answer]) -> Merged:
    """A streamed transcript: `transcript.text.done` tells the usage."""
    return _merge_last(events, "transcript.text.done", {"input_tokens": 0})


def is_speech_event(answer: Answer) -> bool:
    return kind_of(answer).startswith("speech.audio.")


def is_speech(answer: Answer) -> bool:
    return is_speech_event(answer) and answer.has_any("usage")


def read_speech(answer: Answer) -> Reading:
    """Streamed speech, which tells its tokens at the end."""
    answer.need_any("usage.input_tokens", "usage.output_tokens")
    return Reading(
        model=answer.text("model"),
        operation="speech",
        counts=shapes.input_output_counts(answer),
        stated_total=answer.total("usage.total_tokens"),
    )


def merge_speech(events: Sequence[Answer]) -> Merged:
    """Streamed speech: `speech.audio.done` tells the usage."""
    return _merge_last(events, "speech.audio.done", {"input_tokens": 0})


def is_session_event(answer: Answer) -> bool:
    kind = kind_of(answer)
    if kind.startswith(_SESSION_EVENTS) or kind == "response.done":
        return True
    response = answer.body.get("response")
    return isinstance(response, Mapping) and response.get("object") == "realtime.response"


def read_session_event(answer: Answer) -> Reading:
    """`response.done`, or what was said to the model, written down."""
    if kind_of(answer) == _TRANSCRIBED:
        return read_transcript(answer)
    return shapes.read_realtime(answer)


def merge_session(events: Sequence[Answer]) -> Merged:
    """The calls of a session, in order. A response that was begun and not ended is counted as one that was cut off."""
    model = next((name for event in events if (name := _session_model(event))), "")
    calls: list[Merged] = []
    open_responses: dict[str, Mapping[str, Any]] = {}
    for event in events:
        kind, response = kind_of(event), event.body.get("response")
        if kind == _TRANSCRIBED:
            calls.append(Merged(event.body))
        elif kind == "response.created" and isinstance(response, Mapping):
            open_responses[str(response.get("id"))] = response
        elif kind == "response.done" and isinstance(response, Mapping):
            open_responses.pop(str(response.get("id")), None)
            calls.append(_response_call(response, model, complete=True))
    calls += (_response_call(response, model, complete=False) for response in open_responses.values())
    if not calls:
        body = {"type": "response.done", "response": {"model": model, "usage": {"input_tokens": 0}}}
        return ended_by_error(Merged(body, complete=False, stated=False), events)
    return replace(calls[0], further=calls[1:])


def _response_call(response: Mapping[str, Any], model: str, *, complete: bool) -> Merged:
    usage = response.get("usage")
    body = {"model": model, **response, "usage": usage or {"input_tokens": 0}}
    return Merged({"type": "response.done", "response": body}, complete, stated=bool(usage))


def _session_model(event: Answer) -> str:
    session = event.body.get("session")
    model = session.get("model") if isinstance(session, Mapping) else None
    return model if isinstance(model, str) else ""


def _merge_last(events: Sequence[Answer], last: str, nothing: Mapping[str, int]) -> Merged:
    ended = [event for event in events if kind_of(event) == last]
    body = ended[-1].body if ended else {"type": last}
    stated = bool(body.get("usage"))
    if not stated:
        body = {**body, "usage": nothing}
    merged = Merged(body, bool(ended), stated=stated)
    return merged if ended else ended_by_error(merged, events)


def _drawn_by_code(answer: Answer) -> tuple[Reading, ...]:
    if not answer.has_any("svg_usage.input_tokens", "svg_usage.output_tokens"):
        return ()
    drawn = answer.part("svg_usage")
    counts = {
        "input_tokens": drawn.count("input_tokens"),
        "output_tokens": drawn.count("output_tokens"),
        "reasoning_tokens": drawn.count("reasoning_tokens"),
    }
    return (
        Reading(
            model=drawn.text("model"),
            operation="image",
            counts=counts,
            stated_total=drawn.total("total_tokens"),
        ),
    )


def _seconds(answer: Answer, path: str) -> Decimal:
    """Seconds, sent as a number or as the string of one."""
    value = answer.find(path)
    if isinstance(value, str):
        if _SECONDS.fullmatch(value) is None:
            raise answer.refusal("wrong_type", path, "is not a number of seconds")
        return Decimal(value)
    seconds = answer.amount(path)
    return seconds if seconds is not None else Decimal(0)


def _word(value: Any) -> str:
    return value if isinstance(value, str) and _QUALITY.fullmatch(value) else ""
