"""boto3 on bedrock-runtime: bodies that the application reads itself, event streams, headers, the call's own name."""

import gzip
import io
import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from botocore.eventstream import EventStream
from botocore.exceptions import ClientError, EventStreamError
from botocore.response import StreamingBody

from producers.instrumentation import instrument
from tests.instrumentation import answers
from tests.instrumentation.clients import CONVERSE_MODEL, bedrock_client
from tests.instrumentation.recording import RecordingEmitter
from tests.instrumentation.server import Reply, VendorServer, plain

FRAMES = "application/vnd.amazon.eventstream"
HEADERS = {
    "x-amzn-requestid": "req-1",
    "x-amzn-bedrock-input-token-count": "8",
    "x-amzn-bedrock-cache-read-input-token-count": "12",
    "x-amzn-bedrock-output-token-count": "7",
}
MISTRAL_BODY = json.dumps({"outputs": [{"text": answers.CANARY, "stop_reason": "stop"}]}).encode()


@pytest.fixture
def client(server: VendorServer, emitter: RecordingEmitter) -> Iterator[Any]:
    made = bedrock_client(server.url)
    yield instrument(made, emitter)
    made.close()


def _invoke(client: Any) -> Any:
    return client.invoke_model(modelId="mistral.mistral-large-2402-v1:0", body=b"{}")["body"]


READINGS = {
    "read": lambda body: body.read(),
    "in pieces": lambda body: b"".join(iter(lambda: body.read(10), b"")),
    "chunks": lambda body: b"".join(body.iter_chunks(7)),
    "lines": lambda body: b"".join(body.iter_lines()),
    "with": lambda body: body.__enter__().read(),
    "buffered": lambda body: io.BufferedReader(body).read(),
    "just enough": lambda body: body.read(len(MISTRAL_BODY)),
}


@pytest.mark.parametrize("is_chunked", [False, True])
@pytest.mark.parametrize("read", READINGS.values(), ids=READINGS)
def test_counts_in_headers_belong_to_the_body_however_it_is_read(
    client: Any, server: VendorServer, emitter: RecordingEmitter, read: Any, is_chunked: bool
) -> None:
    pieces = [MISTRAL_BODY[:9], MISTRAL_BODY[9:]] if is_chunked else [MISTRAL_BODY]
    server.will_answer(Reply(pieces, headers=HEADERS))
    body = _invoke(client)
    assert type(body) is StreamingBody
    assert emitter.events == []
    assert read(body) == MISTRAL_BODY
    body.close()
    event = emitter.event
    assert (event.id, event.vendor) == ("aws:req-1", "aws")
    assert event.requested_model == event.model == "mistral.mistral-large-2402-v1:0"
    assert (event.input_tokens, event.cache_read_tokens, event.output_tokens) == (20, 12, 7)
    assert (event.region, event.streaming) == ("eu-west-1", False)
    assert answers.CANARY not in emitter.all_that_left()


def test_a_conversation_has_the_name_of_its_request(
    client: Any, server: VendorServer, emitter: RecordingEmitter
) -> None:
    server.will_answer(
        Reply([json.dumps(answers.CONVERSE_ANSWER).encode()], headers={"x-amzn-requestid": "req-2"})
    )
    client.converse(modelId=CONVERSE_MODEL, messages=[])
    assert emitter.event.id == "aws:req-2"


def test_a_streamed_conversation_has_it_too(
    client: Any, server: VendorServer, emitter: RecordingEmitter
) -> None:
    frames = [answers.aws_event(*event) for event in answers.CONVERSE_EVENTS]
    server.will_answer(Reply(frames, content_type=FRAMES, headers={"x-amzn-requestid": "req-3"}))
    stream = client.converse_stream(modelId=CONVERSE_MODEL, messages=[])["stream"]
    assert type(stream) is EventStream
    assert [next(iter(event)) for event in stream] == [kind for kind, _ in answers.CONVERSE_EVENTS]
    assert (emitter.event.id, emitter.event.input_tokens) == ("aws:req-3", 20)


def test_a_models_own_stream_is_read_as_its_makers(
    client: Any, server: VendorServer, emitter: RecordingEmitter
) -> None:
    frames = [answers.aws_chunk(event) for event in answers.ANTHROPIC_EVENTS]
    server.will_answer(Reply(frames, content_type=FRAMES, headers={"x-amzn-requestid": "req-4"}))
    stream = client.invoke_model_with_response_stream(modelId=CONVERSE_MODEL, body=b"{}")["body"]
    given = [json.loads(event["chunk"]["bytes"]) for event in stream]
    assert given == answers.ANTHROPIC_EVENTS
    event = emitter.event
    assert (event.id, event.vendor) == ("aws:req-4", "aws")
    assert (event.input_tokens, event.output_tokens) == (20, 7)
    assert event.ttft_ms is not None


def test_an_exception_within_a_stream_marks_the_call(
    client: Any, server: VendorServer, emitter: RecordingEmitter
) -> None:
    frames = [answers.aws_event(*event) for event in answers.CONVERSE_EVENTS[:2]]
    server.will_answer(Reply([*frames, answers.aws_exception("throttlingException")], content_type=FRAMES))
    stream = client.converse_stream(modelId=CONVERSE_MODEL, messages=[])["stream"]
    with closing(stream), pytest.raises(EventStreamError):
        list(stream)
    assert (emitter.event.status, emitter.event.error_code) == ("rate_limited", "throttlingException")
    assert answers.CANARY not in emitter.all_that_left()


def test_an_exception_before_anything_else_is_not_billed(
    client: Any, server: VendorServer, emitter: RecordingEmitter
) -> None:
    server.will_answer(Reply([answers.aws_exception("throttlingException")] * 1, content_type=FRAMES))
    stream = client.converse_stream(modelId=CONVERSE_MODEL, messages=[])["stream"]
    with closing(stream), pytest.raises(EventStreamError):
        list(stream)
    assert (emitter.events, emitter.dropped) == ([], [])


def test_a_body_that_nobody_reads_is_counted_as_unread(
    client: Any, server: VendorServer, emitter: RecordingEmitter
) -> None:
    server.will_answer(Reply([MISTRAL_BODY], headers=HEADERS))
    _invoke(client).close()
    assert emitter.events == []
    assert len(emitter.dropped) == 1


def test_a_refusal_names_its_code(client: Any, server: VendorServer, emitter: RecordingEmitter) -> None:
    instrument(client, emitter, record_failures=True)
    error = {"x-amzn-errortype": "AccessDeniedException"}
    server.will_answer(Reply([b'{"message": "no"}'], status=403, headers=error))
    with pytest.raises(ClientError):
        client.converse(modelId=CONVERSE_MODEL, messages=[])
    assert (emitter.event.status, emitter.event.error_code) == ("error", "AccessDeniedException")


def test_other_operations_have_no_events(
    client: Any, server: VendorServer, emitter: RecordingEmitter
) -> None:
    server.will_answer(plain({"inputTokens": 7}))
    client.count_tokens(modelId=CONVERSE_MODEL, input={"converse": {"messages": []}})
    assert (emitter.events, emitter.dropped, emitter.unanswered) == ([], [], 0)


def test_the_packed_body_of_an_answer_is_left_to_botocore(
    client: Any, server: VendorServer, emitter: RecordingEmitter
) -> None:
    packed = gzip.compress(MISTRAL_BODY)
    server.will_answer(Reply([packed], headers={**HEADERS, "content-encoding": "gzip"}))
    body = _invoke(client)
    try:
        body.read()
    finally:
        body.close()
    assert len(emitter.events) + len(emitter.dropped) == 1
