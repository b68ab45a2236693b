"""Ollama: its native interface (chat, generate, embed), and those compatible with OpenAI and Anthropic.

Accounting: `prompt_eval_count` and `eval_count`, thinking inside the latter. A prompt that the cache holds as a whole
may be reported without `prompt_eval_count`: it is then counted as 0. Only the line with `done: true` states counts.
Durations are nanoseconds; loading the model and reading the prompt come before the first token.
Sources: Ollama's docs/api.md; captured answers.
Limits: an answer has no id; what a host of one's own costs is in no answer.
"""

from collections.abc import Sequence
from typing import Any, Final

from producers.vendors.answer import Answer, Reading
from producers.vendors.combining import never
from producers.vendors.compatible import compatible, merge_chat
from producers.vendors.compatible_facts import nanoseconds_as_ms
from producers.vendors.registry import Merged, other_names, sign, stream

_COUNTS: Final = ("prompt_eval_count", "eval_count")
_TIMES: Final = ("total_duration", "done")


def is_native(answer: Answer) -> bool:
    return answer.has_any(*_COUNTS)


def read_native(answer: Answer) -> Reading:
    """The answer of /api/chat, /api/generate, /api/embed or /api/embeddings, or the last line of its stream."""
    answer.need_any(*_COUNTS)
    is_embedding = answer.has_any("embeddings", "embedding")
    before = nanoseconds_as_ms(answer, loading="load_duration", prompt="prompt_eval_duration")
    facts = nanoseconds_as_ms(answer, duration_ms="total_duration")
    if "prompt" in before and not is_embedding:
        facts["ttft_ms"] = sum(before.values())
    return Reading(
        model=answer.text("model"),
        time=answer.moment("created_at"),
        operation="embedding" if is_embedding else "chat",
        counts={
            "input_tokens": answer.count("prompt_eval_count"),
            "output_tokens": answer.count("eval_count"),
        },
        facts=facts,
    )


def merge_native(chunks: Sequence[Answer]) -> Merged:
    """The last line, which alone states counts."""
    body: dict[str, Any] = {}
    for chunk in chunks:
        body |= {name: value for name, value in chunk.body.items() if value is not None}
    complete = body.get("done") is True
    if any(name in body for name in _COUNTS):
        return Merged(body, complete)
    return Merged({**body, "prompt_eval_count": 0}, complete, stated=False)


def merge_either(chunks: Sequence[Answer]) -> Merged:
    """A stream of the native interface or of the compatible one."""
    return merge_native(chunks) if any(map(is_line, chunks)) else merge_chat(chunks)


def is_line(chunk: Answer) -> bool:
    return chunk.has_any("done")


compatible("ollama", own={"native": (is_native, read_native)})
stream("ollama", "native", looks_like=is_line)(merge_native)
stream("ollama", "openai_compat", looks_like=never)(merge_either)
other_names("ollama", {"native": ("native_chat", "generate", "embed")})


@sign("ollama")
def is_surely_ollama(answer: Answer) -> bool:
    """Only Ollama counts evaluations and times them in nanoseconds."""
    return is_native(answer) and answer.has_any(*_TIMES)
