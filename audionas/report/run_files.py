"""What the report reads of a run folder. Files that are not there yet are empty here, never an error."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audionas.audio.folds import split_folder
from audionas.errors import RunError, unknown
from audionas.records import read_jsonl
from audionas.report.front_file import read_front
from audionas.report.run_reading import RunReading, kind_by_files
from audionas.run_places import RANKING, course_folder, no_run_here
from audionas.search_logs import read_epochs, read_evolution, read_trials
from audionas.training.measures import measures_of

if TYPE_CHECKING:
    from audionas.report.beside import Beside

KINDS = ("search", "nested_search", "retrain", "evaluate", "fuse", "reproduce", "compare")
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
    retraining, `not_beside` says which were found and were not. `faults` are files that could not be read, or not
    whole. `shows_clips`: whether the page embeds recordings.
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
    faults: tuple[str, ...] = ()
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


def read_run(folder: Path, *, salvages: bool = False) -> RunFiles:
    """Read a folder of a search, a nested search, a retraining, a fusion or a reproduction.

    Args:
        salvages: what is damaged or of another version is left out, or read as far as it goes, and told in `faults`.

    Raises:
        RunError: the folder is missing or holds no run; unless `salvages`, also one of another version.
        AudionasError: a file in it is damaged, unless `salvages`.
    """
    if not folder.is_dir():
        raise RunError(f"{folder}: no such run folder")
    faults: list[str] = []
    reading = RunReading(faults if salvages else None)
    is_there = (folder / "run.json").exists()
    guessed = kind_by_files(folder) if salvages else ""
    if not is_there and not guessed:
        raise RunError(no_run_here(folder, KINDS))
    top = reading.record(folder / "run.json")
    if top is None and not guessed:
        raise RunError(faults[0])
    if not is_there:
        faults.append(f"{folder / 'run.json'}: missing")
    top = _mended(top or {}, guessed)
    found = _read_kind(folder, top, reading)
    return replace(found, faults=tuple(dict.fromkeys(faults)))


def _mended(top: JsonObject, guessed: str) -> JsonObject:
    """A run record as far as it can be used: its kind by the files where it has none that is known."""
    if guessed and top.get("kind") not in (*KINDS, "rank"):
        return {**top, "kind": guessed, "status": top.get("status", "unknown")}
    return top


def _read_kind(folder: Path, top: JsonObject, reading: RunReading) -> RunFiles:
    kind = str(top.get("kind", ""))
    if kind == "retrain":
        return RunFiles(folder, top, (), _read_retraining(folder, reading))
    if kind == "fuse":
        parts = tuple(_largest_parts(Path(str(path)), reading) for path in _list(top.get("streams")))
        fusion = reading.object(folder / "metrics.json", "metrics file")
        return RunFiles(folder, top, (), None, fusion=fusion, stream_parts=parts)
    if kind in ("reproduce", "compare"):
        return RunFiles(folder, top, (), None, tables=reading.object(folder / "tables.json", "tables file"))
    if kind == "evaluate":
        return RunFiles(folder, top, (), None, evaluation=reading.object(folder / "metrics.json", "metrics file"))
    if kind == "nested_search":
        parts_ = sorted((part for part in folder.glob("split_*") if _is_search(part, reading)), key=_natural)
        searches = tuple(_read_search(part, part.name.removeprefix("split_"), reading) for part in parts_)
    elif kind == "search":
        searches = (_read_search(folder, "", reading),)
    elif kind == "rank":
        raise RunError(f"{folder}: a ranking is shown on the page of its search; report that run folder instead")
    else:
        raise RunError(f"{folder / 'run.json'}: {unknown('kind of run', kind, KINDS)}")
    retrained = max(folder.glob(f"{RETRAINED}*"), key=_number, default=folder / RETRAINED)
    return RunFiles(folder, top, searches, _read_retraining(retrained, reading) if retrained.is_dir() else None)


def _is_search(part: Path, reading: RunReading) -> bool:
    return (part / "run.json").exists() or (reading.faults is not None and kind_by_files(part) == "search")


def _read_search(folder: Path, split: str, reading: RunReading) -> SearchRun:
    run = reading.record(folder / "run.json") or {}
    course, is_done = _course(folder, run), run.get("status") == "done"
    data = run.get("data")
    main = measures_of(data if isinstance(data, dict) else {})[0].key
    return SearchRun(
        folder=folder,
        run=run,
        epochs=reading.lines(lambda n: read_epochs(course / "epochs.jsonl", is_done=is_done, n_lines=n)),
        trials=reading.lines(lambda n: read_trials(course / "trials.jsonl", is_done=is_done, n_lines=n)),
        genotype=reading.object(folder / "genotype.json", "genotype"),
        split=str(run.get("split") or split) if split else "",
        space=reading.settings(folder / "space.yaml"),
        strategy=reading.settings(folder / "strategy.yaml"),
        retests=reading.lines(lambda n: read_trials(folder / "retests.jsonl", is_done=is_done, n_lines=n)),
        ranking=reading.object(folder / RANKING / "ranking.json", "ranking"),
        ranked=reading.lines(lambda n: read_jsonl(folder / RANKING / "genotypes.jsonl", n_lines=n)),
        front=reading.optional(lambda: read_front(course / "front.json")),
        evolution=reading.lines(lambda n: read_evolution(course / "evolution.jsonl", main, is_done=is_done, n_lines=n)),
    )


def _course(folder: Path, run: JsonObject) -> Path:
    """Where the logs lie: in a restart that is there, else in the folder itself."""
    course = course_folder(folder, run)
    return course if course.is_dir() else folder


def _read_retraining(folder: Path, reading: RunReading) -> Retraining:
    run = reading.record(folder / "run.json") or {}
    is_done, histories = run.get("status") == "done", []
    for path in sorted(folder.glob("split_*/seed_*/history.jsonl"), key=_natural):
        seed = path.parent.name.removeprefix("seed_")
        split = path.parent.parent.name.removeprefix("split_")
        lines = reading.lines(lambda n, path=path: read_jsonl(path, is_whole=is_done, n_lines=n))  # type: ignore[misc]
        histories.append(History(split, int(seed) if seed.isdigit() else 0, lines))
    genotypes = run.get("genotypes")
    return Retraining(
        folder=folder,
        run=run,
        metrics=reading.object(folder / "metrics.json", "metrics file"),
        histories=tuple(histories),
        genotypes=_read_genotypes(folder, genotypes if isinstance(genotypes, dict) else {}, reading),
        parameter_parts=_read_parts(folder, reading),
    )


def _read_parts(folder: Path, reading: RunReading) -> dict[str, dict[str, int]]:
    """Counts of weights by the folder of a split, as the trained networks' records give them."""
    found = {}
    for path in sorted(folder.glob("split_*/seed_*/result.json"), key=_natural):
        parts = (reading.object(path, "result") or {}).get("parameter_parts")
        if isinstance(parts, dict):
            found[path.parent.parent.name] = dict(parts)
    return found


