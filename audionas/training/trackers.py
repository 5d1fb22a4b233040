"""Experiment trackers through Lightning's loggers: numbers by step, settings, files. Our own files stay the record.

Each is opened once a run, under the identity that it had before if the run is gone on with. Its packages are imported
when it is asked for.
"""

from __future__ import annotations

import csv
import os
import uuid
from collections.abc import Callable, Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from audionas.errors import SettingsError, unknown
from audionas.quiet_libraries import quietly

if TYPE_CHECKING:
    from pytorch_lightning.loggers import CSVLogger, MLFlowLogger, TensorBoardLogger, WandbLogger

PROJECT = "audionas"  # what runs are grouped under, where neither MLFLOW_EXPERIMENT_NAME nor WANDB_PROJECT is set
Identity = Mapping[str, str]


class Tracker(Protocol):
    """One run in one tracker."""

    @property
    def identity(self) -> dict[str, str]:
        """What finds this run again when it is gone on with."""
        ...

    def log(self, numbers: Mapping[str, float], step: int) -> None:
        """Numbers of an epoch, a trial or the end."""
        ...

    def settings(self, values: Mapping[str, Any]) -> None:
        """What the run was made with."""
        ...

    def file(self, path: Path, name: str) -> None:
        """A file under a name, where the tracker keeps files."""
        ...

    def close(self, status: str) -> None:
        """The run is `done`, `interrupted` or `failed`."""
        ...


class CsvTracker:
    """`metrics.csv` and `hparams.yaml` in the run folder; going on appends."""

    def __init__(self, place: Path, _name: str, _identity: Identity) -> None:
        from pytorch_lightning.loggers import CSVLogger

        path = place / "csv" / "metrics.csv"
        before = path.read_bytes() if path.exists() else b""
        path.unlink(missing_ok=True)  # the logger would warn, and delete it
        self._logger: CSVLogger = CSVLogger(place, name="csv", version="")
        with quietly("lightning_fabric", "pytorch_lightning"):
            writer = self._logger.experiment
        if before:
            path.write_bytes(before)
            writer.metrics_keys = next(csv.reader(before.decode("utf-8").splitlines()))
        self.identity: dict[str, str] = {}

    def log(self, numbers: Mapping[str, float], step: int) -> None:
        """One row."""
        self._logger.log_metrics(dict(numbers), step)
        self._logger.save()

    def settings(self, values: Mapping[str, Any]) -> None:
        """Into `hparams.yaml`."""
        self._logger.log_hyperparams(dict(values))

    def file(self, path: Path, name: str) -> None:
        """It lies in the run folder already."""

    def close(self, status: str) -> None:
        """Write what is left."""
        self._logger.finalize(status)


class TensorBoardTracker:
    """Event files in the run folder; going on adds another one."""

    def __init__(self, place: Path, _name: str, _identity: Identity) -> None:
        from pytorch_lightning.loggers import TensorBoardLogger

        self._logger: TensorBoardLogger = TensorBoardLogger(
            str(place), name="tensorboard", version="", default_hp_metric=False
        )
        self.identity: dict[str, str] = {}

    def log(self, numbers: Mapping[str, float], step: int) -> None:
        """Scalars, to be seen at once."""
        self._logger.log_metrics(dict(numbers), step)
        self._logger.experiment.flush()

    def settings(self, values: Mapping[str, Any]) -> None:
        """Into the page of hyper-parameters, and `hparams.yaml`."""
        self._logger.log_hyperparams(dict(values))
        self._logger.save()

    def file(self, path: Path, name: str) -> None:
        """As text."""
        text = path.read_text(encoding="utf-8")
        self._logger.experiment.add_text(name, "\n".join(f"    {line}" for line in text.splitlines()))

    def close(self, status: str) -> None:
        """Write what is left."""
        self._logger.finalize(status)


