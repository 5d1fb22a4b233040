"""Tiny corpora as lists of paths, and classifiers fitted on them once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from audionas.estimators import AudioNASClassifier
from tests.experiment.conftest import make_tiny_corpus, make_tiny_space


@dataclass(frozen=True)
class Clips:
    """Paths, classes and speakers of a corpus."""

    paths: list[Path]
    classes: list[Any]
    speakers: list[str]
    space: Path


@pytest.fixture(autouse=True, scope="session")
def _nothing_fitted_twice(nothing_fitted_twice: None) -> None:
    """Every test here."""


@pytest.fixture(scope="session")
def two_classes(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    """24 clips of a low and a high tone by 6 speakers."""
    folder = tmp_path_factory.mktemp("two_classes")
    paths = sorted(make_tiny_corpus(folder).rglob("*.wav"))
    return Clips(
        paths, [path.parent.name for path in paths], [path.name[:2] for path in paths], make_tiny_space(folder)
    )


@pytest.fixture(scope="session")
def ten_classes(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    """40 clips of ten tones, classes 1 to 10 as numbers, by 4 speakers; as text 10 would come after 1."""
    folder = tmp_path_factory.mktemp("ten_classes")
    rng, time_s = np.random.default_rng(0), np.arange(4000) / 8000
    paths, classes, speakers = [], [], []
    for speaker in range(4):
        for number in range(1, 11):
            tone = np.sin(2 * np.pi * (200 * number + 10 * speaker) * time_s) + 0.1 * rng.normal(size=4000)
            paths.append(folder / f"s{speaker}_{number}.wav")
            soundfile.write(paths[-1], 0.3 * tone, 8000)
            classes.append(number)
            speakers.append(f"s{speaker}")
    return Clips(paths, classes, speakers, make_tiny_space(folder))


@pytest.fixture(scope="session")
def classifier() -> Callable[..., AudioNASClassifier]:
    """Makes quick classifiers for a corpus."""

    def make(clips: Clips, **changes: Any) -> AudioNASClassifier:
        given: dict[str, Any] = {"epochs": 1, "retrain_epochs": 2, "folds": 2, "threads": 1}
        return AudioNASClassifier(str(clips.space), **(given | changes))

    return make


@pytest.fixture(scope="session")
def fitted(two_classes: Clips, classifier: Callable[..., AudioNASClassifier]) -> AudioNASClassifier:
    """Fitted on `two_classes`; nobody changes it."""
    return classifier(two_classes, retrain_epochs=8).fit(two_classes.paths, two_classes.classes, two_classes.speakers)


@pytest.fixture(scope="session")
def fitted_on_ten(ten_classes: Clips, classifier: Callable[..., AudioNASClassifier]) -> AudioNASClassifier:
    """Fitted on `ten_classes`; nobody changes it."""
    return classifier(ten_classes).fit(ten_classes.paths, ten_classes.classes, ten_classes.speakers)
