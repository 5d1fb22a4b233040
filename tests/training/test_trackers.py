"""Every tracker keeps what it is told, in its own real store, and goes on where it was."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
import yaml

from audionas.errors import SettingsError
from audionas.training import trackers
from audionas.training.trackers import TRACKERS, Tracker, checked_trackers


@pytest.fixture
def genotype(tmp_path: Path) -> Path:
    """A file to be kept."""
    path = tmp_path / "genotype.json"
    path.write_text('{"hash": "abc"}\n')
    return path


def open_tracker(name: str, place: Path, identity: dict[str, str] | None = None) -> Tracker:
    for package in trackers._NEEDS[name]:
        pytest.importorskip(package)
    return TRACKERS[name](place, "my run", identity or {})


def use(tracker: Tracker, genotype: Path) -> dict[str, str]:
    """Two epochs, settings, a file; gives what finds the run again."""
    tracker.settings({"space": "small", "recipe.learning_rate": 0.025})
    tracker.log({"loss": 1.5, "split_1/ua": 0.25}, 0)
    tracker.log({"loss": 1.25, "split_1/ua": 0.5}, 1)
    tracker.file(genotype, "split_1/genotype.json")
    tracker.close("done")
    return tracker.identity


def test_csv_has_a_row_a_step_and_goes_on_with_other_columns(tmp_path: Path, genotype: Path) -> None:
    use(open_tracker("csv", tmp_path), genotype)
    again = open_tracker("csv", tmp_path)
    again.log({"loss": 1.0}, 2)
    again.log({"headline/ua": 0.75}, 0)
    again.close("done")
    with (tmp_path / "csv" / "metrics.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["step"], row["loss"], row["split_1/ua"], row["headline/ua"]) for row in rows] == [
        ("0", "1.5", "0.25", ""), ("1", "1.25", "0.5", ""), ("2", "1.0", "", ""), ("0", "", "", "0.75"),
    ]  # fmt: skip
    settings = yaml.safe_load((tmp_path / "csv" / "hparams.yaml").read_text())
    assert settings == {"space": "small", "recipe.learning_rate": 0.025}


def test_tensorboard_reads_its_event_files_back(tmp_path: Path, genotype: Path) -> None:
    use(open_tracker("tensorboard", tmp_path), genotype)
    again = open_tracker("tensorboard", tmp_path)
    again.log({"loss": 1.0}, 2)
    again.close("done")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(tmp_path / "tensorboard"))
    found.Reload()
    assert [(each.step, each.value) for each in found.Scalars("loss")] == [(0, 1.5), (1, 1.25), (2, 1.0)]
    assert [each.value for each in found.Scalars("split_1/ua")] == [0.25, 0.5]
    text = found.Tensors("split_1/genotype.json/text_summary")[0].tensor_proto.string_val[0].decode()
    assert '{"hash": "abc"}' in text
    settings = yaml.safe_load((tmp_path / "tensorboard" / "hparams.yaml").read_text())
    assert settings["space"] == "small"


def test_mlflow_keeps_history_parameters_artifacts_and_status_in_its_database(
    tmp_path: Path, genotype: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # artifacts of a local store lie here
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/store.db")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "speech")
    identity = use(open_tracker("mlflow", tmp_path), genotype)
    assert identity["uri"] == f"sqlite:///{tmp_path}/store.db"
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    again = open_tracker("mlflow", tmp_path, identity)
    again.settings({"space": "other", "epochs": 3})  # of a parameter that is there, the first value stays
    again.log({"loss": 1.0}, 2)
    again.close("interrupted")
    from mlflow.tracking import MlflowClient

    client: Any = MlflowClient(identity["uri"])
    run = client.get_run(identity["run_id"])
    assert client.get_experiment(run.info.experiment_id).name == "speech"
    assert (run.info.status, run.info.run_name) == ("KILLED", "my run")
    history = sorted((each.step, each.value) for each in client.get_metric_history(run.info.run_id, "loss"))
    assert history == [(0, 1.5), (1, 1.25), (2, 1.0)]
    assert run.data.metrics["split_1/ua"] == 0.5
    assert run.data.params == {"space": "small", "recipe.learning_rate": "0.025", "epochs": "3"}
    assert [each.path for each in client.list_artifacts(run.info.run_id, "split_1")] == ["split_1/genotype.json"]
    assert len(client.search_runs([run.info.experiment_id])) == 1


def test_a_password_in_the_address_of_a_server_is_not_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("mlflow")

    class Logger:
        run_id = "1"

        def __init__(self, *_: object, **__: object) -> None:
            self.experiment = self

        def update_run(self, *_: object) -> None: ...

    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:secret@127.0.0.1:1/")
    monkeypatch.setattr("pytorch_lightning.loggers.MLFlowLogger", Logger)
    assert open_tracker("mlflow", tmp_path).identity == {"run_id": "1"}


def test_wandb_works_offline_and_goes_on_under_the_same_id(
    tmp_path: Path, genotype: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    identity = use(open_tracker("wandb", tmp_path), genotype)
    again = open_tracker("wandb", tmp_path, identity)
    again.log({"loss": 1.0}, 2)
    again.close("done")
    logs = sorted(tmp_path.glob("wandb/offline-run-*/*.wandb"))
    assert {path.stem for path in logs} == {f"run-{identity['run_id']}"}
    content = b"".join(path.read_bytes() for path in logs)
    for word in (b"split_1/ua", b"recipe.learning_rate", b"split_1-genotype-", b"my run"):
        assert word in content, word
    assert capfd.readouterr() == ("", "")


def test_an_unknown_tracker_suggests_the_nearest() -> None:
    with pytest.raises(
        SettingsError, match=r"--tracker: unknown tracker 'mlfow' \(did you mean 'mlflow'\?\); known: csv"
    ):
        checked_trackers(["csv", "mlfow"])


@pytest.mark.parametrize("name", ["tensorboard", "mlflow", "wandb"])
def test_a_tracker_that_is_not_installed_names_its_extra(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trackers, "find_spec", lambda _: None)
    with pytest.raises(
        SettingsError, match=rf"--tracker {name}: .* not installed; run: pip install 'audionas\[{name}\]'"
    ):
        checked_trackers([name])


def test_a_tracker_named_twice_is_taken_once() -> None:
    assert checked_trackers(["csv", "csv"]) == ("csv",)
