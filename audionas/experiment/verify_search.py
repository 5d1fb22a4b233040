"""Searches and genotypes verified: hashes, what a search says that it has read, and copies against their originals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from audionas.audio.folds import find_split
from audionas.audio.manifest import Manifest
from audionas.experiment.figures import Findings, Mismatch
from audionas.experiment.genotype_sources import read_source, seen_groups
from audionas.experiment.run_folder import RUN_FILE, RunFolder
from audionas.records import read_json
from audionas.spaces.genotype_file import genotype_document


def verify_search(run: RunFolder, root: Path, name: str, findings: Findings) -> None:  # noqa: ARG001
    """The genotype is that of the record, and its search has read no test group of the split that it left out."""
    file = run.path / "genotype.json"
    if not file.is_file():  # the folder of a nested search, whose parts are verified as searches
        return
    source = read_source(file)
    findings.expect(f"{name}/{RUN_FILE}", "genotype_hash", run.record.get("genotype_hash"), source.genotype.hash)
    findings.expect(f"{name}/genotype.json", "split_left_out", source.left_out, run.record.get("split"))
    manifest = Manifest.read(run.path)
    seen = seen_groups(manifest, find_split(manifest, str(source.left_out)), source)
    for group in seen:
        wrong = (f"group {group} was read by the search", "tested in the split that it left out")
        findings.mismatches.append(Mismatch(f"{name}/genotype.json", "groups_read", *wrong))


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
