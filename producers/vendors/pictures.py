"""Pictures of hosts that bill them by the piece: the answer states no usage, or none that is billed, and lists them.

Accounting: one unit `images` for each picture of the list; items that hold an error instead of one are none. Where a
usage object stands beside them (Baidu's counts the prompt), its tokens are counted too.
Sources: Zhipu's and StepFun's references of image generation; answers of Baidu's text2image in the package qianfan.
"""

from collections.abc import Mapping
from typing import Any, Final

from producers.vendors.answer import Answer, Reading, whole_units
from producers.vendors.plain_facts import sizes, tagged

_PICTURE: Final = ("url", "b64_json", "b64_image", "image", "image_url")


def is_pictures(answer: Answer) -> bool:
    return bool(_made(answer))


def read_pictures(answer: Answer) -> Reading:
    """The pictures that one call made."""
    made = _made(answer)
    if not made:
        raise answer.refusal(
            "missing_field", "data", "lists no picture", hint="What was not made is not billed"
        )
    return Reading(
        model=answer.text("model"),
        response_id=answer.text("id", "request_id"),
        time=answer.moment("created"),
        operation="image",
        counts={"input_tokens": answer.count("usage.prompt_tokens", "usage.input_tokens")},
        units=whole_units(images=len(made)),
        facts=tagged(image_size=sizes([picture.get("size") for picture in made])),
    )


def _made(answer: Answer) -> list[Mapping[str, Any]]:
    listed = answer.body.get("data")
    items = listed if isinstance(listed, list) else []
    return [item for item in items if isinstance(item, Mapping) and any(item.get(name) for name in _PICTURE)]
