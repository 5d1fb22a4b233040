"""What the README and the tables of keys say is true: commands run, Python runs, keys and flags exist."""

from __future__ import annotations

import inspect
import re
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from pydantic import BaseModel
from typer.testing import CliRunner

from audionas import sample
from audionas.audio.manifest import read_table
from audionas.audio.protocols import PROTOCOLS
from audionas.augmentations import WaveformAugmentation
from audionas.cli import app
from audionas.search.strategy import load_strategy, strategy_from_settings
from audionas.spaces import BaselineSpace, CnnCellSpace, CnnMacro, CnnMacroSpace, space_from_settings
from audionas.spaces.cnn_macro import MacroOptions
from audionas.spaces.darts_recurrent import DartsRecurrentNodes, DartsRecurrentSpace
from audionas.spaces.recurrent_catalogue import RecurrentCatalogueSpace
from audionas.spaces.recurrent_cell import RecurrentCellSpace, RecurrentNodes
from audionas.spaces.recurrent_genotype import RecurrentMacro
from audionas.training.recipe import Augmentation, Recipe

ROOT = Path(__file__).parent.parent
NOT_RUN = "# not run in tests"
CLIPS_EACH = 1  # of every speaker and label, so that the tour is quick


def blocks(path: Path, language: str) -> list[str]:
    """The code blocks of one language in a Markdown file."""
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def audionas_lines() -> list[str]:
    """Every `audionas ...` line of the README's bash blocks."""
    lines = "\n".join(blocks(ROOT / "README.md", "bash")).splitlines()
    return [line for line in lines if line.startswith("audionas ")]


def commands() -> dict[str, Any]:
    """The subcommands by name."""
    group: Any = typer.main.get_command(app)
    return dict(group.commands)


def make_my_folder(target: Path) -> None:
    """A folder per label of real clips whose names start with the speaker, as the README describes it."""
    table = read_table(sample.folder() / "manifest.csv")
    for _, row in table.groupby(["speaker", "label"], sort=False).head(CLIPS_EACH).iterrows():
        name = f"s{row['speaker']}_{Path(row['path']).stem[2:]}.flac"
        (target / row["label"]).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(sample.folder() / row["path"], target / row["label"] / name)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.usefixtures("_smallest_spaces", "nothing_fitted_twice")
def test_the_readmes_commands_and_python_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make_my_folder(tmp_path / "my_folder")
    lines = [line for line in audionas_lines() if not line.endswith(NOT_RUN)]
    assert len(lines) > 5
    for line in lines:
        words = shlex.split(line)
        monkeypatch.setattr(sys, "argv", words)
        done = CliRunner().invoke(app, words[1:])
        assert done.exit_code == 0, f"{line}\n{done.output}\n{done.exception!r}"
    snippets = blocks(ROOT / "README.md", "python")
    assert snippets
    for snippet in snippets:
        names: dict[str, object] = {}
        exec(compile(snippet, "README.md", "exec"), names)
        assert tuple(getattr(names["logits"], "shape", ())) == (2, 4)


def test_the_readmes_flags_exist() -> None:
    known = commands()
    for line in audionas_lines():
        words = shlex.split(line.removesuffix(NOT_RUN))
        options = {flag for parameter in known[words[1]].params for flag in parameter.opts}
        given = {word for word in words if word.startswith("-")}
        assert given <= options, line
    group: Any = typer.main.get_command(app)
    everywhere = {
        flag for command in (*known.values(), group) for parameter in command.params for flag in parameter.opts
    }
    for path in (ROOT / "README.md", ROOT / "strategies" / "README.md", ROOT / "search_spaces" / "README.md"):
        prose = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
        named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", prose))
        assert named <= everywhere | {"--help"}, path


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
    for text in blocks(ROOT / "search_spaces" / "README.md", "yaml"):
        assert space_from_settings(yaml.safe_load(text), "example", "README").size() > 1
    for text in blocks(ROOT / "strategies" / "README.md", "yaml"):
        assert strategy_from_settings(yaml.safe_load(text), "example", "README").kind == "multi-trial"


def test_the_readmes_table_names_every_protocol() -> None:
    rows = re.findall(r"^\| (`[^|]*) \| ", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
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
    snippets = blocks(ROOT / "strategies" / "README.md", "python")
    assert snippets
    for snippet in snippets:
        exec(compile(snippet, "strategies/README.md", "exec"), {})
