"""A comparison verified: its tables computed again from the predictions and costs in its folder."""

from __future__ import annotations

import json
from pathlib import Path

from audionas.comparisons.plan import Plan
from audionas.comparisons.tables import comparison_document
from audionas.experiment.figures import Findings
from audionas.experiment.run_folder import RunFolder
from audionas.records import read_json, to_json, validate


def verify_comparison(run: RunFolder, root: Path, name: str, findings: Findings) -> None:  # noqa: ARG001
    """Every score, interval, p value, difference and conclusion of `tables.json`."""
    plan = validate(Plan, run.record["plan"], f"{name}/run.json")
    document, _ = comparison_document(run, plan)
    findings.compare(
        f"{name}/tables.json",
        read_json(run.path / "tables.json", "tables"),
        json.loads(to_json(document)),
        is_same_version=findings.is_same_version(run.record),
    )
