"""Records of LiteLLM, Helicone, Portkey and Langfuse: what counts, under which name, at which reported cost."""

import base64
from decimal import Decimal
from typing import Any

import pytest

from tests.records.reading import CANARY, counts, read


def spend_row(**changes: Any) -> dict[str, Any]:
    return {
        "request_id": "chatcmpl-A1",
        "call_type": "acompletion",
        "api_key": "ab" * 32,
        "spend": 0.00123,
        "total_tokens": 1500,
        "prompt_tokens": 1000,
        "completion_tokens": 500,
        "startTime": "2026-10-01T00:00:00.000",
        "endTime": "2026-10-01T00:00:02.000",
        "completionStartTime": "2026-10-01T00:00:00.400",
        "model": "gpt-5.4",
        "model_group": "smart",
        "custom_llm_provider": "openai",
        "user": "u-7",
        "team_id": "team-9",
        "metadata": {"additional_usage_values": {"prompt_tokens_details": {"cached_tokens": 300}}},
        "cache_hit": "False",
        "request_tags": ["env:prod", "nightly"],
        "messages": [{"role": "user", "content": CANARY}],
        "response": {"choices": [{"message": {"content": CANARY}}]},
        "session_id": "s-1",
        "status": "success",
        "litellm_call_id": "6c84fb90-12c4-11e1-840d-7b25c5ee775a",
        **changes,
    }


class TestLiteLLM:
    def test_a_row_bears_the_vendors_id_and_inclusive_counts(self) -> None:
        (event,) = read(spend_row())
        assert (event.id, event.vendor, event.requested_model) == ("openai:chatcmpl-A1", "openai", "smart")
        assert counts(event) == (1000, 300, 0, 500, 0)
        assert (event.reported_cost, event.reported_currency) == (Decimal("0.00123"), "USD")
        assert (event.duration_ms, event.ttft_ms, event.streaming) == (2000, 400, True)
        assert (event.team, event.user, event.api_key) == ("team-9", "u-7", "ab" * 6)
        assert event.tags == {"env": "prod", "nightly": "true"}
        assert CANARY not in event.model_dump_json()

    @pytest.mark.parametrize("hit", ["True", True])
    def test_an_answer_from_litellms_cache_is_no_billed_call(self, hit: object) -> None:
        assert read(spend_row(cache_hit=hit)) == []
        assert read(spend_row(request_id="chatcmpl-A1_cache_hit1759276800.12", cache_hit="None")) == []

    @pytest.mark.parametrize("hit", ["False", "None", None, "", False])
    def test_the_string_false_and_none_are_no_hit(self, hit: object) -> None:
        assert len(read(spend_row(cache_hit=hit))) == 1

    def test_a_response_fetched_again_is_not_billed_again(self) -> None:
        """BerriAI/litellm 17814."""
        assert read(spend_row(call_type="aget_responses")) == []
        assert len(read(spend_row(call_type="aresponses"))) == 1

    def test_two_rows_of_one_responses_call_are_one_call(self) -> None:
        """BerriAI/litellm 15740: once with the vendor's id, once with the wrapped one."""
        packed = "litellm:custom_llm_provider:openai;model_id:m-1;response_id:resp_068f"
        wrapped = "resp_" + base64.b64encode(packed.encode()).decode()
        events = read(spend_row(request_id="resp_068f"), spend_row(request_id=wrapped))
        assert {event.id for event in events} == {"openai:resp_068f"}
        unpadded = "resp_" + base64.urlsafe_b64encode(packed.encode()).decode().rstrip("=")
        assert read(spend_row(request_id=unpadded))[0].id == "openai:resp_068f"

    def test_litellms_own_call_id_is_not_taken_for_the_vendors(self) -> None:
        own = spend_row()["litellm_call_id"]
        assert read(spend_row(request_id=own))[0].id == f"litellm:{own}"

    def test_anthropics_cache_is_inside_the_prompt_count(self) -> None:
        """BerriAI/litellm 9812: cache writes were charged on top."""
        usage = {
            "cache_read_input_tokens": 200,
            "cache_creation_input_tokens": 600,
            "prompt_tokens_details": {
                "cached_tokens": 200,
                "cache_creation_token_details": {"ephemeral_1h_input_tokens": 100},
            },
            "completion_tokens_details": {"reasoning_tokens": 60},
        }
        row = spend_row(
            custom_llm_provider="anthropic", model="claude-sonnet-5", metadata={"usage_object": usage}
        )
        (event,) = read(row)
        assert counts(event) == (1000, 200, 600, 500, 60)
        assert event.cache_write_1h_tokens == 100

    def test_a_row_of_csv_reads_as_its_json(self) -> None:
        texts = {
            name: "" if value is None else str(value) if not isinstance(value, dict | list) else ""
            for name, value in spend_row().items()
        }
        texts["metadata"] = '{"additional_usage_values": {"prompt_tokens_details": {"cached_tokens": 300}}}'
        texts["request_tags"] = '["env:prod", "nightly"]'
        assert read(texts) == read(spend_row())

    def test_a_model_without_price_reports_no_cost(self) -> None:
        assert read(spend_row(spend=0.0))[0].reported_cost is None

    @pytest.mark.parametrize(
        ("provider", "model", "vendor", "known_as"),
        [
            ("bedrock", "bedrock/us.anthropic.claude-x-v1:0", "aws", "us.anthropic.claude-x-v1:0"),
            ("vertex_ai", "gemini-3-flash", "google", "gemini-3-flash"),
            ("azure", "azure/prod-gpt", "azure", "prod-gpt"),
            ("openrouter", "openrouter/anthropic/claude-x", "openrouter", "anthropic/claude-x"),
            ("acme_ai", "acme-1", "acme_ai", "acme-1"),
            ("", "claude-sonnet-5", "anthropic", "claude-sonnet-5"),
        ],
    )
    def test_who_sends_the_bill(self, provider: str, model: str, vendor: str, known_as: str) -> None:
        (event,) = read(spend_row(custom_llm_provider=provider, model=model))
        assert (event.vendor, event.model) == (vendor, known_as)

    def test_a_failed_call_is_none(self) -> None:
        assert read(spend_row(status="failure", prompt_tokens=0, completion_tokens=0, spend=0)) == []

    def test_a_callbacks_payload_reads_alike(self) -> None:
        row = spend_row(
            stream=False, startTime=1790812800.123, endTime=1790812801.4, completionStartTime=None
        )
        payload = {**row, "id": row.pop("request_id"), "response_cost": row.pop("spend"), "cache_hit": None}
        (event,) = read(payload)
        assert (event.id, event.reported_cost, event.streaming) == (
            "openai:chatcmpl-A1",
            Decimal("0.00123"),
            False,
        )
        assert (event.duration_ms, event.time.microsecond) == (1277, 400_000)


