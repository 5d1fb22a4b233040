"""Every subcommand's example works as printed; exit statuses; one line for a mistake, in a real process too."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from audionas import __version__
from audionas.cli import app
from audionas.spaces import load_search_space
from audionas.spaces.genotype_file import read_genotype_file
from tests.cli.conftest import Workshop
from tests.cli.running import COMMANDS, LONG_COMMANDS, example, run


def test_the_subcommands_are_those_tested_here() -> None:
    assert {command.name for command in app.registered_commands} == {*COMMANDS, *LONG_COMMANDS}


@pytest.mark.parametrize("command", LONG_COMMANDS)
def test_the_example_of_a_long_command_is_a_line_of_the_guide(command: str) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "guide" / "comparing.md").read_text(encoding="utf-8").splitlines()
    words = ["audionas", *example(command)]
    lines = [shlex.split(line, comments=True) for line in guide if line.startswith(f"audionas {command} ")]
    assert any(line[: len(words)] == words for line in lines), "none begins with the words of the example"


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_the_example_of_the_help_works_as_printed(workshop: Workshop, command: str) -> None:
    found = workshop.outcomes[command]
    assert found.code == 0, found.err
    assert found.out
    assert "Traceback" not in found.err


@pytest.mark.slow
def test_the_examples_leave_what_they_promise(workshop: Workshop) -> None:
    genotype = read_genotype_file(workshop.search / "genotype.json").genotype
    load_search_space(workshop.search / "space.yaml").check(genotype)
    metrics = json.loads((workshop.retraining / "metrics.json").read_text(encoding="utf-8"))
    assert 0 <= metrics["headline"]["ua"] <= 1
    assert "<svg" in (workshop.search / "report.html").read_text(encoding="utf-8")
    assert workshop.outcomes["export"].out.startswith("Genotype(normal=[(")
    assert (workshop.folder / "prepared" / "manifest.csv").is_file()
    assert "darts_small_data" in workshop.outcomes["list"].out
    assert workshop.outcomes["check"].out == "genotype.json: a valid genotype\nmy_space.yaml: a valid search space\n"


@pytest.mark.slow
def test_stdout_carries_the_result_and_stderr_the_talk(workshop: Workshop) -> None:
    search, retrain = workshop.outcomes["search"], workshop.outcomes["retrain"]
    assert search.out.splitlines()[:2] == ["run: runs/first", "genotype: runs/first/genotype.json"]
    assert "epoch" in search.err
    assert "epoch" not in search.out
    assert "headline" in retrain.out
    assert "parameters" in retrain.err


@pytest.mark.slow
def test_the_command_is_kept_in_the_run(workshop: Workshop) -> None:
    record = json.loads((workshop.search / "run.json").read_text(encoding="utf-8"))
    assert record["argv"] == example("search")
    assert record["command"] == "audionas " + " ".join(example("search"))


@pytest.mark.slow
@pytest.mark.parametrize(
    "words,keys",
    [
        (("search", "--resume", "runs/first"), {"run", "genotypes"}),
        (("retrain", "--resume", "runs/first/retrained"), {"run", "metrics"}),
        (("fuse", "runs/spectrogram", "runs/frames", "--epochs", "1", "--out", "runs/json_fused"), {"run", "metrics"}),
        (("report", "runs/first", "--out", "page.html"), {"report"}),
        (("export", "genotype.json", "--to", "genotype"), {"out", "text"}),
        (("check", "genotype.json"), {"genotype.json"}),
        (("prepare", "recordings", "--out", "json_prepared"), {"folder", "clips", "labels", "splits", "notes"}),
    ],
)
def test_json_output_is_one_json_document(workshop: Workshop, words: tuple[str, ...], keys: set[str]) -> None:
    found = run(*words, "--json", cwd=workshop.folder)
    assert found.code == 0, found.err
    assert keys <= set(json.loads(found.out))


def test_the_version_is_printed() -> None:
    assert run("--version").out == f"audionas {__version__}\n"


@pytest.mark.parametrize(
    "words", [("frobnicate",), ("search", "--nope"), ("export",), ("search", "--seed", "x"), ("retrain", "--epochs")]
)
def test_wrong_usage_is_exit_status_two(words: tuple[str, ...]) -> None:
    found = run(*words)
    assert found.code == 2
    assert "Error: " in found.err
    assert "Traceback" not in found.err


@pytest.mark.slow
@pytest.mark.parametrize(
    "words,code,error",
    [
        (("list", "ops"), 0, ""),
        (("list", "opps"), 1, "audionas: unknown list 'opps' (did you mean 'ops'?)"),
        (("search", "--space", "darts_cnn_smal"), 1, "audionas: unknown search space 'darts_cnn_smal' (did you mean"),
        (("retrain", "no_such_run"), 1, "audionas: no_such_run: "),
        (("search", "--nope"), 2, "Usage: "),
    ],
)
def test_a_real_process_says_one_line_and_leaves_its_status(
    tmp_path: Path, words: tuple[str, ...], code: int, error: str
) -> None:
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root), "AUDIONAS_CACHE": str(tmp_path / "cache")}
    found = subprocess.run(
        [sys.executable, "-m", "audionas", *words],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert found.returncode == code
    assert found.stderr.startswith(error)
    assert code == 2 or len(found.stderr.splitlines()) == code
    assert [path.name for path in tmp_path.iterdir() if path.name != "cache"] == []


def test_importing_the_package_loads_neither_torch_nor_nni() -> None:
    program = "import sys, audionas, audionas.cli; print([m for m in ('torch', 'nni', 'librosa') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"
