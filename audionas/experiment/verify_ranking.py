"""A ranking verified: rank correlations computed again from the scores of its genotypes."""

from __future__ import annotations

import json
from pathlib import Path

from audionas.experiment.figures import Findings
from audionas.experiment.rank import GENOTYPES_FILE, RESULT_FILE, ranking_result
from audionas.experiment.run_folder import RunFolder
from audionas.records import read_json, read_jsonl, to_json


def verify_ranking(run: RunFolder, root: Path, name: str, findings: Findings) -> None:  # noqa: ARG001
    """Every figure of `ranking.json`."""
    lines = read_jsonl(run.path / GENOTYPES_FILE)
    main = next(key.removeprefix("supernet_") for key in lines[0] if key.startswith("supernet_"))
    findings.compare(
        f"{name}/{RESULT_FILE}",
        read_json(run.path / RESULT_FILE, "ranking"),
        json.loads(to_json(ranking_result(run.record, lines, main))),
        is_same_version=findings.is_same_version(run.record),
    )