def helicone(**changes: Any) -> dict[str, Any]:
    return {
        "request_id": "hr-1",
        "request_created_at": "2026-10-01T00:00:00Z",
        "response_created_at": "2026-10-01T00:00:01Z",
        "response_status": 200,
        "provider": "OPENAI",
        "request_model": "gpt-5.4",
        "response_model": "gpt-5.4-2026-03-05",
        "request_user_id": "u1",
        "request_properties": {"team": "search", "feature": "rank", "note": CANARY * 10},
        "delay_ms": 812,
        "time_to_first_token": 210,
        "total_tokens": 150,
        "prompt_tokens": 100,
        "prompt_cache_read_tokens": 40,
        "completion_tokens": 50,
        "cost": 0.001234,
        "request_body": {"messages": [{"content": CANARY}]},
        **changes,
    }


class TestHelicone:
    def test_openais_cache_is_inside_the_prompt(self) -> None:
        (event,) = read(helicone())
        assert (event.id, counts(event)) == ("helicone:hr-1", (100, 40, 0, 50, 0))
        assert (event.team, event.tags, event.user) == ("search", {"feature": "rank"}, "u1")
        assert event.reported_cost == Decimal("0.001234")
        assert CANARY not in event.model_dump_json()

    @pytest.mark.parametrize(
        "changes",
        [
            {"provider": "ANTHROPIC", "response_model": "claude-sonnet-5"},
            {"provider": "BEDROCK", "response_model": "us.anthropic.claude-sonnet-5-v1:0"},
            {"total_tokens": 190},
        ],
    )
    def test_anthropics_cache_and_one_in_the_total_stand_beside_it(self, changes: dict[str, Any]) -> None:
        assert counts(read(helicone(**changes))[0]) == (140, 40, 0, 50, 0)

    def test_the_vendors_own_answer_counts_where_it_is_there(self) -> None:
        """One billed call, one event: the id is that under which an SDK reports it."""
        body = {
            "id": "chatcmpl-9",
            "model": "gpt-5.4",
            "choices": [{"message": {"content": CANARY}}],
            "usage": {
                "prompt_tokens": 100,
                "completion_tokens": 50,
                "completion_tokens_details": {"reasoning_tokens": 20},
            },
        }
        (event,) = read(helicone(response_body=body))
        assert (event.id, counts(event)) == ("openai:chatcmpl-9", (100, 0, 0, 50, 20))
        assert (event.duration_ms, event.team) == (812, "search")

    def test_a_webhook_states_its_counts_in_metadata(self) -> None:
        metadata = {
            "cost": 0.002,
            "promptTokens": 7,
            "completionTokens": 3,
            "totalTokens": 10,
            "latencyMs": 90,
        }
        (event,) = read(
            {"request_id": "hr-2", "model": "gpt-5.4", "provider": "OPENAI", "metadata": metadata}
        )
        assert (event.id, event.input_tokens, event.output_tokens, event.duration_ms) == (
            "helicone:hr-2",
            7,
            3,
            90,
        )

    def test_a_refused_call_is_none(self) -> None:
        assert read(helicone(response_status=429, prompt_tokens=0, completion_tokens=0,
                             prompt_cache_read_tokens=0)) == []  # fmt: skip


