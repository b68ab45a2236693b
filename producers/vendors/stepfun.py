"""StepFun: api.stepfun.com, and api.stepfun.ai, its twin that bills in USD.

Accounting: OpenAI's family. `cached_tokens` stands at the top of the usage object, inside the prompt, and may be
repeated in `prompt_tokens_details`. In the Anthropic shape the cache stands beside `input_tokens`.
Sources: the field list of platform.stepfun.ai (chat-completion-create).
"""

from producers.vendors.compatible import Habits, compatible
from producers.vendors.pictures import is_pictures, read_pictures

compatible(
    "stepfun",
    Habits(cache_read=("cached_tokens", "prompt_tokens_details.cached_tokens")),
    own={"pictures": (is_pictures, read_pictures)},
)
