"""A fusion verified: its table of predictions, and every row and interval from it and from its streams."""

from __future__ import annotations

from pathlib import Path

from audionas.audio.folds import outer_splits
from audionas.audio.manifest import Manifest
from audionas.errors import RunError
from audionas.experiment.bundle import BUNDLE_FILE
from audionas.experiment.figures import Findings
from audionas.experiment.recompute_fusion import recompute_fusion
from audionas.experiment.run_folder import RUN_FILE, RunFolder
from audionas.experiment.verify_predictions import verify_predictions
from audionas.records import read_json


def verify_fusion(run: RunFolder, root: Path, name: str, findings: Findings) -> None:
    """Verify the fusion in a folder; its streams are looked for in the bundle, of a run folder where they were.

    Raises:
        RunError: a stream is not there.
    """
    streams = [_stream(root, text, name) for text in run.record["streams"]]
    manifest = Manifest.read(streams[0])
    verify_predictions(run.path, name, manifest, outer_splits(manifest), run.record["seeds"], findings)
    stored = read_json(run.path / "metrics.json", "metrics file")
    findings.compare(
        f"{name}/metrics.json",
        stored,
        recompute_fusion(run, streams, stored),
        is_same_version=findings.is_same_version(run.record),
    )


def _stream(root: Path, text: str, name: str) -> Path:
    is_bundle = (root / BUNDLE_FILE).is_file()
    path = (root / text).resolve() if is_bundle else Path(text)
    if is_bundle and not path.is_relative_to(root.resolve()):
        raise RunError(f"{name}: its stream {text!r} lies outside of the bundle")
    if not (path / RUN_FILE).is_file():
        raise RunError(f"{name}: its stream {text!r} is not there; its figures cannot be computed again")
    return path