def portkey(**changes: Any) -> dict[str, Any]:
    return {
        "id": "pk-1",
        "trace_id": "t-1",
        "created_at": "2026-10-01T00:00:00.000Z",
        "is_success": 1,
        "ai_org": "azure-openai",
        "ai_model": "gpt-5.4",
        "req_units": 100,
        "res_units": 50,
        "total_units": 150,
        "cost": 0.1234,
        "cost_currency": "USD",
        "response_time": 812,
        "response_status_code": 200,
        "cache_status": "DISABLED",
        "metadata": {"_user": "u1", "team": "shop", "city": "Bern"},
        **changes,
    }


class TestPortkey:
    def test_cost_is_in_cents(self) -> None:
        (event,) = read(portkey())
        assert (event.reported_cost, event.reported_currency) == (Decimal("0.001234"), "USD")
        assert (event.id, event.vendor, event.team, event.user) == ("portkey:pk-1", "azure", "shop", "u1")
        assert event.tags == {"city": "Bern"}

    @pytest.mark.parametrize("status", ["HIT", "SEMANTIC HIT"])
    def test_an_answer_from_portkeys_cache_is_no_billed_call(self, status: str) -> None:
        assert read(portkey(cache_status=status)) == []

    def test_the_vendors_own_answer_gives_its_id(self) -> None:
        body = {
            "id": "chatcmpl-3",
            "model": "gpt-5.4",
            "usage": {"prompt_tokens": 100, "completion_tokens": 50},
        }
        (event,) = read(portkey(ai_org="openai", response={"body": body}))
        assert (event.id, event.input_tokens) == ("openai:chatcmpl-3", 100)


def observation(**changes: Any) -> dict[str, Any]:
    return {
        "id": "obs-1",
        "traceId": "tr-1",
        "type": "GENERATION",
        "name": CANARY,
        "startTime": "2026-10-01T00:00:00Z",
        "endTime": "2026-10-01T00:00:01Z",
        "completionStartTime": "2026-10-01T00:00:00.300Z",
        "model": "claude-sonnet-5",
        "input": CANARY,
        "output": CANARY,
        "metadata": {"prompt": CANARY},
        "usageDetails": {
            "input": 100,
            "input_cached_tokens": 40,
            "input_cache_creation": 30,
            "output": 50,
            "output_reasoning_tokens": 20,
            "total": 240,
        },
        "costDetails": {"input": 0.0003, "total": 0.00106},
        "environment": "prod",
        **changes,
    }


class TestLangfuse:
    def test_buckets_are_added_up_to_inclusive_totals(self) -> None:
        (event,) = read(observation())
        assert (event.id, counts(event)) == ("langfuse:obs-1", (170, 40, 30, 70, 20))
        assert (event.vendor, event.environment, event.reported_cost) == (
            "anthropic",
            "prod",
            Decimal("0.00106"),
        )
        assert CANARY not in event.model_dump_json()

    def test_inclusive_counts_are_not_added_a_second_time(self) -> None:
        """langfuse 12306: OpenTelemetry's inclusive input with its cache beside it."""
        details = {"input": 100, "input_cached_tokens": 80, "output": 50, "total": 150}
        assert counts(read(observation(usageDetails=details))[0]) == (100, 80, 0, 50, 0)

    def test_spans_are_no_calls(self) -> None:
        assert read(observation(type="SPAN"), observation(type="AGENT")) == []

    def test_the_older_form_of_usage(self) -> None:
        (event,) = read(
            observation(usageDetails={}, usage={"input": 9, "output": 4, "total": 13, "unit": "TOKENS"})
        )
        assert counts(event) == (9, 0, 0, 4, 0)

    def test_a_blob_exports_row_reads_alike(self) -> None:
        row = {
            "id": "obs-1",
            "trace_id": "tr-1",
            "type": "GENERATION",
            "start_time": "2026-10-01 00:00:00.000",
            "end_time": "2026-10-01 00:00:01.000",
            "completion_start_time": "2026-10-01 00:00:00.300",
            "provided_model_name": "claude-sonnet-5",
            "usage_details": '{"input":100,"input_cached_tokens":40,"input_cache_creation":30,"output":50,'
            '"output_reasoning_tokens":20,"total":240}',
            "cost_details": '{"input":0.0003,"total":0.00106}',
            "environment": "prod",
        }
        assert read(row) == read(observation())

    def test_a_model_that_several_sell_has_no_vendor_but_a_given_one(self) -> None:
        assert read(observation(model="llama-3.3-70b"))[0].vendor == "unknown"
        assert read(observation(model="llama-3.3-70b"), fields={"vendor": "groq"})[0].vendor == "groq"
