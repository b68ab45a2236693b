"""Logs of clouds: Bedrock's invocations, Azure's gateway and request usage, Vertex's requests."""

import json
from typing import Any

import pytest

from producers import records
from producers.files.documents import elements
from tests.records.reading import CANARY, counted_once, counts, exact, read


def invocation(**changes: Any) -> dict[str, Any]:
    return {
        "schemaType": "ModelInvocationLog",
        "schemaVersion": "1.0",
        "timestamp": "2026-10-01T12:00:00Z",
        "accountId": "123456789012",
        "identity": {"arn": "arn:aws:sts::123456789012:assumed-role/app/session"},
        "region": "eu-west-1",
        "requestId": "req-1",
        "operation": "InvokeModelWithResponseStream",
        "modelId": "anthropic.claude-sonnet-5-v1:0",
        "requestMetadata": {"team": "search", "costCentre": "CC-1"},
        "input": {"inputBodyJson": {"messages": [{"content": CANARY}]}, "inputTokenCount": 100},
        "output": {"outputBodyJson": {"content": CANARY}, "outputTokenCount": 50},
        **changes,
    }


class TestBedrock:
    def test_the_requests_own_labels_attribute_it(self) -> None:
        (event,) = read(invocation())
        assert (event.id, event.vendor, counts(event)) == ("aws:req-1", "aws", (100, 0, 0, 50, 0))
        assert (event.team, event.region, event.streaming) == ("search", "eu-west-1", True)
        assert event.tags == {"account": "123456789012", "costCentre": "CC-1"}
        assert event.user == "assumed-role/app/session"
        assert CANARY not in event.model_dump_json()

    def test_cached_tokens_stand_outside_the_input_count(self) -> None:
        counted = {"inputTokenCount": 3, "cacheReadInputTokenCount": 2000, "cacheWriteInputTokenCount": 300}
        assert counts(read(invocation(input=counted))[0]) == (2303, 2000, 300, 50, 0)

    @pytest.mark.parametrize(
        "body",
        [
            {"usage": {"cache_creation": {"ephemeral_1h_input_tokens": 200}}},
            {
                "usage": {
                    "cacheDetails": [{"inputTokens": 200, "ttl": "1h"}, {"inputTokens": 100, "ttl": "5m"}]
                }
            },
            [
                {
                    "type": "message_start",
                    "message": {"usage": {"cache_creation": {"ephemeral_1h_input_tokens": 200}}},
                }
            ],
        ],
    )
    def test_a_logged_body_tells_how_long_the_cache_is_kept(self, body: object) -> None:
        counted = {"inputTokenCount": 3, "cacheWriteInputTokenCount": 300}
        (event,) = read(invocation(input=counted, output={"outputTokenCount": 5, "outputBodyJson": body}))
        assert (event.cache_write_tokens, event.cache_write_1h_tokens) == (300, 200)

    @pytest.mark.parametrize(
        ("model_id", "model"),
        [
            (
                "arn:aws:bedrock:eu-west-1:1:inference-profile/eu.anthropic.claude-x-v1:0",
                "eu.anthropic.claude-x-v1:0",
            ),
            ("arn:aws:bedrock:eu-west-1::foundation-model/amazon.nova-pro-v1:0", "amazon.nova-pro-v1:0"),
            ("arn:aws:bedrock:eu-west-1:1:application-inference-profile/ab12", "claude-in-body"),
        ],
    )
    def test_models_behind_arns(self, model_id: str, model: str) -> None:
        output = {"outputTokenCount": 5, "outputBodyJson": {"model": "claude-in-body"}}
        (event,) = read(invocation(modelId=model_id, output=output))
        assert (event.model, event.requested_model) == (model, model_id)

    def test_a_failed_invocation_is_none(self) -> None:
        assert read(invocation(errorCode="ThrottlingException", input={}, output={})) == []

    def test_cloudwatchs_envelopes_are_taken_off(self) -> None:
        message = json.dumps(invocation())
        for envelope in (
            {"message": message, "timestamp": 1},
            {"logEvents": [{"id": "1", "message": message}]},
            {"events": [{"eventId": "1", "message": message}], "searchedLogStreams": []},
        ):
            (inner,) = elements(envelope)
            assert read(inner) == read(invocation())


def apim_row(**changes: Any) -> dict[str, Any]:
    return {
        "TimeGenerated": "2026-10-01T00:00:00Z",
        "CorrelationId": "c-1",
        "DeploymentName": "prod",
        "ModelName": "gpt-4o-2024-11-20",
        "IsStreamCompletion": False,
        "PromptTokens": 100,
        "CompletionTokens": 50,
        "TotalTokens": 150,
        "SequenceNumber": 0,
        "Region": "East US",
        "RequestMessages": CANARY,
        "ResponseMessages": CANARY,
        **changes,
    }


