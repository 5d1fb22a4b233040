"""Scores by onnxruntime from an ONNX file that `audionas export` wrote; no network of torch is built."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from audionas.audio.manifest import Task
from audionas.errors import RunError, SettingsError
from audionas.exchange.onnx_file import KEY, SCHEMA_VERSION, SCORES, OnnxDescription, need_onnx
from audionas.exchange.scored_input import Fed, ScoredInput
from audionas.records import validate

ERRORS_ONLY = 3


class OnnxScorer:
    """A `Scorer`; `description` is what the file says of itself."""

    def __init__(self, session: Any, description: OnnxDescription) -> None:
        self._session, self.description = session, description

    @staticmethod
    def open(path: Path, threads: int = 1) -> OnnxScorer:
        """The model of a file.

        Raises:
            RunError: the file is missing, no ONNX model, not of audionas, damaged, or of a newer version.
            SettingsError: onnxruntime is not installed.
        """
        if not path.is_file():
            raise RunError(f"{path}: no such model file")
        session = session_of(path.read_bytes(), str(path), threads)
        description = _description(session.get_modelmeta().custom_metadata_map, str(path))
        _check_names(session, description, str(path))
        return OnnxScorer(session, description)

    @property
    def task(self) -> Task:
        """The kind of label."""
        return self.description.task

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels in the order of the scores."""
        return self.description.labels

    @property
    def inputs(self) -> tuple[ScoredInput, ...]:
        """What the graph is fed."""
        return self.description.inputs

    @property
    def longest_s(self) -> float:
        """The longest clip of the corpus that it was trained on."""
        return self.description.longest_s

    def scores(self, fed: Sequence[Fed]) -> list[np.ndarray]:
        """For each input the mean over its networks, (rows, labels) float64."""
        names = [SCORES] if len(self.inputs) == 1 else [given.scores for given in self.inputs]
        return run_session(self._session, self.inputs, fed, names)


def session_of(model: bytes, where: str, threads: int = 1) -> Any:
    """An onnxruntime session on the CPU.

    Raises:
        RunError: the bytes are no ONNX model, or one that this onnxruntime cannot run.
        SettingsError: onnxruntime is not installed.
    """
    need_onnx("onnxruntime")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = ERRORS_ONLY
    options.intra_op_num_threads = threads
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as why:  # its errors have no common parent but Exception; nothing goes on
        reason = " ".join(str(why).split())[:160]
        raise RunError(
            f"{where}: not a model that onnxruntime can load ({reason}); give a file of audionas export --to onnx"
        ) from why


def run_session(session: Any, inputs: Sequence[ScoredInput], fed: Sequence[Fed], names: list[str]) -> list[np.ndarray]:
    """Outputs of these names, float64."""
    feed: dict[str, np.ndarray] = {}
    for given, (features, lengths) in zip(inputs, fed, strict=True):
        feed[given.features] = np.ascontiguousarray(features, np.float32)
        if given.lengths is not None:
            assert lengths is not None
            feed[given.lengths] = np.asarray(lengths, np.int64)
    return [np.asarray(found, np.float64) for found in session.run(names, feed)]


def _description(metadata: dict[str, str], where: str) -> OnnxDescription:
    if KEY not in metadata:
        raise RunError(
            f"{where}: an ONNX model without audionas's description; make one with audionas export --to onnx"
        )
    try:
        document = json.loads(metadata[KEY])
    except (ValueError, RecursionError) as why:
        raise RunError(f"{where}: its description is damaged; export it again") from why
    if not isinstance(document, dict) or document.get("schema_version") != SCHEMA_VERSION:
        raise RunError(f"{where}: not a model of version {SCHEMA_VERSION} (damaged, or from a newer audionas)")
    try:
        return validate(OnnxDescription, document, f"{where}: description")
    except SettingsError as why:
        raise RunError(f"{why}; export it again") from why


def _check_names(session: Any, description: OnnxDescription, where: str) -> None:
    """The graph must have the inputs and outputs that the description names."""
    inputs = [name for given in description.inputs for name in (given.features, given.lengths) if name is not None]
    outputs = [SCORES] if len(description.inputs) == 1 else [SCORES, *(given.scores for given in description.inputs)]
    found = [[value.name for value in values] for values in (session.get_inputs(), session.get_outputs())]
    if found != [inputs, outputs]:
        raise RunError(f"{where}: its graph has other inputs or outputs than its description; export it again")
