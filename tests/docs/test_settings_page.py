"""docs/settings.md is what the settings model says."""

import os
from pathlib import Path

import pytest

from tests.docs.pages import blocks
from tests.docs.settings_page import PAGE, page_text
from tests.docs.test_references import SETTINGS
from tokenweir.settings import Settings


def test_the_page_is_the_generated_one() -> None:
    assert PAGE.read_text(encoding="utf-8") == page_text(), "run: python -m tests.docs.settings_page"


def test_the_page_has_every_setting_and_shows_no_machine() -> None:
    text = page_text()
    for name in SETTINGS:
        assert f"| `{name.rpartition('.')[2]}` |" in text
    assert str(Path.home()) not in text


def test_the_example_file_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (example,) = [block.text for block in blocks(PAGE) if block.language == "toml"]
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("TOKENWEIR_")]:
        monkeypatch.delenv(name)
    Path("tokenweir.toml").write_text(example, encoding="utf-8")
    monkeypatch.setenv("TOKENWEIR_KAFKA__SASL_PASSWORD", "not shown")
    settings = Settings()
    assert settings.log_level == "warning"
    assert settings.kafka.sasl_mechanism == "SCRAM-SHA-512"
    assert settings.kafka.sasl_password.get_secret_value() == "not shown"
    assert "not shown" not in repr(settings)
