"""`audionas verify`: every figure of a bundle, or of a run folder, computed again from the predictions in it.

Nothing is unpickled or evaluated, and of weights nothing is read. Of a retraining of before plain baselines left their
predictions, these are only checked for agreement with their own confusions.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from audionas.audio.manifest import Manifest
from audionas.errors import RunError
from audionas.experiment.bundle import BUNDLE_FILE, RUN
from audionas.experiment.bundle_zip import SUFFIXES, unpack
from audionas.experiment.corpus import data_record
from audionas.experiment.figures import ABSENT, Findings, Mismatch
from audionas.experiment.run_folder import RUN_FILE, RunFolder
from audionas.experiment.verify_evaluation import verify_evaluation
from audionas.experiment.verify_fusion import verify_fusion
from audionas.experiment.verify_ranking import verify_ranking
from audionas.experiment.verify_retraining import verify_retraining
from audionas.experiment.verify_search import verify_genotypes, verify_search
from audionas.records import read_json
from audionas.run_places import no_run_here

Verify = Callable[[RunFolder, Path, str, Findings], None]

VERIFIERS: dict[str, Verify] = {
    "search": verify_search,
    "nested_search": verify_search,
    "rank": verify_ranking,
    "retrain": verify_retraining,
    "evaluate": verify_evaluation,
    "fuse": verify_fusion,
}


def verify(path: Path, more: Mapping[str, Verify] | None = None) -> Findings:
    """Verify a bundle (a zip, or its unpacked folder) or a run folder.

    Args:
        more: what verifies further kinds of runs.

    Raises:
        RunError: there is none, or the zip cannot be read safely.
    """
    if path.is_dir():
        return _verify_folder(path, {**VERIFIERS, **(more or {})})
    if not path.exists():
        raise RunError(f"{path}: no such bundle or run folder")
    with tempfile.TemporaryDirectory(prefix="audionas-verify-") as name:
        unpack(path, Path(name))
        return _verify_folder(Path(name), {**VERIFIERS, **(more or {})})


def _verify_folder(root: Path, verifiers: Mapping[str, Verify]) -> Findings:
    findings = Findings(str(root))
    if (root / BUNDLE_FILE).is_file():
        _verify_hashes(root, findings)
        if not (root / RUN / RUN_FILE).is_file():
            findings.mismatches.append(Mismatch(f"{RUN}/{RUN_FILE}", "", "the bundled run", ABSENT))
    elif not (root / RUN_FILE).is_file():
        raise RunError(f"{no_run_here(root)}; nor is it a bundle ({BUNDLE_FILE} is missing)")
    for file in sorted(root.rglob(RUN_FILE)):
        name = file.parent.relative_to(root).as_posix()
        with findings.reading(f"{name}/{RUN_FILE}"):
            _verify_run(RunFolder.open(file.parent), root, name, verifiers, findings)
    with findings.reading("genotype.json"):
        verify_genotypes(root, findings)
    return findings


def _verify_run(run: RunFolder, root: Path, name: str, verifiers: Mapping[str, Verify], findings: Findings) -> None:
    kind = str(run.record["kind"])
    if run.record["status"] != "done":
        findings.notes.append(f"{name}: this run was not finished ({run.record['status']})")
        return
    if (run.path / "manifest.json").is_file():
        with findings.reading(f"{name}/manifest.csv"):
            _verify_data(run, name, findings)
    if kind not in verifiers:
        findings.notes.append(f"{name}: nothing verifies a run of kind {kind}")
        return
    with findings.reading(name):
        verifiers[kind](run, root, name, findings)


def _verify_data(run: RunFolder, name: str, findings: Findings) -> None:
    """What `run.json` says of the corpus is what the manifest beside it gives; its hash covers clips and folds."""
    stored = {key: value for key, value in run.record.get("data", {}).items() if key != "root"}
    found = {key: value for key, value in data_record(Manifest.read(run.path)).items() if key in stored}
    findings.compare(
        f"{name}/{RUN_FILE}", {"data": stored}, {"data": found}, is_same_version=findings.is_same_version(run.record)
    )


def _verify_hashes(root: Path, findings: Findings) -> None:
    """The files are those that the bundle lists, byte by byte.

    Raises:
        RunError: the list is damaged.
    """
    record = read_json(root / BUNDLE_FILE, "bundle file")
    listed = record.get("files") if isinstance(record, dict) else None
    if not isinstance(listed, dict):
        raise RunError(f"{root / BUNDLE_FILE}: damaged: no list of files; make the bundle again")
    found = {
        path.relative_to(root).as_posix(): path
        for path in root.rglob("*")
        if path.is_file() and path.suffix in SUFFIXES and path.name != BUNDLE_FILE
    }
    for name in sorted({*listed, *found}):
        sha256 = hashlib.sha256(found[name].read_bytes()).hexdigest() if name in found else ABSENT
        findings.expect(name, "sha256", listed.get(name, ABSENT), sha256)
