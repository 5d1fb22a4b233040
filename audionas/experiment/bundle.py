"""`audionas bundle`: what others need to check a run, in one zip; no audio, no features, no path of this machine.

bundle.json       kind of each run, sha256 of each file
environment.json  packages as installed where the bundle was made
run/              the run folder: configs, manifest, genotypes, logs, predictions, metrics
streams/1/ ...    retrainings that a fusion was made of and that lie elsewhere
"""

from __future__ import annotations

import hashlib
import platform
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from audionas import __version__
from audionas.errors import AudionasError, RunError
from audionas.experiment.bundle_zip import SUFFIXES, write_zip
from audionas.experiment.machine_paths import absolute_paths, clean_text, without_machine_paths
from audionas.experiment.run_folder import RUN_FILE, RunFolder
from audionas.records import read_json, read_jsonl, to_json

SCHEMA_VERSION = 1
BUNDLE_FILE, ENVIRONMENT_FILE = "bundle.json", "environment.json"
RUN, STREAMS = "run", "streams"
WEIGHTS = ".safetensors"
_LEFT_OUT = {"checkpoint", "features", "trackers"}  # folders
_OF_PREPARED = ("manifest.csv", "manifest.json")  # what is kept of a prepared corpus inside a reproduction


@dataclass(frozen=True)
class Bundled:
    """A bundle that was written; `sha256` is that of the zip."""

    path: Path
    n_files: int
    n_bytes: int
    sha256: str


def bundle(run: Path, out: Path | None = None, *, weights: bool = False) -> Bundled:
    """Write the bundle of a finished run; by default `bundle.zip` in its folder.

    The same run, packages and options give the same bytes.

    Raises:
        RunError: there is no run, it is not finished, `out` exists or is no .zip, a stream is missing, or a table
            holds a path of this machine.
        AudionasError: a file of the run is damaged.
    """
    folder = RunFolder.open(run)
    if folder.record["status"] != "done":
        raise RunError(f"{run}: this run is not finished ({folder.record['status']}); resume it first")
    target = out or run / "bundle.zip"
    if target.suffix != ".zip":
        raise RunError(f"{target}: a bundle is a .zip file; choose another --out")
    if out is not None and out.exists():
        raise RunError(f"{out}: exists already; choose another --out")
    files = bundle_files(run, weights=weights)
    write_zip(target, files)
    content = target.read_bytes()
    return Bundled(target, len(files), len(content), hashlib.sha256(content).hexdigest())


def bundle_files(run: Path, *, weights: bool = False) -> dict[str, bytes]:
    """Every file of a bundle: its name there, and its content without paths of this machine."""
    roots = {RUN: run, **_streams(run)}
    places: dict[str, str] = {}
    for name, folder in roots.items():
        places |= {str(folder.resolve()): name, str(folder.absolute()): name}
    files = {
        f"{name}/{path.relative_to(folder).as_posix()}": _content(path, places)
        for name, folder in roots.items()
        for path in _files(folder, weights)
    }
    files[ENVIRONMENT_FILE] = _json(_environment())
    kinds = {
        name.removesuffix(f"/{RUN_FILE}"): read_json(path, "run file").get("kind")
        for folder_name, folder in roots.items()
        for path in sorted(folder.rglob(RUN_FILE))
        if (name := f"{folder_name}/{path.relative_to(folder).as_posix()}") in files
    }
    files[BUNDLE_FILE] = _json({
        "schema_version": SCHEMA_VERSION,
        "kind": "bundle",
        "audionas": __version__,
        "run": RUN,
        "runs": kinds,
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())},
    })  # fmt: skip
    return files


def _streams(run: Path) -> dict[str, Path]:
    """The streams of the fusions in a run folder, as far as they lie outside of it."""
    found: list[Path] = []
    for path in sorted(run.rglob(RUN_FILE)):
        record = read_json(path, "run file")
        for text in (record.get("streams") or []) if record.get("kind") == "fuse" else []:
            stream = Path(text).resolve()
            if not (stream / RUN_FILE).is_file():
                raise RunError(f"{path.parent}: its stream {stream} is not there; a bundle needs its predictions")
            if not stream.is_relative_to(run.resolve()) and stream not in found:
                found.append(stream)
    return {f"{STREAMS}/{number}": stream for number, stream in enumerate(found, start=1)}


def _files(folder: Path, weights: bool) -> Iterator[Path]:
    """The files of a run folder that are bundled, sorted."""
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        is_hidden = any(part.startswith(".") for part in parts)
        if not path.is_file() or path.is_symlink() or is_hidden or _LEFT_OUT & set(parts):
            continue
        if "prepared" in parts and path.name not in _OF_PREPARED:
            continue
        if path.suffix in SUFFIXES and (path.suffix != WEIGHTS or weights):
            yield path


def _content(path: Path, places: Mapping[str, str]) -> bytes:
    """A file's content, the bytes themselves where they hold no path of this machine."""
    if path.suffix == WEIGHTS:
        return path.read_bytes()
    if path.suffix == ".json":
        value = read_json(path, "file of a run")
        cleaned = without_machine_paths(value, places)
        return path.read_bytes() if cleaned == value else _json(cleaned)
    if path.suffix == ".jsonl":
        lines = read_jsonl(path)
        return "".join(to_json(without_machine_paths(line, places)) + "\n" for line in lines).encode()
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as why:
        raise AudionasError(f"{path}: not UTF-8; no file of audionas") from why
    if path.suffix == ".csv":
        _refuse_paths(path, text, places)
        return path.read_bytes()
    return "\n".join(clean_text(line, places) for line in text.split("\n")).encode()


def _refuse_paths(path: Path, text: str, places: Mapping[str, str]) -> None:
    """A table is bundled byte by byte, as its hash counts; so it must hold no path of this machine.

    Raises:
        RunError: it holds the path of a run, or one of the user's home.
    """
    own = (*places, str(Path.home()))
    found = [folder for folder in own if len(folder) > 1 and folder in text]
    if found:
        line = next(line for line in text.splitlines() if found[0] in line)
        shown = next(iter(absolute_paths(line)), found[0])
        raise RunError(f"{path}: holds the path {shown}; drop that column from the table and prepare the data again")


def _environment() -> dict[str, Any]:
    """Python, system and every installed package, as `pip freeze` would name them."""
    packages = {f"{found.metadata['Name']}=={found.version}" for found in distributions() if found.metadata["Name"]}
    return {
        "schema_version": SCHEMA_VERSION,
        "what": "packages installed where the bundle was made; those that each run used stand in its run.json",
        "python": platform.python_version(),
        "system": sys.platform,
        "machine": platform.machine(),
        "packages": sorted(packages, key=str.lower),
    }


def _json(value: object) -> bytes:
    return (to_json(value, indent=2) + "\n").encode()
