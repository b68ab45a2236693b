"""Where coding agents keep their local sessions.

Sources: Claude Code's settings documentation (`CLAUDE_CONFIG_DIR`; `~/.config/claude` since 1.0.30, `~/.claude`
before and since), Codex (`CODEX_HOME`, archived sessions), Gemini CLI (`GEMINI_CLI_HOME`, `~/.gemini/tmp`).
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final


def _claude_code(home: Path, variables: Mapping[str, str]) -> list[str]:
    named = variables.get("CLAUDE_CONFIG_DIR", "")
    roots = [Path(part.strip()) for part in named.split(",") if part.strip()]
    roots = roots or [home / ".claude", home / ".config" / "claude"]
    return [f"{root}/projects/**/*.jsonl" for root in roots]


def _codex(home: Path, variables: Mapping[str, str]) -> list[str]:
    root = variables.get("CODEX_HOME") or home / ".codex"
    return [f"{root}/sessions/**/*.jsonl", f"{root}/archived_sessions/**/*.jsonl"]


def _gemini_cli(home: Path, variables: Mapping[str, str]) -> list[str]:
    root = Path(variables.get("GEMINI_CLI_HOME") or home) / ".gemini"
    chats = root / "tmp" / "*" / "chats"
    return [f"{chats}/session-*.json", f"{chats}/session-*.jsonl"]


PRESETS: Final[dict[str, Callable[[Path, Mapping[str, str]], list[str]]]] = {
    "claude-code": _claude_code,
    "codex": _codex,
    "gemini-cli": _gemini_cli,
}
"""By the agent's name: the patterns of its session files, from a home directory and the environment."""


def preset_paths(name: str, home: Path, variables: Mapping[str, str]) -> list[str]:
    """The patterns of an agent's session files. Raises KeyError for an agent that is not in PRESETS."""
    return PRESETS[name](home, variables)
