"""The genotypes of a run, by split, as their files hold them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from audionas.audio.folds import split_folder
from audionas.errors import RunError
from audionas.spaces import Genotype
from audionas.spaces.genotype_file import load_genotype

FILE = "genotype.json"
KINDS = ("search", "nested_search", "retrain")


def genotypes_of(folder: Path, record: Mapping[str, Any]) -> dict[str, Genotype]:
    """Split -> genotype; "" -> genotype of a single search. Splits that are not searched yet are left out.

    Raises:
        RunError: there is none yet, or runs of this kind have none.
        GenotypeError: a file is damaged.
    """
    kind, status = str(record.get("kind")), record.get("status")
    if kind not in KINDS:
        raise RunError(f"{folder}: a {kind} run has no genotype; {', '.join(KINDS)} runs have")
    found = {name: load_genotype(file) for name, file in _files(folder, kind, record).items() if file.is_file()}
    if not found:
        go_on = f"; go on with: audionas search --resume {folder}" if kind != "retrain" and status != "running" else ""
        raise RunError(f"{folder / FILE}: there is none yet: this run is {status}{go_on}")
    return found


def _files(folder: Path, kind: str, record: Mapping[str, Any]) -> dict[str, Path]:
    if kind == "search":
        return {"": folder / FILE}
    names = record.get("splits") if kind == "nested_search" else record.get("genotypes")
    return {str(name): folder / split_folder(str(name)) / FILE for name in names or ()}
