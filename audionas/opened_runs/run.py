"""`Run`: what a run folder holds, for notebooks and programs; nothing in the folder is changed but by `report`."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from audionas.errors import RunError
from audionas.experiment.ready_network import ReadyNetwork
from audionas.opened_runs import figures, tables
from audionas.opened_runs.genotypes import genotypes_of
from audionas.opened_runs.summary import summary_html
from audionas.opened_runs.trained_networks import trained_network
from audionas.records import read_json
from audionas.report.run_files import RunFiles, SearchRun, read_run
from audionas.run_places import RUN_FILE
from audionas.spaces import Genotype

_NOT_DONE = "there is none yet: this run is {status}"


def open_run(path: str | Path) -> Run:
    """The run in a folder, as it is now; of a run that still works, what is there so far.

    Raises:
        RunError: there is no run, or one of a newer version.
        AudionasError: a file of the run is damaged; with its name.
    """
    return Run(Path(path))


class Run:
    """A search, a nested search, a retraining, a fusion, an evaluation, a comparison or a reproduction.

    Scores, predictions and networks of a search are those of its newest retraining (`retraining`). Epochs and trials
    count from 0, as in the files. In a notebook, figures show after `%matplotlib inline`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._files: RunFiles = read_run(path)

    @property
    def kind(self) -> str:
        """`search`, `nested_search`, `retrain`, `fuse`, `evaluate`, `compare` or `reproduce`."""
        return self._files.kind

    @property
    def status(self) -> str:
        """`running`, `done`, `interrupted` or `failed`."""
        return str(self.record.get("status"))

    @property
    def record(self) -> dict[str, Any]:
        """`run.json`: command, versions, machine, cost, data, settings."""
        return self._files.top

    @cached_property
    def genotypes(self) -> dict[str, Genotype]:
        """The genotype of each split of a nested search or a retraining; of a single search under the name "".

        Raises:
            RunError: none is there yet, or runs of this kind have none.
            GenotypeError: a file is damaged.
        """
        return genotypes_of(self.path, self.record)

    @property
    def genotype(self) -> Genotype:
        """The one genotype of the run.

        Raises:
            RunError: there are several, none is there yet, or runs of this kind have none.
        """
        found = list({genotype.hash: genotype for genotype in self.genotypes.values()}.values())
        if len(found) > 1:
            raise RunError(f"{self.path}: has {len(found)} different genotypes, one a split; take .genotypes")
        return found[0]

    @property
    def trials(self) -> pd.DataFrame:
        """One row a trial: number, status, scores on validation clips, parameters, seconds, choices.

        Raises:
            RunError: the run trains no trials.
        """
        if not self._files.searches or not any(search.is_multi_trial for search in self._files.searches):
            raise RunError(f"{self.path}: trains no trials{'; its course is in .epochs' if self._has_epochs else ''}")
        return tables.trials(self._files)

    @property
    def epochs(self) -> pd.DataFrame:
        """One row an epoch: of the supernet of a one-shot search, or of every training of a retraining.

        Raises:
            RunError: the run has no epochs of its own.
        """
        if self.kind == "retrain":
            return tables.training_epochs(self._files)
        if not self._has_epochs:
            by_trials = any(search.is_multi_trial for search in self._files.searches)
            raise RunError(f"{self.path}: has no epochs{'; its course is in .trials' if by_trials else ''}")
        return tables.search_epochs(self._files)

    @property
    def _has_epochs(self) -> bool:
        return any(search.epochs for search in self._files.searches)

    @property
    def retraining(self) -> Run:
        """The newest retraining of a search; a retraining itself.

        Raises:
            RunError: there is none.
        """
        if self.kind == "retrain":
            return self
        found = self._files.retraining
        if found is None or not (found.folder / RUN_FILE).is_file():
            raise RunError(f"{self.path}: has no retraining; run audionas retrain {self.path}")
        return Run(found.folder)

    @property
    def predictions(self) -> pd.DataFrame:
        """The predictions of every network of the retraining or fusion: split, seed, clip, group, label, scores.

        Raises:
            RunError: there are none yet, or runs of this kind have none.
        """
        return tables.predictions(self._scored().path)

    @property
    def metrics(self) -> dict[str, Any]:
        """`metrics.json`.

        Raises:
            RunError: there is none yet, or runs of this kind have none.
        """
        run = self._scored()
        if not (run.path / "metrics.json").is_file():
            raise RunError(f"{run.path / 'metrics.json'}: {_NOT_DONE.format(status=run.status)}")
        found: dict[str, Any] = read_json(run.path / "metrics.json", "metrics file")
        return found

    @property
    def scores(self) -> pd.DataFrame:
        """One row a system, the plain ones too: main and second score, sd over seeds, 95 % interval, p against chance.

        Raises:
            RunError: there are none yet, or runs of this kind have none.
        """
        return tables.scores(self.metrics)

    @property
    def tables(self) -> dict[str, Any]:
        """`tables.json` of a comparison or a reproduction.

        Raises:
            RunError: there is none yet, or runs of this kind have none.
        """
        if self.kind not in ("compare", "reproduce"):
            raise RunError(f"{self.path}: a {self.kind} run has no tables; comparisons and reproductions have")
        if self._files.tables is None:
            raise RunError(f"{self.path / 'tables.json'}: {_NOT_DONE.format(status=self.status)}")
        return self._files.tables

    def plot_cell(self, cell: str = "normal", split: str | None = None) -> Figure:
        """A cell of a CNN genotype (`normal` or `reduce`), or a whole recurrent recipe.

        Raises:
            RunError: the genotype has no cell of this name, or the split must be named.
        """
        return figures.cell(self._genotype_of(split), cell, str(self.path))

    def plot_trials(self, split: str | None = None) -> Figure:
        """What decides between trials, against the size of the networks.

        Raises:
            RunError: no trial has a score yet, the run trains none, or the split must be named.
        """
        return figures.trials(self._search_of(split))

    def plot_learning(self, split: str | None = None) -> Figure:
        """Losses over the epochs: of a one-shot search's supernet, or of the trainings of a retraining.

        Raises:
            RunError: there are no epochs, or the split of a nested search must be named.
        """
        if self.kind == "retrain":
            return figures.trainings(self.epochs, self.path)
        return figures.supernet(self._search_of(split))

    def plot_confusion(self) -> Figure:
        """The confusion matrix, summed over the headline's test folds and all seeds.

        Raises:
            RunError: there are no scores yet, or labels are not classes.
        """
        return figures.confusion(self.metrics, self.path)

    def report(self, out: str | Path | None = None) -> Path:
        """Write the HTML page of the run, by default `report.html` in its folder; returns the file."""
        from audionas.experiment.report_page import report_page

        return report_page(self.path, out=None if out is None else Path(out))

    def model(self, fold: str | None = None, seed: int = 0, device: str = "cpu") -> ReadyNetwork:
        """A trained network, ready for inference: the final model, or that of a test fold and a seed.

        Raises:
            RunError: there is no final model and no fold is named, no such fold or seed, or no weights.
        """
        return trained_network(self.retraining.path, fold, seed, device)

    def _repr_html_(self) -> str:
        return summary_html(self._files)

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r}, {self.kind}, {self.status})"

    def _scored(self) -> Run:
        """The run that holds scores: itself, or the retraining of a search."""
        if self.kind in ("search", "nested_search"):
            return self.retraining
        if self.kind in ("compare", "reproduce"):
            raise RunError(f"{self.path}: a {self.kind} run has its scores in .tables")
        return self

    def _search_of(self, split: str | None) -> SearchRun:
        searches = {search.split: search for search in self._files.searches}
        if not searches:
            raise RunError(f"{self.path}: is a {self.kind} run, no search")
        return searches[self._named(split, list(searches))]

    def _genotype_of(self, split: str | None) -> Genotype:
        return self.genotype if split is None else self.genotypes[self._named(split, list(self.genotypes))]

    def _named(self, split: str | None, names: list[str]) -> str:
        """The split asked for; the only one where there is one."""
        if split is None and len(names) == 1:
            return names[0]
        if split is None or str(split) not in names:
            asked = "several splits" if split is None else f"no split {str(split)!r}"
            raise RunError(f"{self.path}: {asked}; name one of: {', '.join(filter(None, names)) or 'none'}")
        return str(split)
