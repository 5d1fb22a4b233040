"""Which parts of a text are a path of the machine, and what is left of them."""

from __future__ import annotations

import pytest

from audionas.experiment.machine_paths import absolute_paths, clean_text, without_machine_paths


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("/data/runs/a", "run"),
        ("/data/runs/a/split_1/genotype.json", "run/split_1/genotype.json"),
        ("/data/runs/ab", "ab"),
        ("audionas retrain /data/runs/a --data=/data/emodb4", "audionas retrain run --data=emodb4"),
        ("audionas search '/data/my corpus' --epochs 2", "audionas search 'my corpus' --epochs 2"),
        ("pretrained:/models/whisper@last", "pretrained:whisper@last"),
        (r"C:\corpora\emodb", "emodb"),
        ("reduce at [1/2], 0.5/0.5/auto, wav/mp3", "reduce at [1/2], 0.5/0.5/auto, wav/mp3"),
        ("see https://example.org/a/b", "see https://example.org/a/b"),
        ("--group-from '^(s[0-9]+)_'", "--group-from '^(s[0-9]+)_'"),
        ("", ""),
    ],
)
def test_of_an_absolute_path_only_the_last_name_is_left(text: str, cleaned: str) -> None:
    found = clean_text(text, {"/data/runs/a": "run"})
    assert found == cleaned
    assert not absolute_paths(found)


def test_every_text_of_a_document_is_cleaned_and_nothing_else_changes() -> None:
    document = {"/a/b": [1, 0.5, None, True, {"path": "/a/b/c"}], "runs/x": "runs/x"}
    assert without_machine_paths(document, {"/a": "run"}) == {
        "run/b": [1, 0.5, None, True, {"path": "run/b/c"}], "runs/x": "runs/x",
    }  # fmt: skip
