"""Searches and genotypes verified: hashes, what a search says that it has read, and copies against their originals."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from audionas.audio.folds import find_split
from audionas.audio.manifest import Manifest
from audionas.experiment.decision import EVOLUTION_FILE
from audionas.experiment.figures import Findings, Mismatch
from audionas.experiment.genotype_sources import read_source, seen_groups
from audionas.experiment.run_folder import RUN_FILE, RunFolder
from audionas.experiment.search_front import FRONT_FILE, front_document
from audionas.experiment.search_inputs import read_inputs
from audionas.records import read_json, to_json
from audionas.search.candidate_costs import costs_asked
from audionas.search.retest import FILE_NAME as RETESTS_FILE
from audionas.search.trials import FILE_NAME as TRIALS_FILE
from audionas.search.trials import TrialLog
from audionas.search_logs import EPOCHS_FILE, read_epochs, read_evolution, read_trials
from audionas.spaces.genotype_file import genotype_document


def verify_search(run: RunFolder, root: Path, name: str, findings: Findings) -> None:  # noqa: ARG001
    """The genotype is that of the record, and its search has read no test group of the split that it left out."""
    file = run.path / "genotype.json"
    if not file.is_file():  # the folder of a nested search, whose parts are verified as searches
        return
    source = read_source(file)
    findings.expect(f"{name}/{RUN_FILE}", "genotype_hash", run.record.get("genotype_hash"), source.genotype.hash)
    findings.expect(f"{name}/genotype.json", "split_left_out", source.left_out, run.record.get("split"))
    _verify_logs(run, name, findings)
    _verify_front(run, name, findings)
    manifest = Manifest.read(run.path)
    seen = seen_groups(manifest, find_split(manifest, str(source.left_out)), source)
    for group in seen:
        wrong = (f"group {group} was read by the search", "tested in the split that it left out")
        findings.mismatches.append(Mismatch(f"{name}/genotype.json", "groups_read", *wrong))


def _verify_logs(run: RunFolder, name: str, findings: Findings) -> None:
    """No line of a log is torn or foreign, and the architectures of the trials have the hashes that are logged."""
    with findings.reading(f"{name}/{EPOCHS_FILE}"):
        read_epochs(run.path / EPOCHS_FILE, is_done=True)
    with findings.reading(f"{name}/{EVOLUTION_FILE}"):
        read_evolution(run.path / EVOLUTION_FILE, is_done=True)
    for file in (TRIALS_FILE, RETESTS_FILE):
        with findings.reading(f"{name}/{file}"):
            _verify_hashes(run, f"{name}/{file}", read_trials(run.path / file, is_done=True), findings)


def _verify_hashes(run: RunFolder, name: str, lines: list[dict[str, Any]], findings: Findings) -> None:
    """The hash of each trial is that of its sample."""
    space = read_inputs(run.path)[0]
    for number, line in enumerate(lines, start=1):
        if line["event"] != "finished":
            findings.expect(name, f"line {number}, hash", line["hash"], space.genotype(line["sample"]).hash)


def _verify_front(run: RunFolder, name: str, findings: Findings) -> None:
    """The front is that of the trials in the log, and its files are those genotypes."""
    strategy = read_inputs(run.path)[1]
    if not costs_asked(strategy.algorithm, strategy.settings):
        return
    with TemporaryDirectory() as folder:  # a log that is opened is mended where it was torn: not the run's own
        log = Path(shutil.copy(run.path / TRIALS_FILE, folder))
        document, trials = front_document(TrialLog(log), strategy)
    stored = read_json(run.path / FRONT_FILE, "front")
    same = findings.is_same_version(run.record)
    findings.compare(f"{name}/{FRONT_FILE}", stored, json.loads(to_json(document)), is_same_version=same)
    for point, trial in zip(document["points"], trials, strict=True):
        found = read_source(run.path / str(point["file"])).genotype.hash
        findings.expect(f"{name}/{point['file']}", "hash", found, trial.hash)


def verify_genotypes(root: Path, findings: Findings) -> None:
    """Every genotype has the hash of its cells; a copy says of its search what the search's own file says."""
    originals: dict[tuple[str, str, str], tuple[str, Any]] = {}
    copies = []
    for file in sorted(root.rglob("genotype.json")):
        name = file.relative_to(root).as_posix()
        with findings.reading(name):
            source = read_source(file)  # refuses a hash that does not fit
            document = genotype_document(source.genotype)
            findings.expect(name, "hash", read_json(file, "genotype").get("hash"), document["hash"])
            key = tuple(str(source.provenance.get(part)) for part in ("created", "split_left_out", "manifest_sha256"))
            read = source.provenance.get("groups_read")
            is_search = read_json(file.parent / RUN_FILE, "run").get("genotype_hash") if _has_run(file) else None
            if is_search:
                originals[key[0], key[1], key[2]] = name, read
            else:
                copies.append((name, (key[0], key[1], key[2]), read))
    for name, key, read in copies:
        if key in originals:
            original, expected = originals[key]
            findings.expect(name, f"groups_read, as in {original}", read, expected)


def _has_run(file: Path) -> bool:
    return (file.parent / RUN_FILE).is_file()
