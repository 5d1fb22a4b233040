"""What README, docs and the tables of keys say is true: commands run, Python runs, keys and flags exist."""

from __future__ import annotations

import inspect
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer
import yaml
from pydantic import BaseModel
from typer.testing import CliRunner

from audionas.audio.protocols import PROTOCOLS
from audionas.augmentations import WaveformAugmentation
from audionas.cli import app
from audionas.features import EXTRACTORS
from audionas.ops import CNN_OPS
from audionas.search.algorithms import ALGORITHMS, ANY, Algorithm
from audionas.search.strategy import load_strategy, strategy_from_settings
from audionas.spaces import BaselineSpace, CnnCellSpace, CnnMacro, CnnMacroSpace, space_from_settings
from audionas.spaces.cnn_macro import MacroOptions
from audionas.spaces.darts_recurrent import DartsRecurrentNodes, DartsRecurrentSpace
from audionas.spaces.recurrent_catalogue import RecurrentCatalogueSpace
from audionas.spaces.recurrent_cell import RecurrentCellSpace, RecurrentNodes
from audionas.spaces.recurrent_genotype import RecurrentMacro
from audionas.training.recipe import Augmentation, Recipe
from tests.documents import (
    GUIDE,
    NOT_RUN,
    ORDER,
    PAGES,
    ROOT,
    CodeBlock,
    audionas_lines,
    blocks,
    code_blocks,
    make_my_folder,
    make_recordings,
    make_table,
)

README = Path("README.md")


def commands() -> dict[str, Any]:
    """The subcommands by name."""
    group: Any = typer.main.get_command(app)
    return dict(group.commands)


@pytest.fixture
def _tables_of_the_code() -> Iterator[None]:
    """What a page puts into a table is out of it afterwards."""
    before: list[tuple[dict[str, Any], dict[str, Any]]] = [(table, dict(table)) for table in (CNN_OPS, EXTRACTORS)]
    yield
    for table, content in before:
        table.clear()
        table.update(content)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.usefixtures("_smallest_spaces", "_tables_of_the_code", "nothing_fitted_twice")
def test_the_commands_and_the_code_of_readme_and_docs_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one folder and in order, since pages build on the runs of the README; a line that has run is not run again."""
    monkeypatch.chdir(tmp_path)
    make_my_folder(tmp_path / "my_folder")
    make_recordings(tmp_path / "recordings")
    make_table(tmp_path)
    done: set[str] = set()
    for page in ORDER:
        for block in code_blocks(page):
            run_block(block, done, monkeypatch)
    assert len(done) > 30


def run_block(block: CodeBlock, done: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Run commands and Python, write files that have a title."""
    if block.language == "bash":
        for line in block.text.splitlines():
            if line.startswith("audionas ") and not line.endswith(NOT_RUN) and line not in done:
                done.add(line)
                run_line(line, block.page, monkeypatch)
    elif block.language == "python" and block.title:
        install_algorithm(block, monkeypatch)
    elif block.language == "python":
        names: dict[str, object] = {"__name__": "a_page"}
        exec(compile(block.text, str(block.page), "exec"), names)
        if "logits" in names:
            assert tuple(getattr(names["logits"], "shape", ())) == (2, 4)
    elif block.title:
        Path(block.title).write_text(block.text)


