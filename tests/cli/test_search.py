"""`audionas search`: every wrong request is one line and writes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Workshop
from tests.cli.running import files_of, refused


@pytest.mark.parametrize(
    "words,error",
    [
        (("no/such/folder",), "no/such/folder: no such file or folder"),
        (("--space", "darts_cn"), "unknown search space 'darts_cn' (did you mean 'darts_cnn'?); known: cnn_macro"),
        (("--space", "no.yaml"), "no.yaml: no such search space file"),
        (("--strategy", "dart"), "unknown strategy 'dart' (did you mean 'darts'?)"),
        (("--features", "log_mel_smal"), "unknown features 'log_mel_smal' (did you mean 'log_mel_small'?)"),
        (("--dataset", "emodbb"), "unknown data set 'emodbb' (did you mean 'emodb'?)"),
        (("--trials", "3"), "--trials: strategy 'darts_small_data' is one-shot"),
        (("--inner-folds", "3"), "--inner-folds: strategy 'darts_small_data' is one-shot"),
        (("--retest", "3"), "--retest: strategy 'darts_small_data' is one-shot"),
        (("--strategy", "random", "--inner-folds", "1"), "inner_folds: got 1, must be 0"),
        (("--strategy", "random", "--inner-folds", "60"), "--inner-folds 60: fold 1 leaves 8 group(s) to the search"),
        (("--strategy", "random", "--retest", "-1"), "retest: got -1, must be at least 0"),
        (("--epochs", "0"), "budget.epochs: got 0, must be at least 1"),
        (("--batch-size", "1"), "batch_size: got 1, must be at least 2"),
        (("--max-parameters", "0"), "--max-parameters: got 0, must be above 0; leave it out for no limit"),
        (("--max-memory-mb", "-0.5"), "--max-memory-mb: got -0.5, must be above 0"),
        (("--max-parameters", "9"), "--max-parameters 9: no network of space 'darts_cnn_small' is that small; the sma"),
        (("--engine", "proces_pool"), "unknown engine 'proces_pool' (did you mean 'process_pool'?)"),
        (("--engine", "process_pool"), "--engine process_pool: strategy 'darts_small_data' is one-shot"),
        (("--workers", "2"), "--engine in_process: runs one trial after another"),
        (("--strategy", "random", "--engine", "process_pool", "--workers", "0"), "--workers: got 0, must be 1 to"),
        (("--strategy", "random", "--engine", "process_pool", "--timeout", "-1"), "--timeout: got -1, must be seconds"),
        (("--strategy", "random", "--engine", "process_pool", "--address", "auto"), "--address: is for --engine ray"),
        (("--strategy", "random", "--engine", "process_pool", "--threads", "2"), "--threads: got 2; a worker of"),
        (("--threads", "0"), "--threads: got 0, must be 1 or more"),
        (("--pick", "worst"), "--pick: got 'worst'; accepted: last, best"),
        (("--device", "gpu"), "--device: got 'gpu'; accepted: cpu, cuda, cuda:N"),
        (("--nested", "--exclude-fold", "1"), "--nested and --exclude-fold exclude each other"),
        (("--exclude-fold", "nine"), "nine"),
        (("--resume", "runs/none"), "runs/none: no such run folder"),
        (("sample", "--resume", "runs/none"), "--resume takes nothing else"),
    ],
)
def test_a_wrong_request_is_one_line_and_writes_nothing(tmp_path: Path, words: tuple[str, ...], error: str) -> None:
    assert error in refused("search", *words, cwd=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_all_mistakes_of_a_space_are_told(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("kind: cnn_cell\nnodes: 0\nops: [none, sep_conv_9x9]\ncolour: red\n")
    line = refused("search", "--space", "bad.yaml", cwd=tmp_path)
    for words in ("bad.yaml: ", "nodes: got 0", "unknown operation 'sep_conv_9x9'", "unknown key 'colour'"):
        assert words in line


def test_an_output_that_is_a_file_or_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    assert "file: is a file" in refused("search", "--out", "file", cwd=tmp_path)
    assert "file" in refused("search", "--out", "file/run", cwd=tmp_path)
    assert files_of(tmp_path) == {"file": b"mine"}


def test_an_output_that_is_not_empty_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("years of work")
    assert "out: is not empty" in refused("search", "--out", "out", cwd=tmp_path)
    assert files_of(tmp_path) == {"out/thesis.txt": b"years of work"}


@pytest.mark.slow
def test_an_output_that_holds_another_run_is_refused_and_left_alone(workshop: Workshop) -> None:
    before = files_of(workshop.search)
    line = refused("search", "--out", "runs/first", cwd=workshop.folder)
    assert line.startswith("runs/first: holds another run; choose another --out, or go on with --resume runs/first")
    assert files_of(workshop.search) == before


@pytest.mark.slow
def test_a_retraining_is_no_search_to_resume(workshop: Workshop) -> None:
    assert "is a retrain run" in refused("search", "--resume", "runs/first/retrained", cwd=workshop.folder)
