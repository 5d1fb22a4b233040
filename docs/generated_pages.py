"""Pages of the site that are made of the code and of the READMEs beside the YAML files, when the site is built.

A hook of MkDocs (`hooks` in mkdocs.yml); nothing here is written into `docs/`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import typer.main

from audionas.cli import app

ROOT = Path(__file__).parent.parent


def pages() -> dict[str, str]:
    """Place in the site -> Markdown."""
    return {
        "reference/commands.md": commands_page(),
        "reference/search-spaces.md": _of_readme("search_spaces"),
        "reference/strategies.md": _of_readme("strategies"),
    }


def on_files(files: Any, config: Any) -> Any:
    """Add the pages to those of `docs/`."""
    from mkdocs.structure.files import File

    for place, text in pages().items():
        files.append(File.generated(config, place, content=text))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """What is said to the tests alone is not shown."""
    return markdown.replace("  # not run in tests", "")


def commands_page() -> str:
    """Every subcommand with its help, its arguments and its options."""
    group: Any = typer.main.get_command(app)
    parts = [
        "# Commands",
        "Made of the program's own help. Each command also has `--help`.",
        "Results go to standard output, all else to standard error. "
        "Exit status: 0 done, 1 an error in one line, 2 wrong usage, 130 interrupted.",
    ]
    for name, command in group.commands.items():
        parts.append("\n".join(_command(name, command)))
    return "\n\n".join(parts) + "\n"


def _command(name: str, command: click.Command) -> Iterator[str]:
    yield f"## audionas {name}\n"
    for line in (command.help or "").replace("\b", "").splitlines():
        example = line.strip().removeprefix("Example: ")
        yield f"```text\n{example}\n```" if line.strip().startswith("Example: ") else line.strip()
    yield "\n| argument or option | default | meaning |\n|---|---|---|"
    for parameter in command.params:
        yield _row(parameter)


def _row(parameter: Any) -> str:
    is_argument = parameter.param_type_name == "argument"
    names = [str(parameter.name).upper()] if is_argument else [*parameter.opts, *parameter.secondary_opts]
    default = parameter.default
    shown = "" if default in (None, False, (), []) or callable(default) else f"`{default}`"
    told = " ".join(str(getattr(parameter, "help", "") or "").split()).replace("|", "\\|")
    return f"| {', '.join(f'`{each}`' for each in names)} | {shown} | {_escaped(told)} |"


def _escaped(text: str) -> str:
    """Text in which Markdown sees no markup."""
    return re.sub(r"([*_<\[\]])", r"\\\1", text)


def _of_readme(folder: str) -> str:
    """A README beside YAML files, with links that the site does not have turned into text."""
    text = (ROOT / folder / "README.md").read_text(encoding="utf-8")
    return re.sub(r"\[([^\]]+)\]\((\.\./[^)#]+)[^)]*\)", r"\1 (`\2`)", text).replace("(`../", "(`")
