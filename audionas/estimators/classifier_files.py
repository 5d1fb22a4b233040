"""The files of a fitted classifier: `classifier.json`, and `model.json` with `weights.safetensors` as `retrain --final`
leaves them. Nothing is pickled.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np

from audionas.errors import RunError, SettingsError
from audionas.experiment.ready_network import MODEL_FILE
from audionas.experiment.run_folder import refuse_occupied
from audionas.experiment.trained_network import WEIGHTS_FILE
from audionas.records import Record, read_json, validate, write_bytes, write_json

FILE = "classifier.json"
MODEL_FILES = (MODEL_FILE, WEIGHTS_FILE)
Parameter = int | float | str | bool | None
_TYPES: dict[str, type] = {"text": str, "int": np.int64, "bool": bool, "float": float}


class ClassifierFile(Record):
    """`classifier.json`: the parameters of the estimator, and its classes in the order of its probabilities."""

    schema_version: Literal[1] = 1
    estimator: Literal["AudioNASClassifier"] = "AudioNASClassifier"
    parameters: dict[str, Parameter]
    kind_of_classes: Literal["text", "int", "bool", "float"]
    classes: tuple[str, ...]

    def as_array(self) -> np.ndarray:
        """The classes as `fit` had them."""
        if self.kind_of_classes == "bool":
            return np.array([name == "True" for name in self.classes])
        return np.array(self.classes).astype(_TYPES[self.kind_of_classes])


def read_model_files(folder: Path) -> dict[str, bytes]:
    """The files of a final model, by name.

    Raises:
        RunError: one cannot be read.
    """
    found = {}
    for name in MODEL_FILES:
        try:
            found[name] = (folder / name).read_bytes()
        except OSError as why:
            raise RunError(f"{folder / name}: cannot read this file ({why.strerror or why})") from why
    return found


def write_classifier(folder: Path, head: ClassifierFile, files: Mapping[str, bytes]) -> None:
    """Write all files into a new or empty folder, `classifier.json` last.

    Raises:
        RunError: the folder is not empty, or cannot be written.
    """
    refuse_occupied(folder)
    for name, content in files.items():
        write_bytes(folder / name, content)
    write_json(folder / FILE, head.model_dump(mode="json"))


def read_classifier(folder: Path) -> ClassifierFile:
    """`classifier.json` of a folder.

    Raises:
        RunError: it is missing, damaged, or of a newer version.
    """
    path = folder / FILE
    if not path.is_file():
        raise RunError(f"{folder}: no classifier here ({FILE} is missing); AudioNASClassifier.save(folder) writes one")
    value: Any = read_json(path, "classifier file")
    if isinstance(value, dict) and value.get("schema_version") != 1:
        raise RunError(f"{path}: not a classifier of version 1 (damaged, or from a newer audionas)")
    try:
        head = validate(ClassifierFile, value, str(path))
        head.as_array()
    except (SettingsError, ValueError) as why:
        raise RunError(f"{path}: damaged ({str(why)[:200]}); save the classifier again") from why
    return head