class TestAzure:
    def test_rows_of_one_correlation_are_one_call(self) -> None:
        rows = [apim_row(SequenceNumber=number) for number in range(3)]
        empty = apim_row(SequenceNumber=3, PromptTokens=None, CompletionTokens=None, TotalTokens=None)
        kept = counted_once(read(*rows, empty, apim_row(CorrelationId="c-2")))
        assert [(name, event.input_tokens) for name, event in kept.items()] == [
            ("azure:apim/c-1", 100),
            ("azure:apim/c-2", 100),
        ]
        assert not any(CANARY in event.model_dump_json() for event in kept.values())

    def test_a_diagnostic_settings_record_and_the_portals_csv_read_alike(self) -> None:
        names = ("ModelName", "DeploymentName", "PromptTokens", "CompletionTokens", "IsStreamCompletion")
        properties = {name[0].lower() + name[1:]: apim_row()[name] for name in names}
        record = {
            "time": "2026-10-01T00:00:00Z",
            "category": "GatewayLlmLogs",
            "correlationId": "c-1",
            "location": "East US",
            "properties": properties,
        }
        table = {name: "" if value is None else str(value) for name, value in apim_row().items()}
        table["TimeGenerated [UTC]"] = "10/1/2026, 12:00:00.000 AM"
        del table["TimeGenerated"]
        assert read(record) == read(table) == read(apim_row())

    @pytest.mark.parametrize(
        "properties",
        [
            {"modelName": "gpt-4o", "promptTokens": 10, "completionTokens": 4},
            {"modelDeploymentName": "prod", "modelName": "gpt-4o", "promptTokens": 10, "generatedTokens": 4},
        ],
    )
    def test_both_spellings_of_request_usage(self, properties: dict[str, Any]) -> None:
        row = {
            "TimeGenerated": "2026-10-01T00:00:00Z",
            "Category": "AzureOpenAIRequestUsage",
            "CorrelationId": "c-9",
            "DurationMs": 812,
            "properties_s": json.dumps(properties),
        }
        (event,) = read(row)
        assert (event.id, event.model, counts(event)) == ("azure:request/c-9", "gpt-4o", (10, 0, 0, 4, 0))
        assert event.duration_ms == 812


class TestVertex:
    def test_the_answer_within_is_read_by_googles_own_reader(self) -> None:
        usage = {
            "promptTokenCount": 20,
            "candidatesTokenCount": 5,
            "thoughtsTokenCount": 7,
            "totalTokenCount": 32,
        }
        answer = {
            "responseId": "r-1",
            "modelVersion": "gemini-3-flash",
            "candidates": [{"content": {"parts": [{"text": CANARY}]}}],
            "usageMetadata": usage,
        }
        row = {
            "endpoint": "projects/p/locations/us-central1/publishers/google/models/gemini-3-flash",
            "logging_time": "2026-10-01 00:00:00.123456 UTC",
            "request_id": "77",
            "api_method": "streamGenerateContent",
            "full_request": json.dumps({"contents": CANARY}),
            "full_response": json.dumps(answer),
        }
        (event,) = read(row)
        assert (event.id, counts(event)) == ("google:r-1", (20, 0, 0, 12, 7))
        assert (event.region, event.streaming) == ("us-central1", True)
        assert CANARY not in event.model_dump_json()
        chunk = {"usageMetadata": {"trafficType": "ON_DEMAND"}}
        del row["full_response"]
        assert read({**row, "response_payload": [json.dumps(answer), json.dumps(chunk)]}) == [event]
        assert read({**row, "response_payload": [json.dumps({"error": {"code": 429}})]}) == []


def test_detection_never_raises_and_takes_no_vendors_answer_for_a_record() -> None:
    answers: list[dict[str, Any]] = [
        {"id": "chatcmpl-1", "model": "gpt-4o", "usage": {"prompt_tokens": 5, "completion_tokens": 6}},
        {"id": "msg_1", "model": "claude-x", "usage": {"input_tokens": 5, "output_tokens": 6}},
        {"modelVersion": "gemini-3", "usageMetadata": {"promptTokenCount": 5}},
        {"message": {"usage": 3}, "sessionId": "s", "input": 7, "properties": [], "type": ["GENERATION"]},
        {"": "", "payload": {}, "tokens": "x", "metadata": "{", "request_id": {}, "category": 3},
    ]
    assert [records.detect(exact(answer)) for answer in answers] == [""] * len(answers)
