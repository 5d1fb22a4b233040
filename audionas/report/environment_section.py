"""The parts of the page that say on what a run was made and how to make it again: commands, seeds, versions."""

from __future__ import annotations

import platform
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from audionas.errors import AudionasError
from audionas.quantities import count_text
from audionas.records import read_json
from audionas.report.blocks import Commands, Facts, Section
from audionas.report.quantities import plain
from audionas.report.run_files import JsonObject, RunFiles

Named = list[tuple[str, JsonObject]]  # what a run did, and its run.json
_RUN_FILE = "run.json"


def commands_section(files: RunFiles) -> Section:
    """Every command behind the page, in the order in which they are run; runs that lie elsewhere as far as they do."""
    rows = [(what, str(run["command"])) for what, run in [*_earlier(files), *_runs(files)] if run.get("command")]
    rows = list(dict.fromkeys(rows))
    rows.append(("this page", f"audionas report {shlex.quote(str(files.folder))}"))
    return Section("repeat", "Commands to repeat this", (Commands(tuple(rows)),), "One click selects a whole command.")


def environment_section(files: RunFiles) -> Section:
    """Seeds, when and where each run was made, and versions; what differs between runs stands there for each."""
    runs = _runs(files)
    rows = [*_seeds(files), *((f"{what} made", str(run["created"])) for what, run in runs if run.get("created"))]
    rows += _machines(runs)
    names = dict.fromkeys(name for _, run in runs for name in run.get("versions") or {})
    for name in names:
        rows += _where_alike(str(name), [(what, plain((run.get("versions") or {}).get(name))) for what, run in runs])
    manifest = files.data.get("manifest_sha256")
    if manifest:
        rows.append(("manifest (sha256)", str(manifest)))
    rows.append(("page written with Python", platform.python_version()))
    return Section("versions", "Seeds, machine, versions", (Facts(tuple(rows)),))


def _runs(files: RunFiles) -> Named:
    """The runs that the page is about; of a nested search the one command that made them all."""
    kind = files.kind
    if kind not in ("search", "nested_search", "retrain"):
        return [(kind or "run", files.top)]
    found: Named = []
    if kind != "retrain":
        found.append(("search", files.top if files.top.get("command") else _first(files)))
    if files.retraining and files.retraining.run:
        found.append(("retraining", files.retraining.run))
    return found


def _first(files: RunFiles) -> JsonObject:
    return files.searches[0].run if files.searches else files.top


def _earlier(files: RunFiles) -> Named:
    """Runs that others were made of: the search of a genotype, the streams of a fusion, the networks evaluated."""
    top = files.top
    if files.kind == "fuse":
        places = [(f"stream {number}", Path(str(place))) for number, place in enumerate(top.get("streams") or [], 1)]
    elif files.kind == "evaluate":
        places = [("retraining", Path(str(top.get("evaluated") or "")))]
    elif files.kind == "retrain":
        folders = dict.fromkeys(Path(str(file)).parent for file in (top.get("genotypes") or {}).values())
        places = [("search of the genotype", _whole(folder)) for folder in folders]
    else:
        return []
    return [(what, run) for what, place in places if (run := _read(place))]


def _whole(folder: Path) -> Path:
    """Of a split's folder of a nested search that search's own."""
    above = folder.parent
    return above if folder.name.startswith("split_") and (above / _RUN_FILE).is_file() else folder


def _read(folder: Path) -> JsonObject | None:
    """The run.json of a folder that another run names; None where it is not there or not readable."""
    if not (folder / _RUN_FILE).is_file():
        return None
    try:
        value = read_json(folder / _RUN_FILE, "run record")
    except AudionasError:
        return None
    return value if isinstance(value, dict) else None


def _seeds(files: RunFiles) -> list[tuple[str, str]]:
    rows = []
    seeds = list(dict.fromkeys(search.run["seed"] for search in files.searches if search.run.get("seed") is not None))
    if seeds:
        restarts = _first(files).get("restarts")
        more = f", and the {count_text(restarts, 'restart')} from there on" if restarts else ""
        rows.append(("seed of the search", plain(seeds) + more))
    run = files.retraining.run if files.retraining else files.top
    if run.get("seeds"):
        what = "the retraining" if files.retraining else f"the {files.kind} run"
        rows.append((f"seeds of {what}", plain(list(run["seeds"]))))
    return rows


def _machines(runs: Named) -> list[tuple[str, str]]:
    texts = [(what, _machine_text(run["machine"])) for what, run in runs if run.get("machine")]
    rows = _where_alike("machine", texts)
    devices = [(what, _device_text(run)) for what, run in runs if run.get("device")]
    return rows + _where_alike("computed on", devices)


def _machine_text(machine: Mapping[str, Any]) -> str:
    parts = [
        str(machine.get("processor") or "unknown processor"),
        count_text(machine.get("cores"), "core"),
        f"{plain(machine.get('memory_gib'))} GiB of memory",
        str(machine.get("system") or ""),
    ]
    return ", ".join(part for part in parts if part)


def _device_text(run: JsonObject) -> str:
    gpu = (run.get("machine") or {}).get("gpu")
    if gpu:
        text = f"{run['device']}: {gpu.get('name')}, {plain(gpu.get('memory_gib'))} GiB, CUDA {plain(gpu.get('cuda'))}"
    else:
        text = f"{run['device']}, {count_text(run.get('threads'), 'thread')}"
    text += f", {_PRECISIONS.get(run['precision'], run['precision'])}" if _tells_precision(run) else ""
    return text + (f", {run['kernel_path']} kernels" if run.get("kernel_path") else "")


_PRECISIONS = {"32": "float32", "16": "float16 mixed precision", "bf16": "bfloat16 mixed precision"}


def _tells_precision(run: JsonObject) -> bool:
    """Whether to say in which numbers a run computed: on the CPU float32 goes without saying."""
    return bool(run.get("precision")) and (run["precision"] != "32" or run["device"] != "cpu")


def _where_alike(name: str, texts: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """One row where all runs say the same, else one each."""
    if len({text for _, text in texts}) <= 1:
        return [(name, text) for _, text in texts[:1]]
    return [(f"{name} ({what})", text) for what, text in texts]