def run_line(line: str, page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run one command."""
    words = shlex.split(line)
    monkeypatch.setattr(sys, "argv", words)
    done = CliRunner().invoke(app, words[1:])
    assert done.exit_code == 0, f"{page}: {line}\n{done.output}\n{done.exception!r}"


def install_algorithm(block: CodeBlock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module of an algorithm, as if it lay in the package."""
    name = Path(block.title).stem
    module = ModuleType(f"audionas.search.algorithms.{name}")
    exec(compile(block.text, block.title, "exec"), module.__dict__)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(ALGORITHMS, name, Algorithm(name, "multi-trial", "of a page", ANY))


@pytest.mark.parametrize("page", [README, *PAGES], ids=str)
def test_the_flags_of_a_page_exist(page: Path) -> None:
    known = commands()
    for line in audionas_lines(page):
        words = shlex.split(line.removesuffix(NOT_RUN))
        options = {
            flag for parameter in known[words[1]].params for flag in (*parameter.opts, *parameter.secondary_opts)
        }
        given = {word for word in words if word.startswith("-") and word != "-"}
        assert given <= options, line


def test_the_flags_in_the_text_of_a_page_exist() -> None:
    group: Any = typer.main.get_command(app)
    parameters = [parameter for command in (*commands().values(), group) for parameter in command.params]
    everywhere = {flag for each in parameters for flag in (*each.opts, *each.secondary_opts)}
    others = {"--help"}
    of_scripts = {Path("docs/design.md"), Path("docs/statistics.md")}  # those of benchmarks too
    pages = (README, Path("strategies/README.md"), Path("search_spaces/README.md"), *PAGES)
    for path in (page for page in pages if page not in of_scripts):
        prose = re.sub(r"^```.*?^```", "", (ROOT / path).read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
        named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", prose))
        assert named <= everywhere | others, path


@pytest.mark.parametrize("page", [page for page in PAGES if page.parent != GUIDE], ids=str)
def test_few_commands_of_a_page_are_not_run(page: Path) -> None:
    lines = audionas_lines(page)
    assert len([line for line in lines if line.endswith(NOT_RUN)]) <= 4, page


def test_the_readmes_table_names_every_command() -> None:
    named = set(re.findall(r"^\| `audionas ([a-z]+)` \|", (ROOT / "README.md").read_text(), re.MULTILINE))
    assert named == set(commands())


@pytest.mark.parametrize(
    ("folder", "part", "prefix", "record"),
    [
        ("search_spaces", "Kind `cnn_cell`", "", CnnCellSpace),
        ("search_spaces", "Kind `cnn_cell`", "macro.", CnnMacro),
        ("search_spaces", "Kind `cnn_macro`", "", CnnMacroSpace),
        ("search_spaces", "Kind `cnn_macro`", "options.", MacroOptions),
        ("search_spaces", "Kind `baseline`", "", BaselineSpace),
        ("search_spaces", "Kind `recurrent_cell`", "", RecurrentCellSpace),
        ("search_spaces", "Kind `recurrent_cell`", "nodes.", RecurrentNodes),
        ("search_spaces", "Kind `recurrent_cell`", "macro.", RecurrentMacro),
        ("search_spaces", "Kind `darts_recurrent`", "", DartsRecurrentSpace),
        ("search_spaces", "Kind `darts_recurrent`", "nodes.", DartsRecurrentNodes),
        ("search_spaces", "Kind `recurrent_catalogue`", "", RecurrentCatalogueSpace),
        ("strategies", "", "recipe.", Recipe),
        ("strategies", "", "recipe.augmentation.", Augmentation),
        ("strategies", "Augmentation", "", WaveformAugmentation),
    ],
)
def test_every_key_of_a_record_stands_in_its_readme(
    folder: str, part: str, prefix: str, record: type[BaseModel]
) -> None:
    text = (ROOT / folder / "README.md").read_text(encoding="utf-8")
    if part:
        text = text.split(f"\n## {part}\n")[1].split("\n## ")[0]
    rows = dict(re.findall(r"^\| `([a-z_.]+)` \|(.*)$", text, re.MULTILINE))
    for key, field in record.model_fields.items():
        is_record = isinstance(field.default, BaseModel)
        if key == "name" or (is_record and f"{prefix}{key}" not in rows):
            continue
        assert f"{prefix}{key}" in rows, f"{folder}/README.md lacks {prefix}{key}"
        if isinstance(field.default, (int, float, str)) and key != "kind":
            assert str(field.default).lower() in rows[f"{prefix}{key}"].lower().split("|")[1], (
                f"{folder}/README.md: {prefix}{key}"
            )


def test_every_key_of_a_strategy_stands_in_its_readme() -> None:
    from audionas.search.strategy import Budget, Strategy

    text = (ROOT / "strategies" / "README.md").read_text(encoding="utf-8")
    rows = set(re.findall(r"^\| `([a-z_.]+)` \|", text, re.MULTILINE))
    wanted = set(Strategy.model_fields) - {"name", "budget", "recipe"}
    wanted |= {f"budget.{key}" for key in Budget.model_fields}
    assert wanted <= rows


def test_every_shipped_file_stands_in_its_readme() -> None:
    for folder in ("search_spaces", "strategies"):
        text = (ROOT / folder / "README.md").read_text(encoding="utf-8")
        named = set(re.findall(r"^\| `([a-z0-9_]+\.yaml)` \|", text, re.MULTILINE))
        assert named == {path.name for path in (ROOT / folder).glob("*.yaml")}, folder


def test_the_yaml_examples_are_valid() -> None:
    for text in blocks(Path("search_spaces/README.md"), "yaml"):
        assert space_from_settings(yaml.safe_load(text), "example", "README").size() > 1
    for text in blocks(Path("strategies/README.md"), "yaml"):
        assert strategy_from_settings(yaml.safe_load(text), "example", "README").kind == "multi-trial"


def test_the_table_of_protocols_names_every_one() -> None:
    rows = re.findall(r"^\| (`[^|]*) \| ", (ROOT / GUIDE / "judging.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(PROTOCOLS) <= {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


def test_the_readme_says_when_audionas_downloads() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "downloads nothing" not in text
    assert "hub name (`pretrained:openai/whisper-tiny.en`), on first use" in text


def test_the_table_of_pairs_is_that_of_the_code() -> None:
    from benchmarks.strategy_pairs import README, pairs_table, with_table

    text = README.read_text(encoding="utf-8")
    assert text == with_table(text), "run: PYTHONPATH=. python benchmarks/strategy_pairs.py"
    rows = {line.split("`")[1]: line.split("|")[2:-1] for line in pairs_table().splitlines()[2:]}
    spaces = re.findall(r"`(\w+)`", pairs_table().splitlines()[0])
    refused = {(name, space) for name, cells in rows.items() for space, cell in zip(spaces, cells, strict=True)
               if cell.strip() == "-"}  # fmt: skip
    by_trials = {name for name in rows if load_strategy(name).kind == "multi-trial"}
    assert {name for name, _ in refused} & by_trials == {"catalogue"}, "of these the catalogue alone refuses spaces"
    catalogues = {"nas_bench_nlp_catalogue", "nas_bench_nlp_catalogue_two_states"}
    assert set(spaces) - {space for name, space in refused if name == "catalogue"} == catalogues


def test_the_settings_of_every_algorithm_stand_in_the_strategies_readme() -> None:
    from audionas.search.algorithms import ALGORITHMS, builder

    text = (ROOT / "strategies" / "README.md").read_text(encoding="utf-8")
    part = text.split("Settings of the algorithms:")[1].split("\n## ")[0]
    rows = {
        name: text for names, text in re.findall(r"^\| (`[^|]*`) \|(.*)$", part, re.MULTILINE)
        for name in re.findall(r"`([a-z_0-9]+)`", names)
    }  # fmt: skip
    assert set(rows) >= set(ALGORITHMS)
    for name in ALGORITHMS:
        text = rows[name] + (rows["darts"] if "those of `darts`" in rows[name] else "")
        settings = set(inspect.signature(builder(name)).parameters) - {"seed"}
        assert settings <= set(re.findall(r"`([a-z_0-9]+)`", text)), name


@pytest.mark.slow
def test_the_strategies_readmes_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    snippets = blocks(Path("strategies/README.md"), "python")
    assert snippets
    for snippet in snippets:
        exec(compile(snippet, "strategies/README.md", "exec"), {})
