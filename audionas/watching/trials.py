"""How far a search by trials has come, and its best trial so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from audionas.errors import AudionasError
from audionas.search_logs import read_trials
from audionas.training.measures import MEASURES
from audionas.watching.genotype_lines import genotype_lines
from audionas.watching.nested import read_if_there
from audionas.watching.snapshot import Course, Progress, Series

DEFAULT_OBJECTIVE = "balanced_loss"
Line = Mapping[str, Any]
Lines = Mapping[int, Line]  # by the number of the trial


def trials_course(run: Path, record: Line, settings: Line, lines: Sequence[Line]) -> Course:
    """The course of a search by trials.

    Args:
        settings: of its strategy.yaml.
        lines: of its trials.jsonl.
    """
    proposed = {line["number"]: line for line in lines if line["event"] == "proposed"}
    finished = {line["number"]: line for line in lines if line["event"] == "finished"}
    scored = {number: line["score"] for number, line in finished.items() if line.get("score")}
    key, name = _objective(settings, scored)
    again = [line for line in read_trials(run / "retests.jsonl") if line["event"] == "finished"]
    workers = int((record.get("engine_options") or {}).get("workers") or 1)
    progress = [_progress(record, settings, proposed, finished, workers)]
    if record.get("retests"):
        progress.append(Progress("re-tests", len(again), int(record["retests"])))
    best = _best(scored, proposed, key)
    start = None if best is None else proposed[best]
    document = read_if_there(run / "genotype.json", "genotype") or _genotype(run, start)
    return Course(
        progress=tuple(progress),
        scores=_counts(lines, proposed, finished),
        series=_series(scored, key, name),
        best=None if best is None else _best_text(best, scored[best], key, name),
        genotype=genotype_lines(document) if document else (),
    )


def _objective(settings: Line, scored: Lines) -> tuple[str, str]:
    """Key of what decides in a score, and its name for people; `ua` stands for the main score of any task."""
    given = str(settings.get("objective") or DEFAULT_OBJECTIVE)
    if given != "ua":
        return given, given.replace("_", " ")
    first: Line = next(iter(scored.values()), {})
    main = next((pair[0] for pair in MEASURES.values() if pair[0].key in first), MEASURES["classification"][0])
    return main.key, main.name


def _progress(record: Line, settings: Line, proposed: Lines, finished: Lines, workers: int) -> Progress:
    """Trials; where they are of several lengths, whole trainings of the budget."""
    total = record.get("trials") or (settings.get("budget") or {}).get("trials")
    spent = [line["seconds"] for line in finished.values() if line.get("seconds") is not None]
    mean = sum(spent) / len(spent) if spent else None
    if not record.get("rungs"):
        left = None if mean is None or total is None else max(0, total - len(finished)) * mean / workers
        return Progress("trials", len(finished), total, left)
    whole = max(1, int((settings.get("budget") or {}).get("epochs") or 1))
    worth = sum(proposed[n].get("epochs", whole) * proposed[n].get("fraction", 1.0) / whole for n in finished)
    left = (total - worth) * sum(spent) / worth / workers if total and worth and spent else None
    return Progress(f"whole trainings ({len(finished)} trials)", int(worth + 1e-9), total, left)


def _counts(lines: Sequence[Line], proposed: Lines, finished: Lines) -> tuple[tuple[str, str], ...]:
    failed = [line for line in finished.values() if line["status"] == "failed"]
    rows = {
        "under way": str(len(proposed.keys() - finished.keys()) or ""),
        "failed": f"{len(failed)}, the last: {failed[-1].get('error')}" if failed else "",
        "refused": str(sum(line["event"] == "refused" for line in lines) or ""),
    }
    return tuple((key, text) for key, text in rows.items() if text)


def _best(scored: Lines, proposed: Lines, key: str) -> int | None:
    """Number of the best trial: trained most, then by the objective, fewer parameters, earlier."""
    is_loss = key.endswith("loss")

    def rank(number: int) -> tuple[float, float, int, int]:
        start, score = proposed[number], scored[number]
        thorough = start.get("epochs", 1) * start.get("fraction", 1.0)
        return -thorough, score[key] if is_loss else -score[key], score.get("parameters") or 0, number

    return min((number for number in scored if scored[number].get(key) is not None), key=rank, default=None)


def _best_text(number: int, score: Line, key: str, name: str) -> str:
    main = next((pair[0] for pair in MEASURES.values() if pair[0].key in score), None)
    words = [f"{name} {score[key]:.3f}"]
    if main is not None and main.key != key and score[main.key] is not None:
        words.append(f"{main.name} {score[main.key]:.3f}")
    if score.get("parameters") is not None:
        words.append(f"{score['parameters']:,} parameters")
    return f"trial {number + 1}: {', '.join(words)}"


def _series(scored: Lines, key: str, name: str) -> tuple[Series, ...]:
    scores = [scored[number] for number in sorted(scored)]
    keys = {key: name}
    keys |= {pair[0].key: pair[0].name for pair in MEASURES.values() if any(pair[0].key in score for score in scores)}
    return tuple(Series(name, tuple(score.get(key) for score in scores)) for key, name in keys.items() if scores)


def _genotype(run: Path, start: Line | None) -> dict[str, Any] | None:
    """The genotype of a trial, as the search's space reads its sample; None where that cannot be."""
    if start is None or not (run / "space.yaml").is_file():
        return None
    from audionas.spaces import load_search_space
    from audionas.spaces.genotype_file import genotype_document

    try:
        return dict(genotype_document(load_search_space(run / "space.yaml").genotype(start["sample"])))
    except (AudionasError, KeyError):  # of a space that is not there any more: the screen does without
        return None