def _largest_parts(folder: Path, reading: RunReading) -> dict[str, int]:
    """Of a stream whose folder is still there, the counts of its largest network."""
    return max(_read_parts(folder, reading).values(), key=lambda parts: parts.get("total", 0), default={})


def _read_genotypes(folder: Path, paths: dict[str, str], reading: RunReading) -> dict[str, JsonObject]:
    """The genotype of each split: the copy in the split's folder, else where it was taken from."""
    genotypes: dict[str, JsonObject] = {}
    for split, path in paths.items():
        for candidate in (folder / split_folder(split) / "genotype.json", folder / str(path), Path(str(path))):
            if candidate.is_file():
                genotype = reading.object(candidate, "genotype")
                genotypes |= {split: genotype} if genotype else {}
                break
    return genotypes


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else []


def _natural(path: Path) -> list[tuple[int, int, str]]:
    """Sort key under which split_10 comes after split_9."""
    pieces = [piece for part in path.parts for piece in part.split("_")]
    return [(0, int(piece), "") if piece.isdigit() else (1, 0, piece) for piece in pieces]


def _number(path: Path) -> int:
    """retrained, retrained-2, retrained-3 ...: the newest has the highest number."""
    tail = path.name.rpartition("-")[2]
    return int(tail) if tail.isdigit() else 1
