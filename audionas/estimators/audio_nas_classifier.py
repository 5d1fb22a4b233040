"""`AudioNASClassifier`: search, retraining under folds and a final model as one estimator of scikit-learn."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from audionas.errors import RunError
from audionas.estimators.classifier_files import (
    MODEL_FILES,
    ClassifierFile,
    read_classifier,
    read_model_files,
    write_classifier,
)
from audionas.estimators.given_clips import (
    InputError,
    as_files,
    at_rate,
    classes_as_text,
    given_clips,
    kind_of_classes,
    manifest_of,
)
from audionas.estimators.searched_model import SearchPlan, searched_model
from audionas.experiment.ready_network import ReadyNetwork, load_final
from audionas.records import read_json, write_bytes, writing


class AudioNASClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Classifies audio clips by a network whose architecture is searched on the training clips.

    `fit` does what `audionas search` and `audionas retrain --final` do: it searches on all folds but the first, trains
    the genotype found under every fold, which gives the expected score, and then once more on all clips.
    X is a list of paths of audio files, of any format and rate, or waveforms: an array (clips, samples) or a list of
    arrays, all at `sample_rate_hz`. Clips of a group (a speaker, a recording) are never divided between two parts of
    the work. The progress is logged by the logger `audionas.estimators`.

    Args:
        space: search space, a shipped name or the path of a YAML file.
        strategy: search strategy, a shipped name or the path of a YAML file.
        features: a name, a short form or a YAML file as `audionas search --features` takes it; None: the space's.
        epochs: of the search; None: the strategy's.
        trials: of a search by trials; None: the strategy's.
        retrain_epochs: of every training of the genotype found; None: 60.
        folds: of the expected score; every class needs as many groups.
        seeds: trainings a fold for the expected score.
        random_state: a whole number that seeds the search. Trainings have the seeds of `audionas retrain`.
        device: cpu, cuda or cuda:N.
        threads: CPU threads; None: as `audionas search`.
        sample_rate_hz: of X, where X holds waveforms.
        folder: keeps the work of every fit in `folder/fit_1`, `folder/fit_2`, ...; None: nothing is kept.

    Attributes:
        classes_: the classes, sorted; columns of `predict_proba`.
        genotype_: the genotype found.
        expected_: the scores under the folds, as in `model.json`; what this model can be expected to reach.
        network_: the trained network, a `torch.nn.Module`.
        folder_: where the work lies; None if it is not kept.
    """

    def __init__(
        self,
        space: str = "darts_cnn_small",
        strategy: str = "darts_small_data",
        *,
        features: str | None = None,
        epochs: int | None = None,
        trials: int | None = None,
        retrain_epochs: int | None = None,
        folds: int = 5,
        seeds: int = 1,
        random_state: int = 0,
        device: str = "cpu",
        threads: int | None = None,
        sample_rate_hz: int | None = None,
        folder: str | None = None,
    ) -> None:
        self.space = space
        self.strategy = strategy
        self.features = features
        self.epochs = epochs
        self.trials = trials
        self.retrain_epochs = retrain_epochs
        self.folds = folds
        self.seeds = seeds
        self.random_state = random_state
        self.device = device
        self.threads = threads
        self.sample_rate_hz = sample_rate_hz
        self.folder = folder

    def fit(self, X: Any, y: Any, groups: Any = None) -> Self:  # noqa: N803
        """Search and train on clips X with classes y.

        Args:
            X: paths of audio files, or waveforms.
            y: a class for each clip.
            groups: who speaks, or which recording a clip is of; None: each file is its own group.

        Raises:
            InputError: X, y, groups or a parameter is not what is accepted.
            AudionasError: of its kinds, for a file, a class or a setting that cannot be used.
        """
        target = _target(y)
        clips = given_clips(X)
        check_consistent_length(clips, target, groups)
        classes, places = np.unique(target, return_inverse=True)
        kind_of_classes(classes)
        names = classes_as_text(classes)
        plan = self._plan()
        with self._work_folder() as folder:
            files = as_files(clips, self.sample_rate_hz, folder / "audio")
            final = searched_model(manifest_of(files, [names[place] for place in places], groups), plan, folder)
            self._restore(classes, read_model_files(final))
        self.folder_ = None if self.folder is None else folder
        return self

    def predict(self, X: Any) -> np.ndarray:  # noqa: N803
        """The likeliest class of each clip: (clips,), as `y` had them."""
        places = self.predict_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[places])

    def predict_proba(self, X: Any) -> np.ndarray:  # noqa: N803
        """Probabilities (clips, classes) float64 in the order of `classes_`, averaged over the windows of a clip.

        Raises:
            NotFittedError: `fit` was not called.
            InputError: X is not what is accepted.
            AudioError: a file cannot be read.
        """
        check_is_fitted(self)
        clips = given_clips(X)
        network: ReadyNetwork = self.network_
        files = [clip for clip in clips if isinstance(clip, Path)]
        if files:
            scores = network.scores_of_files(files)
        else:
            waveforms = [clip for clip in clips if isinstance(clip, np.ndarray)]
            scores = network.scores(at_rate(waveforms, self.sample_rate_hz, network.extractor.rate_hz))
        return np.asarray(scores[:, [network.labels.index(name) for name in classes_as_text(self.classes_)]])

    def save(self, folder: str | Path) -> Path:
        """Write the fitted classifier into a new folder: JSON and safetensors, nothing is pickled; returns the folder.

        Raises:
            NotFittedError: `fit` was not called.
            RunError: the folder is not empty, or cannot be written.
        """
        check_is_fitted(self)
        write_classifier(Path(folder), self._head(), self._files)
        return Path(folder)

    @classmethod
    def load(cls, folder: str | Path, device: str | None = None) -> Self:
        """The classifier that `save` wrote, on another device if one is given.

        Raises:
            RunError: there is none, it is damaged, or of a newer version.
        """
        head = read_classifier(Path(folder))
        known = cls._get_param_names()
        if strange := sorted(set(head.parameters) - set(known)):
            raise RunError(f"{folder}: parameter {strange[0]!r} is not known; the classifier is of a newer audionas")
        found = cls()
        found.set_params(**head.parameters)
        found.device = found.device if device is None else device
        found._restore(head.as_array(), read_model_files(Path(folder)))
        return found

    def __getstate__(self) -> dict[str, Any]:
        """Parameters and the contents of our files, so that a pickle or a copy holds texts, numbers and bytes alone."""
        state: dict[str, Any] = {"parameters": self.get_params(deep=False)}
        if self.__sklearn_is_fitted__():
            state |= {"classes": self.classes_, "files": dict(self._files), "folder": self.folder_}
        return state

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        for name, value in state["parameters"].items():
            setattr(self, name, value)
        if "files" in state:
            self._restore(state["classes"], state["files"])
            self.folder_ = state["folder"]

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "network_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string, tags.input_tags.one_d_array = True, True
        return tags

    def _plan(self) -> SearchPlan:
        seed = self.random_state
        if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
            raise InputError(f"random_state: got {seed!r}, must be a whole number from 0 on, so that fit is repeatable")
        return SearchPlan(
            str(self.space), str(self.strategy), None if self.features is None else str(self.features), self.epochs,
            self.trials, self.retrain_epochs, self.folds, self.seeds, int(seed), self.device, self.threads,
        )  # fmt: skip

    @contextmanager
    def _work_folder(self) -> Iterator[Path]:
        """A folder for one fit: kept and numbered, or gone afterwards."""
        if self.folder is None:
            with tempfile.TemporaryDirectory(prefix="audionas-") as place:
                yield Path(place)
            return
        number = 1
        while True:
            place_kept = Path(self.folder) / f"fit_{number}"
            with writing(place_kept):
                try:
                    place_kept.mkdir(parents=True)
                    break
                except FileExistsError:
                    number += 1
        yield place_kept

    def _restore(self, classes: np.ndarray, files: Mapping[str, bytes]) -> None:
        """Everything that is fitted, from the classes and the files of a final model."""
        with tempfile.TemporaryDirectory(prefix="audionas-") as place:
            for name in MODEL_FILES:
                write_bytes(Path(place) / name, files[name])
            network = load_final(Path(place), self.device)
            expected = read_json(Path(place) / MODEL_FILES[0], "model file")["expected"]
        if sorted(network.labels) != sorted(map(str, classes.tolist())):
            raise RunError(
                f"the model knows the classes {', '.join(network.labels)}, the classifier others; save it anew"
            )
        self._files, self.classes_, self.expected_ = dict(files), classes, expected
        self.network_, self.genotype_, self.folder_ = network, network.genotype, None

    def _head(self) -> ClassifierFile:
        values = self.get_params(deep=False)
        plain = {key: str(value) if isinstance(value, Path) else _plain(value) for key, value in values.items()}
        names = tuple(classes_as_text(self.classes_))
        return ClassifierFile(parameters=plain, kind_of_classes=kind_of_classes(self.classes_), classes=names)


def _target(y: Any) -> np.ndarray:
    """y as an array (clips,) of classes, text as text."""
    if y is None:
        raise InputError(
            "AudioNASClassifier requires y to be passed, but the target y is None; give a class for each clip"
        )
    target = column_or_1d(y)
    if target.dtype == object and all(isinstance(value, str) for value in target):
        target = target.astype(str)
    check_classification_targets(target)
    return np.asarray(target)


def _plain(value: Any) -> Any:
    """A number of numpy as Python's."""
    return value.item() if isinstance(value, np.generic) else value
