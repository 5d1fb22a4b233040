"""An evaluation verified: each network's table of predictions, and every score from it."""

from __future__ import annotations

from pathlib import Path

from audionas.audio.manifest import Manifest
from audionas.experiment.evaluation_metrics import recompute_evaluation
from audionas.experiment.figures import Findings
from audionas.experiment.run_folder import RunFolder
from audionas.experiment.verify_predictions import verify_table
from audionas.records import read_json

NOT_CHECKED = "which groups its networks have read stands in the retraining, which is no part of it: not checked"


def verify_evaluation(run: RunFolder, root: Path, name: str, findings: Findings) -> None:  # noqa: ARG001
    """Verify the evaluation in a folder: each network is scored on all clips of all groups but those it left out."""
    other = Manifest.read(run.path)
    stored = read_json(run.path / "metrics.json", "metrics file")
    found = recompute_evaluation(run, stored)
    for network in stored["networks"]:
        out = set(network["groups_left_out"])
        tested = {clip.clip for clip in other.clips if clip.group not in out}
        table = f"{network['network']}/predictions.csv"
        verify_table(run.path / table, f"{name}/{table}", other, tested, findings)
    is_same_version = findings.is_same_version(run.record)
    findings.compare(f"{name}/metrics.json", stored, found, is_same_version=is_same_version)
    findings.notes.append(f"{name}: {NOT_CHECKED}")
