"""The table of compatible hosts that need no module of their own: what each does otherwise, one row a host.

`openai_compatible` is what every vendor without readers of its own is read as, under its own name: it knows every
spelling of the cached and the reasoning tokens that is known of any host. Hosts of open models take it too: the engine
that serves a model differs from model to model, and with it the spelling.

Sources: deepinfra, answers quoted in public tests (`estimated_cost`, in USD); sambanova, answers quoted in public pages
(times in seconds within the usage object); together, a captured answer's `cached_tokens` and the types of the package
together 3.1; huggingface, recorded answers of the router's upstream hosts, which keep their own spellings; nvidia,
NIM's API reference ("backed by vLLM"); vllm, captured answers (`prompt_tokens_details` is null unless the server is
told to count).
Limits: what a host of one's own (vllm, a NIM container) costs is in no answer; its model is named by whoever runs it.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from producers.vendors.answer import Answer
from producers.vendors.compatible import Habits, compatible
from producers.vendors.compatible_facts import reported, seconds_as_ms
from producers.vendors.registry import ANY_VENDOR

_ANY: Final = Habits(
    cache_read=(
        "prompt_tokens_details.cached_tokens",
        "prompt_token_details.cached_tokens",
        "prompt_cache_hit_tokens",
        "cached_tokens",
        "num_cached_tokens",
    ),
    cache_write=(
        "prompt_tokens_details.cache_write_tokens",
        "prompt_tokens_details.cache_creation_input_tokens",
    ),
    reasoning=("completion_tokens_details.reasoning_tokens", "reasoning_tokens"),
)


def _estimated(answer: Answer) -> Mapping[str, Any]:
    return reported(answer.amount("usage.estimated_cost"))


def _timed(answer: Answer) -> Mapping[str, Any]:
    return seconds_as_ms(answer, duration_ms="usage.total_latency", ttft_ms="usage.time_to_first_token")


HOSTS: Final[dict[str, Habits]] = {
    "deepinfra": replace(_ANY, facts=_estimated),
    "huggingface": _ANY,
    "nvidia": _ANY,
    "sambanova": replace(_ANY, facts=_timed),
    "together": _ANY,
    "vllm": _ANY,
    ANY_VENDOR: _ANY,
}

for _vendor, _habits in HOSTS.items():
    compatible(_vendor, _habits)
