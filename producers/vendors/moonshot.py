"""Moonshot (Kimi): api.moonshot.cn, and api.moonshot.ai, its twin that bills in USD.

Accounting: OpenAI's family, cached and reasoning tokens inside. `cached_tokens` stands at the top of the usage
object, and may stand in `prompt_tokens_details` too: the same number, never added. Older streams put the usage
within the first choice. In the Anthropic shape the cache stands beside `input_tokens`.
Sources: recorded answers and streams of kimi-k2 and kimi-k3.
Limits: what the built-in web search costs is not told by an answer.
"""

from producers.vendors.compatible import Habits, compatible

compatible("moonshot", Habits(cache_read=("cached_tokens", "prompt_tokens_details.cached_tokens")))
