"""Azure: API Management's log of language-model calls, and Azure OpenAI's log of requests' usage.

Both come as rows of a Log Analytics table (JSON, or CSV from the portal) or as records of a diagnostic setting in a
storage account or an event hub, in which the same columns stand under `properties` in another spelling; names are
therefore compared without case.
- `ApiManagementGatewayLlmLog`: bodies of more than 32 KB are spread over rows of one CorrelationId, each of which
  repeats the counts. All of them make the same event, which is counted once.
- `AzureOpenAIRequestUsage`: how Azure spells the counts in `properties_s` is not documented; the two spellings that
  are met are read (`promptTokens` with `completionTokens` or `generatedTokens`).

Source: learn.microsoft.com, azure-monitor/reference/tables/apimanagementgatewayllmlog.
Limits: no columns for cached or reasoning tokens, and no id by which an SDK knows the call: a call that an SDK also
reports is counted twice, so take one of the two.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from producers.records import fields
from producers.records.calls import event_of, http_status_facts, uncounted
from producers.records.registry import RecordContext, record_format
from producers.vendors.answer import Answer
from tokenweir.usage.event import UsageEvent

_APIM_CATEGORY: Final = "gatewayllmlogs"
_USAGE_CATEGORY: Final = "azureopenairequestusage"
_TIMES: Final = ("timegenerated", "timegenerated [utc]", "time", "eventtime")


def is_gateway_row(record: Answer) -> bool:
    flat = _flat(record).body
    if _text(flat.get("category")).lower() == _APIM_CATEGORY:
        return True
    return (
        "correlationid" in flat
        and "prompttokens" in flat
        and bool({"modelname", "deploymentname"} & flat.keys())
    )


def is_request_usage(record: Answer) -> bool:
    return _text(_flat(record).body.get("category")).lower() == _USAGE_CATEGORY


@record_format("azure_openai_request_usage", looks_like=is_request_usage)
def read_request_usage(record: Answer, context: RecordContext) -> Iterable[UsageEvent]:
    """One request of an Azure OpenAI resource."""
    return _read(_flat(record), context, prefix="azure:request")


@record_format("azure_apim", looks_like=is_gateway_row)
def read_gateway_row(record: Answer, context: RecordContext) -> Iterable[UsageEvent]:
    """One row of API Management's log; of a call's rows, those that state its counts."""
    return _read(_flat(record), context, prefix="azure:apim")


def _read(record: Answer, context: RecordContext, *, prefix: str) -> Iterable[UsageEvent]:
    counts = {
        "input_tokens": fields.whole(record, "prompttokens"),
        "output_tokens": fields.whole(record, "completiontokens", "generatedtokens"),
        "reasoning_tokens": fields.whole(record, "reasoningtokens"),
        "cache_read_tokens": fields.whole(record, "cachedtokens", "promptcachedtokens"),
    }
    if uncounted(counts.values()):
        return ()
    correlation = fields.text(record, "correlationid", "requestid")
    deployment = fields.label(record, "deploymentname", "modeldeploymentname")
    return (
        event_of(
            context,
            vendor="azure",
            model=fields.text(record, "modelname") or deployment,
            time=_time(record),
            counts=counts,
            own_id=f"{prefix}/{correlation}" if correlation else "",
            requested_model=deployment,
            operation="embedding"
            if "embed" in fields.label(record, "modelname", "deploymentname")
            else "chat",
            region=fields.label(record, "region", "location"),
            streaming=bool(fields.truth(record, "isstreamcompletion")),
            duration_ms=_duration(record),
            **http_status_facts(fields.whole(record, "resultsignature", "responsecode", "statuscode")),
        ),
    )


def _time(record: Answer) -> datetime | None:
    return fields.moment(record, *_TIMES)


def _duration(record: Answer) -> float | None:
    taken = fields.amount(record, "durationms")
    return float(taken) if taken is not None else None


def _flat(record: Answer) -> Answer:
    """The record with its properties beside its own columns, names in lower case; of two the properties' one."""
    flat: dict[str, Any] = {name.lower(): value for name, value in record.body.items()}
    for name in ("properties", "properties_s"):
        inner = fields.decoded(flat.pop(name, None))
        if isinstance(inner, Mapping):
            flat.update((str(key).lower(), value) for key, value in inner.items())
    return Answer(
        {name.removesuffix("_s").removesuffix("_d"): value for name, value in flat.items()}, record.at
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
