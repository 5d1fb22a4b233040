"""Learning rate and epochs chosen inside each split: by training clips alone, kept, resumed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from audionas.audio.folds import find_split
from audionas.audio.manifest import Manifest
from audionas.errors import ManifestError, RunError, SettingsError
from audionas.experiment import inner_folds, tuning
from audionas.experiment.retrain import RetrainRequest, resume_retraining, retrain
from audionas.experiment.tuning import Grid, checked_grid
from audionas.records import read_json
from tests.cli.running import refused

Retrain = Callable[..., Path]


FIELDS: dict[str, Any] = {"seeds": 1, "threads": 1, "learning_rates": (0.05,), "epochs_tried": (1, 2)}
FIRST_OF_SPLIT_2 = 2 * 3 + 1  # settings x inner folds of split 1, and one


@pytest.fixture
def retrained(searched: Path, tmp_path: Path) -> Retrain:
    def run(out: str = "tuned", **changes: Any) -> Path:
        return retrain(RetrainRequest((searched,), **(FIELDS | {"out": tmp_path / out} | changes)))

    return run


@pytest.fixture(scope="module")
def tuned_once(_searched_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One or two epochs, chosen in each of three splits and for the final model; made once, nobody changes it."""
    folder = tmp_path_factory.mktemp("tuned_once")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("AUDIONAS_CACHE", str(folder / "cache"))
        return retrain(RetrainRequest((_searched_once,), **FIELDS, final=True, out=folder / "run"))


