"""One name for a model that the bill and the ledger spell differently.

Vendors bill `gpt-4o-2024-08-06` where a caller saw `gpt-4o`, put a path or a region before the name, or write it as
people do ("Claude Sonnet 4"). `plain_name` takes away spelling only; `family` also takes away the date of a snapshot.
Two snapshots of one family are told apart as long as both sides name the same ones.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

_PATHS: Final = re.compile(r"^(?:.*/)?(?:models|endpoints)/|^[a-z0-9_-]+/")
_REGIONS: Final = re.compile(r"^(?:us|eu|apac|global|us-gov|jp|au|ca)\.(?=[a-z0-9-]+\.)")
_MAKERS: Final = re.compile(
    r"^(?:anthropic|amazon|meta|mistral|cohere|ai21|deepseek|openai|qwen|google)\.(?=[a-z])"
)
_VERSION: Final = re.compile(r"-v\d+(?::\d+)?$")
_LATEST: Final = re.compile(r"-latest$")
_DATES: Final = (
    re.compile(r"[-@](?:20\d{2})-?(?:0[1-9]|1[0-2])-?(?:[0-2]\d|3[01])$"),
    re.compile(r"-(?:2[3-9])(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])$"),
    re.compile(r"(?<=-preview)-(?:0[1-9]|1[0-2])-(?:[0-2]\d|3[01])$"),
    re.compile(r"-(?:2[3-9])(?:0[1-9]|1[0-2])$"),
)


def plain_name(name: str) -> str:
    """The model's name without what is only spelling: case, blanks, a path, a region, a maker, an API version."""
    plain = re.sub(r"[\s_]+", "-", name.strip().lower())
    plain = plain.rpartition("::")[2]
    plain = _PATHS.sub("", plain)
    plain = _MAKERS.sub("", _REGIONS.sub("", plain))
    return _LATEST.sub("", _VERSION.sub("", plain))


def family(name: str) -> str:
    """The plain name without the date of a snapshot."""
    plain = plain_name(name)
    for pattern in _DATES:
        shortened = pattern.sub("", plain)
        if shortened and shortened != plain:
            return shortened
    return plain


def common_names(billed: Iterable[str], metered: Iterable[str]) -> Mapping[str, str]:
    """By name as spelled on either side: the name under which the two are compared.

    That is the plain name, where both sides name the same snapshots of a family, else the family.
    """
    sides: dict[str, tuple[set[str], set[str]]] = defaultdict(lambda: (set(), set()))
    spelled = {*billed}, {*metered}
    for position, names in enumerate(spelled):
        for name in names:
            sides[family(name)][position].add(plain_name(name))
    return {
        name: plain_name(name) if sides[family(name)][0] == sides[family(name)][1] else family(name)
        for names in spelled
        for name in names
    }
