"""Writes docs/settings.md from the settings model: `python -m tests.docs.settings_page`."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from tests.docs.pages import ROOT
from tokenweir.settings import Settings

PAGE: Final = ROOT / "docs" / "settings.md"

_HEAD: Final = """\
# Settings

Every command and worker reads the same settings: the file `tokenweir.toml` in the current directory, then the
environment, then the command's own flags. The later source wins. All have a default.

```toml
log_level = "warning"

[kafka]
bootstrap_servers = "kafka-1:9093,kafka-2:9093"
security_protocol = "SASL_SSL"
sasl_mechanism = "SCRAM-SHA-512"
sasl_username = "tokenweir"

[clickhouse]
dsn = "clickhouses://clickhouse.internal:8443"
```

In the environment a name begins with `TOKENWEIR_`, in capitals, with two underscores after the group:
`TOKENWEIR_KAFKA__SASL_PASSWORD`. Passwords, tokens and the DSN belong there rather than in the file; they are never
shown in logs or errors. An unknown name in the file is an error.

This page is written by `python -m tests.docs.settings_page` from `tokenweir/settings/`.
"""


def page_text() -> str:
    """The whole page."""
    groups = [(name, field) for name, field in Settings.model_fields.items() if _is_group(field)]
    general = [(name, field) for name, field in Settings.model_fields.items() if not _is_group(field)]
    parts = [_HEAD]
    for name, field in groups:
        model: type[BaseModel] = field.annotation  # type: ignore[assignment]
        parts.append(f"\n## `[{name}]`\n\n{model.__doc__}\n\n{_table(model.model_fields.items())}")
        parts += _repeated_groups(model.model_fields.items(), f"{name}.")
    parts += _repeated_groups(general, "")
    parts.append(f"\n## Outside of any group\n\n{_table(general)}")
    return "".join(parts)


def _is_group(field: FieldInfo) -> bool:
    return isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)


def _repeated_groups(fields: Any, within: str) -> Iterator[str]:
    for name, field in fields:
        if model := _repeated_group(field):
            table = _table(model.model_fields.items())
            yield f"\n## `[{within}{name}.NAME]`\n\n{model.__doc__}\n\n{table}"


def _repeated_group(field: FieldInfo) -> type[BaseModel] | None:
    """The model of a setting that holds any number of groups, each under a name."""
    arguments = get_args(field.annotation)
    if get_origin(field.annotation) is dict and issubclass(arguments[1], BaseModel):
        return arguments[1]  # type: ignore[no-any-return]
    return None


def _table(fields: Any) -> str:
    rows = "".join(
        f"| `{name}` | {_default(field.default)} | {_kind(field)} | {field.description or ''} |\n"
        for name, field in fields
    )
    return f"| setting | default | takes | what it is |\n| --- | --- | --- | --- |\n{rows}"


def _default(value: Any) -> str:
    if value is PydanticUndefined:
        return "must be set"
    if value is None or value in ("", [], {}) or value == SecretStr(""):
        return "none"
    if isinstance(value, list):
        return ", ".join(_default(each) for each in value)
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, int | float):
        return f"{value:,}" if isinstance(value, int) and value >= 10_000 else f"{value:g}"
    return f"`{value}`"


def _kind(field: FieldInfo) -> str:
    names = list(_kinds(field.annotation))
    least = next((m.ge for m in field.metadata if hasattr(m, "ge")), None)
    if "a number" in names and field.annotation is not float and least:
        return f"a number from {least:,}"
    return ", ".join(names)


def _kinds(annotation: Any) -> Iterator[str]:
    if get_origin(annotation) is Literal:
        yield from (f"`{value}`" for value in get_args(annotation))
    elif get_origin(annotation) in (Union, UnionType):
        for inner in get_args(annotation):
            if inner is not NoneType:
                yield from _kinds(inner)
    elif get_origin(annotation) in (list, dict):
        of = get_args(annotation)[0]
        numbers = get_origin(annotation) is list and of is not str and get_origin(of) is not Literal
        yield "numbers" if numbers else "names" if get_origin(annotation) is list else "groups or pairs"
    elif annotation is SecretStr:
        yield "a secret"
    elif isinstance(annotation, type) and issubclass(annotation, Path):
        yield "a path"
    elif annotation is bool:
        yield from ("`true`", "`false`")
    elif annotation in (int, float, Decimal):
        yield "a number"
    else:
        yield "text"


if __name__ == "__main__":
    PAGE.write_text(page_text(), encoding="utf-8")