def stop_before_inner_training(number: int, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Interrupt, once, the inner training with this number (from 1); gives the list of those that were begun."""
    begun: list[Path] = []
    real = inner_folds.train_network

    def counted(*args: Any, **kwargs: Any) -> Any:
        begun.append(args[4])
        if len(begun) == number:
            raise KeyboardInterrupt
        return real(*args, **kwargs)

    monkeypatch.setattr(inner_folds, "train_network", counted)
    return begun


def test_a_grid_is_every_pair() -> None:
    pairs = [(setting.learning_rate, setting.epochs) for setting in Grid((0.1, 0.2), (3, 5)).settings]
    assert pairs == [(0.1, 3), (0.1, 5), (0.2, 3), (0.2, 5)]


def test_one_value_of_each_is_no_grid() -> None:
    assert checked_grid((0.1,), (3,), "best") is None


@pytest.mark.parametrize(
    "rates,epochs,select,words",
    [
        ((0.1, 0.1), (3,), "last", "--learning-rate: got 0.1,0.1, a value stands there twice"),
        ((0.0, 0.1), (3,), "last", "--learning-rate: got 0,0.1, must be above 0"),
        ((0.1,), (3, 0), "last", "--epochs: got 3,0, must be 1 or more"),
        ((0.1,), (3, 4), "best", "--select best and several values of --learning-rate or --epochs"),
    ],
)
def test_a_wrong_grid_is_one_line(rates: tuple[float, ...], epochs: tuple[int, ...], select: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        checked_grid(rates, epochs, select)


def test_each_split_takes_the_setting_that_does_best_on_its_own_training_clips(tuned_once: Path) -> None:
    run = tuned_once
    manifest = Manifest.read(run)
    for name in ("1", "2", "3"):
        split = find_split(manifest, name)
        document = read_json(run / f"split_{name}" / "tuning.json", "tuning")
        records, chosen = document["settings"], document["settings"][document["chosen"]]
        assert len(records) == 2
        assert chosen["ua"] == max(record["ua"] for record in records)
        assert document["n_clips"] == len(split.search)
        result = read_json(run / f"split_{name}" / "seed_0" / "result.json", "result")
        assert (result["epochs"], result["n_train"]) == (chosen["epochs"], len(split.search))
        tested = {manifest.clips[row].clip for row in split.test}
        for table in (run / f"split_{name}" / "tuning").rglob("predictions.csv"):
            assert not tested & set(pd.read_csv(table)["clip"]), "a test clip had a say in a setting"


@pytest.mark.slow
def test_a_rate_that_learns_nothing_is_not_taken(
    retrained: Retrain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # two tones far apart: with rate 0.05 they are told apart, with 1e-9 the network stays as it was drawn
    stop_before_inner_training(FIRST_OF_SPLIT_2, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        retrained("x", learning_rates=(1e-9, 0.05), epochs_tried=(12,))
    document = read_json(tmp_path / "x" / "split_1" / "tuning.json", "tuning")
    assert document["settings"][document["chosen"]]["learning_rate"] == 0.05


def test_labels_of_test_clips_have_no_say(
    searched: Path, retrained: Retrain, tuned_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = pd.read_csv(searched / "manifest.csv", dtype=str)
    in_test = table["fold"] == "1"
    table.loc[in_test, "label"] = table.loc[in_test, "label"].map({"low": "high", "high": "low"})
    table.to_csv(searched / "manifest.csv", index=False)
    stop_before_inner_training(FIRST_OF_SPLIT_2, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        retrained("b")
    first, other = (read_json(run / "split_1" / "tuning.json", "tuning") for run in (tuned_once, tmp_path / "b"))
    assert first == other


def test_a_stopped_choice_goes_on_where_it_was(
    retrained: Retrain, tuned_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = stop_before_inner_training(5, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        retrained("stopped")
    resume_retraining(tmp_path / "stopped")
    assert len(trained) == 3 * 2 * 3 + 1, "splits x settings x inner folds, and the one that was stopped"
    for name in ("1", "2", "3"):
        one, other = (
            read_json(run / f"split_{name}" / "tuning.json", "tuning") for run in (tuned_once, tmp_path / "stopped")
        )
        assert one == other


def test_the_final_model_chooses_on_all_clips(tuned_once: Path) -> None:
    document = read_json(tuned_once / "final" / "tuning.json", "tuning")
    model = read_json(tuned_once / "final" / "model.json", "model")
    assert document["n_clips"] == len(Manifest.read(tuned_once))
    assert model["epochs"] == document["settings"][document["chosen"]]["epochs"]


def test_another_retraining_takes_the_same_settings_split_by_split(
    retrained: Retrain, tuned_once: Path, retrained_once: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = tuned_once
    monkeypatch.setattr(tuning, "inner_out_of_fold", None)  # nothing is chosen again
    second = retrained("second", learning_rates=(), epochs_tried=(), epochs=9, settings_of=first, padding="masked")
    for name in ("1", "2", "3"):
        one, other = (read_json(run / f"split_{name}" / "tuning.json", "tuning") for run in (first, second))
        assert one == other
        result = read_json(second / f"split_{name}" / "seed_0" / "result.json", "result")
        assert result["epochs"] == one["settings"][one["chosen"]]["epochs"]
    with pytest.raises(RunError, match="--settings-of: not a finished retraining that chose"):
        retrained("third", learning_rates=(), epochs_tried=(), settings_of=retrained_once)
    with pytest.raises(SettingsError, match="--settings-of and several values"):
        retrained("fourth", settings_of=first)
    with pytest.raises(SettingsError, match="--settings-of and --select best"):
        retrained("fifth", learning_rates=(), epochs_tried=(), select="best", settings_of=first)


def test_more_inner_folds_than_groups_are_refused_before_the_first_training(
    retrained: Retrain, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tuning, "INNER_FOLDS", 5)
    with pytest.raises(ManifestError, match="split 1 has 4 training group"):
        retrained(epochs_tried=(1, 2))
    assert not (tmp_path / "tuned").exists()


def test_the_command_line_takes_lists(searched: Path, tmp_path: Path) -> None:
    words = ("retrain", searched, "--out", tmp_path / "x")
    assert refused(*words, "--epochs", "10,x") == (
        "--epochs: got '10,x'; accepted: whole numbers, several with commas between"
    )
    assert refused(*words, "--learning-rate", "fast").startswith("--learning-rate: got 'fast'; accepted: numbers")
    assert not (tmp_path / "x").exists()
