"""The pages of the site that are made when it is built."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer
import yaml

from audionas.cli import app

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def generated() -> ModuleType:
    """`docs/generated_pages.py`, which lies in no package."""
    spec = importlib.util.spec_from_file_location("generated_pages", ROOT / "docs" / "generated_pages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_of_commands_has_every_command_and_option(generated: ModuleType) -> None:
    text = generated.commands_page()
    group: Any = typer.main.get_command(app)
    for name, command in group.commands.items():
        part = text.split(f"\n## audionas {name}\n")[1].split("\n## ")[0]
        for parameter in command.params:
            for flag in parameter.opts if parameter.param_type_name == "option" else ():
                assert f"`{flag}`" in part, (name, flag)
        assert "```text\naudionas " in part, f"{name}: no example"


def test_the_pages_of_the_readmes_lead_to_nothing_outside_the_site(generated: ModuleType) -> None:
    for place, text in generated.pages().items():
        assert not re.search(r"\]\(\.\.", text), place
    assert "numbers and plot (`benchmarks/README.md`)" in generated.pages()["reference/strategies.md"]


def test_every_page_stands_in_the_navigation(generated: ModuleType) -> None:
    settings = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    listed = set(re.findall(r"[\w/-]+\.md", str(settings["nav"])))
    written = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}
    assert listed == written | set(generated.pages())


def test_the_site_fetches_no_font() -> None:
    settings = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    assert settings["theme"]["font"] is False
    assert "extra_javascript" not in settings
    assert "extra_css" not in settings


def test_what_is_said_to_the_tests_is_not_shown(generated: ModuleType) -> None:
    assert generated.on_page_markdown("audionas list ops  # not run in tests\n", page=None) == "audionas list ops\n"