class MlflowTracker:
    """A run in the store of MLFLOW_TRACKING_URI, else in `mlflow.db` here; going on continues it."""

    def __init__(self, _place: Path, name: str, identity: Identity) -> None:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")  # a server that is away must not hold a run
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
        import mlflow
        from pytorch_lightning.loggers import MLFlowLogger

        uri = os.environ.get("MLFLOW_TRACKING_URI") or identity.get("uri") or str(mlflow.get_tracking_uri())
        with quietly("pytorch_lightning", "mlflow", "alembic"):
            self._logger: MLFlowLogger = MLFlowLogger(
                os.environ.get("MLFLOW_EXPERIMENT_NAME") or PROJECT,
                run_name=name, tracking_uri=uri, run_id=identity.get("run_id"),
            )  # fmt: skip
            self._run_id = str(self._logger.run_id)
            self._client: Any = self._logger.experiment
            self._client.update_run(self._run_id, "RUNNING")
        self.identity = {"run_id": self._run_id, **({"uri": uri} if uri.startswith(("sqlite:", "file:")) else {})}

    def log(self, numbers: Mapping[str, float], step: int) -> None:
        """Metrics with their history."""
        self._logger.log_metrics(dict(numbers), step)

    def settings(self, values: Mapping[str, Any]) -> None:
        """Parameters; one that is there already cannot be changed."""
        known = self._client.get_run(self._run_id).data.params
        self._logger.log_hyperparams({key: value for key, value in values.items() if key not in known})

    def file(self, path: Path, name: str) -> None:
        """An artifact."""
        self._client.log_text(self._run_id, path.read_text(encoding="utf-8"), name)

    def close(self, status: str) -> None:
        """Its status as MLflow has it."""
        self._logger.finalize({"done": "success", "interrupted": "KILLED"}.get(status, "failed"))


class WandbTracker:
    """A run of Weights & Biases; offline unless WANDB_MODE or WANDB_API_KEY says otherwise. Going on continues it."""

    def __init__(self, place: Path, name: str, identity: Identity) -> None:
        import wandb
        from pytorch_lightning.loggers import WandbLogger

        run_id = identity.get("run_id") or uuid.uuid4().hex[:12]
        mode: Any = os.environ.get("WANDB_MODE") or ("online" if os.environ.get("WANDB_API_KEY") else "offline")
        place.mkdir(parents=True, exist_ok=True)
        # Lightning's own call has an argument that wandb warns of
        self._run: Any = wandb.init(
            name=name, project=os.environ.get("WANDB_PROJECT") or PROJECT, dir=str(place), id=run_id, resume="allow",
            mode=mode, settings=wandb.Settings(silent=True, console="off", init_timeout=20),
        )  # fmt: skip
        self._run.define_metric("trainer/global_step")
        self._run.define_metric("*", step_metric="trainer/global_step", step_sync=True)
        self._logger: WandbLogger = WandbLogger(experiment=self._run)
        self.identity = {"run_id": run_id}

    def log(self, numbers: Mapping[str, float], step: int) -> None:
        """A row of its history; `trainer/global_step` is our step."""
        self._logger.log_metrics(dict(numbers), step)

    def settings(self, values: Mapping[str, Any]) -> None:
        """Into its configuration."""
        self._logger.log_hyperparams(dict(values))

    def file(self, path: Path, name: str) -> None:
        """An artifact."""
        import wandb

        stem = name.removesuffix(path.suffix).replace("/", "-")
        artifact = wandb.Artifact(f"{stem}-{self.identity['run_id']}", type=path.stem)
        artifact.add_file(str(path), name=path.name)
        self._run.log_artifact(artifact)

    def close(self, status: str) -> None:
        """Write what is left."""
        self._run.finish(exit_code=0 if status == "done" else 1)


TRACKERS: dict[str, Callable[[Path, str, Identity], Tracker]] = {
    "csv": CsvTracker, "tensorboard": TensorBoardTracker, "mlflow": MlflowTracker, "wandb": WandbTracker,
}  # fmt: skip
_NEEDS = {"csv": (), "tensorboard": ("tensorboard",), "mlflow": ("mlflow", "sqlalchemy"), "wandb": ("wandb",)}


def checked_trackers(names: Iterable[str]) -> tuple[str, ...]:
    """The trackers of these names, each once.

    Raises:
        SettingsError: one is unknown, or its packages are not installed.
    """
    found = tuple(dict.fromkeys(names))
    for name in found:
        if name not in TRACKERS:
            raise SettingsError(f"--tracker: {unknown('tracker', name, TRACKERS)}")
        absent = [package for package in _NEEDS[name] if find_spec(package) is None]
        if absent:
            raise SettingsError(
                f"--tracker {name}: {' and '.join(absent)} not installed; run: pip install 'audionas[{name}]'"
            )
    return found


__all__ = ["TRACKERS", "Tracker", "checked_trackers"]
