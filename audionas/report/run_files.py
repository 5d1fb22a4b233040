"""What the report reads of a run folder. Files that are not there yet are empty here, never an error."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audionas.audio.folds import split_folder
from audionas.errors import RunError, unknown
from audionas.records import parse_yaml, read_json, read_jsonl
from audionas.report.front_file import read_front
from audionas.run_places import RANKING, course_folder, no_run_here
from audionas.search_logs import read_epochs, read_evolution, read_trials
from audionas.training.measures import measures_of

if TYPE_CHECKING:
    from audionas.report.beside import Beside

KINDS = ("search", "nested_search", "retrain", "evaluate", "fuse", "reproduce", "compare")
SCHEMA_VERSION = 1
RETRAINED = "retrained"
DEFAULT_OBJECTIVE = "balanced_loss"  # of `audionas.search.Strategy`, which is beside this package, not below it
JsonObject = dict[str, Any]


@dataclass(frozen=True)
class SearchRun:
    """One search, as far as it has come; `split` names it among nested ones and is else empty.

    `space` and `strategy` are the settings that their YAML files hold. Of a search with restarts, epochs and trials are
    those of the chosen one. `front` is the front.json of a search with several objectives, `ranking` the ranking.json
    of `audionas rank`, `ranked` its genotypes.
    """

    folder: Path
    run: JsonObject
    epochs: tuple[JsonObject, ...]
    trials: tuple[JsonObject, ...]
    genotype: JsonObject | None
    split: str = ""
    space: JsonObject = field(default_factory=dict)
    strategy: JsonObject = field(default_factory=dict)
    retests: tuple[JsonObject, ...] = ()
    ranking: JsonObject | None = None
    ranked: tuple[JsonObject, ...] = ()
    front: JsonObject | None = None
    evolution: tuple[JsonObject, ...] = ()

    @property
    def decided(self) -> JsonObject | None:
        """How firmly the search chose, and how far its restarts agree; None before its end or where it is not known."""
        return self.run.get("decided")

    @property
    def is_multi_trial(self) -> bool:
        """Whether candidates are trained one by one, as far as the files tell."""
        return bool(self.trials or self.run.get("trials"))

    @property
    def objective(self) -> str:
        """What decides between trials; where nothing says so, what decides by default."""
        return str(self.strategy.get("objective") or self.run.get("objective") or DEFAULT_OBJECTIVE)


@dataclass(frozen=True)
class History:
    """Training losses of one retrained network."""

    split: str
    seed: int
    epochs: tuple[JsonObject, ...]


@dataclass(frozen=True)
class Retraining:
    """One retraining, as far as it has come; `parameter_parts` are counts of weights by split's folder and part."""

    folder: Path
    run: JsonObject
    metrics: JsonObject | None
    histories: tuple[History, ...]
    genotypes: dict[str, JsonObject]
    parameter_parts: dict[str, dict[str, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class RunFiles:
    """A folder's searches (several where nested) and its retraining.

    `top` is the run.json of the folder itself. `fusion` is the metrics.json of a fused run, `tables` the
    tables.json of a reproduction, `evaluation` the metrics.json of an evaluation; `stream_parts` are the counts of
    weights of each fused stream's largest network. `beside` are networks that were trained under the same rules as the
    retraining, `not_beside` says which were found and were not. `shows_clips`: whether the page embeds recordings.
    """

    folder: Path
    top: JsonObject
    searches: tuple[SearchRun, ...]
    retraining: Retraining | None
    fusion: JsonObject | None = None
    tables: JsonObject | None = None
    stream_parts: tuple[dict[str, int], ...] = ()
    evaluation: JsonObject | None = None
    beside: tuple[Beside, ...] = ()
    not_beside: tuple[str, ...] = ()
    shows_clips: bool = False

    @property
    def kind(self) -> str:
        """The kind of run in the folder."""
        return str(self.top.get("kind", ""))

    @property
    def is_nested(self) -> bool:
        return self.kind == "nested_search"

    @property
    def data(self) -> JsonObject:
        """What was searched or retrained on."""
        sources = [self.top, *(search.run for search in self.searches)]
        sources += [self.retraining.run] if self.retraining else []
        return next((source["data"] for source in sources if source.get("data")), {})


def read_run(folder: Path) -> RunFiles:
    """Read a folder of a search, a nested search, a retraining, a fusion or a reproduction.

    Raises:
        RunError: the folder is missing, holds no run, or one of another version.
        AudionasError: a file in it is not JSON.
    """
    if not folder.is_dir():
        raise RunError(f"{folder}: no such run folder")
    if not (folder / "run.json").exists():
        raise RunError(no_run_here(folder, KINDS))
    top = _read_object(folder / "run.json", "run record")
    kind = str(top.get("kind", ""))
    if kind == "retrain":
        return RunFiles(folder, top, (), _read_retraining(folder))
    if kind == "fuse":
        return RunFiles(
            folder,
            top,
            (),
            None,
            fusion=_read_if_there(folder / "metrics.json", "metrics file"),
            stream_parts=tuple(_largest_parts(Path(path)) for path in top.get("streams") or []),
        )
    if kind in ("reproduce", "compare"):
        return RunFiles(folder, top, (), None, tables=_read_if_there(folder / "tables.json", "tables file"))
    if kind == "evaluate":
        return RunFiles(folder, top, (), None, evaluation=_read_if_there(folder / "metrics.json", "metrics file"))
    if kind == "nested_search":
        parts = sorted((part for part in folder.glob("split_*") if (part / "run.json").exists()), key=_natural)
        searches = tuple(_read_search(part, part.name.removeprefix("split_")) for part in parts)
    elif kind == "search":
        searches = (_read_search(folder, ""),)
    elif kind == "rank":
        raise RunError(f"{folder}: a ranking is shown on the page of its search; report that run folder instead")
    else:
        raise RunError(f"{folder / 'run.json'}: {unknown('kind of run', kind, KINDS)}")
    retrained = max(folder.glob(f"{RETRAINED}*"), key=_number, default=folder / RETRAINED)
    return RunFiles(folder, top, searches, _read_retraining(retrained) if retrained.is_dir() else None)


def _read_search(folder: Path, split: str) -> SearchRun:
    run = _read_object(folder / "run.json", "run record")
    course, is_done = course_folder(folder, run), run.get("status") == "done"
    main = measures_of(run.get("data") or {})[0].key
    return SearchRun(
        folder=folder,
        run=run,
        epochs=tuple(read_epochs(course / "epochs.jsonl", is_done=is_done)),
        trials=tuple(read_trials(course / "trials.jsonl", is_done=is_done)),
        genotype=_read_if_there(folder / "genotype.json", "genotype"),
        split=str(run.get("split") or split) if split else "",
        space=_read_settings(folder / "space.yaml"),
        strategy=_read_settings(folder / "strategy.yaml"),
        retests=tuple(read_trials(folder / "retests.jsonl", is_done=is_done)),
        ranking=_read_if_there(folder / RANKING / "ranking.json", "ranking"),
        ranked=tuple(read_jsonl(folder / RANKING / "genotypes.jsonl")),
        front=read_front(course / "front.json"),
        evolution=tuple(read_evolution(course / "evolution.jsonl", main, is_done=is_done)),
    )


def _read_retraining(folder: Path) -> Retraining:
    run = _read_if_there(folder / "run.json", "run record") or {}
    histories = []
    for path in sorted(folder.glob("split_*/seed_*/history.jsonl"), key=_natural):
        seed = path.parent.name.removeprefix("seed_")
        split = path.parent.parent.name.removeprefix("split_")
        histories.append(History(split, int(seed) if seed.isdigit() else 0, tuple(read_jsonl(path))))
    return Retraining(
        folder=folder,
        run=run,
        metrics=_read_if_there(folder / "metrics.json", "metrics file"),
        histories=tuple(histories),
        genotypes=_read_genotypes(folder, run.get("genotypes") or {}),
        parameter_parts=_read_parts(folder),
    )


def _read_parts(folder: Path) -> dict[str, dict[str, int]]:
    """Counts of weights by the folder of a split, as the trained networks' records give them."""
    found = {}
    for path in sorted(folder.glob("split_*/seed_*/result.json"), key=_natural):
        parts = _read_object(path, "result").get("parameter_parts")
        if parts:
            found[path.parent.parent.name] = dict(parts)
    return found


def _largest_parts(folder: Path) -> dict[str, int]:
    """Of a stream whose folder is still there, the counts of its largest network."""
    return max(_read_parts(folder).values(), key=lambda parts: parts.get("total", 0), default={})


def _read_genotypes(folder: Path, paths: dict[str, str]) -> dict[str, JsonObject]:
    """The genotype of each split: the copy in the split's folder, else where it was taken from."""
    genotypes = {}
    for split, path in paths.items():
        for candidate in (folder / split_folder(split) / "genotype.json", folder / path, Path(path)):
            if candidate.is_file():
                genotypes[split] = _read_object(candidate, "genotype")
                break
    return genotypes


def _read_settings(path: Path) -> JsonObject:
    return parse_yaml(path.read_text(encoding="utf-8"), str(path)) if path.is_file() else {}


def _read_if_there(path: Path, what: str) -> JsonObject | None:
    return _read_object(path, what) if path.exists() else None


def _read_object(path: Path, what: str) -> JsonObject:
    value = read_json(path, what)
    if not isinstance(value, dict):
        raise RunError(f"{path}: not a {what}: expected a JSON object, got {type(value).__name__}")
    version = value.get("schema_version", SCHEMA_VERSION)
    if version != SCHEMA_VERSION:
        raise RunError(f"{path}: a {what} of version {version}; this audionas reads version {SCHEMA_VERSION}")
    return value


def _natural(path: Path) -> list[tuple[int, int, str]]:
    """Sort key under which split_10 comes after split_9."""
    pieces = [piece for part in path.parts for piece in part.split("_")]
    return [(0, int(piece), "") if piece.isdigit() else (1, 0, piece) for piece in pieces]


def _number(path: Path) -> int:
    """retrained, retrained-2, retrained-3 ...: the newest has the highest number."""
    tail = path.name.rpartition("-")[2]
    return int(tail) if tail.isdigit() else 1
