"""The paragraph of methods: each fact of the record, and no sentence for what is not on record."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

from audionas.report.methods import methods_paragraph


def _change(path: Path, **changes: object) -> None:
    record = json.loads(path.read_text())
    path.write_text(json.dumps({key: value for key, value in (record | changes).items() if value is not None}))


def test_the_paragraph_says_what_the_records_say(search_run: Path) -> None:
    text = methods_paragraph(search_run)
    for words in (
        "118 clips of emodb by 10 speakers, labelled with 4 classes (anger, happiness, neutral, sadness)",
        "the corpus's own sessions",
        "Features: log_mel (sample_rate_hz 16000, n_mels 32",
        "the space darts_cnn_small by the strategy darts_small_data (darts; 20 epochs, batches of 16), seed 0",
        "without the clips of test fold 1",
        "weights (48 clips of 4 groups), alphas (47 clips of 4 groups)",
        "from scratch for 30 epochs in every fold with 3 seeds (0, 1, 2)",
        "the last epoch was taken",
        "mean and standard deviation over 3 seeds",
        "majority class, duration only",
        "audionas 0.1.0, python 3.11.2, torch 2.13.0, nni 3.0",
        "of the retraining: 1 min 2 s of wall time",
    ):
        assert words in text, words


def test_what_is_not_on_record_gets_no_sentence(search_run: Path) -> None:
    gone = ("features", "input_shape", "parts", "versions", "device", "threads", "data")
    _change(search_run / "run.json", **dict.fromkeys((*gone, "space")))
    _change(search_run / "retrained" / "run.json", **dict.fromkeys((*gone, "seeds", "cost")))
    (search_run / "retrained" / "metrics.json").unlink()
    text = methods_paragraph(search_run)
    for word in ("Features", "searched", "Parts", "Software", "Hardware", "We used", "trained from scratch", "UA"):
        assert word not in text
    assert "None" not in text


def test_a_fold_that_was_read_and_unknown_speakers_are_told(runs: SimpleNamespace, tmp_path: Path) -> None:
    run = runs.search(tmp_path / "run", is_checked=False)
    runs.retraining(run / "retrained", splits=("1", "2"), seen=("2",), is_checked=False)
    text = methods_paragraph(run)
    assert "The search has read clips of test fold(s) 2: left out of the score." in text
    assert "each file is its own group, and speaker independence was not checked" in text
    assert "no group was divided" not in text


def test_statistics_tuning_augmentation_and_ledger_are_told_where_they_are(search_run: Path) -> None:
    retrained = search_run / "retrained"
    metrics = json.loads((retrained / "metrics.json").read_text())
    found = {
        "interval": "95 % by jackknife",
        "chance": {"p": 0.01, "how": "labels permuted"},
        "claim": "no claim from 5 speakers",
    }
    _change(retrained / "metrics.json", headline=metrics["headline"] | found)
    recipe = {"optimiser": "adam", "learning_rate": 0.001, "augmentation": {"time_mask": 0.1, "mixup_alpha": 0.0}}
    _change(
        retrained / "run.json",
        options={"recipe": recipe, "batch_size": 8},
        cost={"seconds": 60, "device_seconds": 30, "clip_passes": {"forward": 1200, "backward": 600}},
        tuning={"learning_rates": [0.01, 0.001], "epochs": [30], "inner_folds": 3},
    )
    text = methods_paragraph(search_run)
    for words in (
        "Intervals: 95 % by jackknife.", "p values against chance: labels permuted.",
        "No claim from 5 speakers.", "retraining: time_mask 0.1.", "Adam, batches of 8",
        "inner folds by group chose among: learning_rates 0.01, 0.001", "30.0 s of the device",
        "1,200 clips forward and 600 backward",
    ):  # fmt: skip
        assert words in text, words
    assert "mixup" not in text
    assert "learning rate 0.001" not in text
