"""What is wrong with the settings, said with the setting's name and where it is written.

Settings themselves refuse what they cannot take. Two things they cannot see are looked at here: a variable whose
name is no setting at all, and what a person may have meant by it.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Final

from pydantic import BaseModel, ValidationError

from tokenweir.errors import WrongCall
from tokenweir.settings import Settings

_PREFIX: Final = "TOKENWEIR_"
_OTHERS: Final = ("DEBUG", "SHARED_DATA", "TEST_")
"""Variables that are no settings: of the command line itself, and of the tests."""


def setting_names() -> list[str]:
    """Every setting with its group: `kafka.partitions`."""
    names: list[str] = []
    for name, field in Settings.model_fields.items():
        group = field.annotation
        if isinstance(group, type) and issubclass(group, BaseModel):
            names.extend(f"{name}.{inner}" for inner in group.model_fields)
        else:
            names.append(name)
    return names


def variable_of(name: str) -> str:
    """The environment variable of a setting."""
    return _PREFIX + name.upper().replace(".", "__")


def check_environment(variables: Mapping[str, str]) -> list[str]:
    """Sentences about TOKENWEIR_ variables that are no settings and are passed over.

    Raises WrongCall for one that is meant for a group of settings which does not exist.
    """
    known = {*Settings.model_fields}
    warnings: list[str] = []
    for variable in sorted(variables):
        rest = variable.upper().removeprefix(_PREFIX)
        if not variable.upper().startswith(_PREFIX) or rest.startswith(_OTHERS):
            continue
        group, nested, _ = rest.lower().partition("__")
        if group in known:
            continue
        sentence = f"{variable} is no setting"
        if nested:
            raise WrongCall(sentence, hint=_meant(rest.lower().replace("__", ".")))
        warnings.append(f"{sentence} and is passed over. {_meant(rest.lower())}".rstrip())
    return warnings


def settings_problem(error: ValidationError) -> str:
    """What is wrong with the first wrong setting, and where to mend it. Never shows its value."""
    first = error.errors(include_input=False, include_url=False)[0]
    name = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return f"there is no setting {name}. {_meant(name)}"
    sentence = first["msg"].removeprefix("Value error, ")
    return f"the setting {name} is wrong: {sentence}. Mend it in tokenweir.toml or in {variable_of(name)}"


def _meant(name: str) -> str:
    names = setting_names()
    close = get_close_matches(name, names, n=1, cutoff=0.6)
    if not close:
        by_last = {full.rpartition(".")[2]: full for full in names}
        close = [
            by_last[last] for last in get_close_matches(name.rpartition(".")[2], by_last, n=1, cutoff=0.8)
        ]
    return f"Did you mean {close[0]} ({variable_of(close[0])})?" if close else "docs/settings.md lists all"
