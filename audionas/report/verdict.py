"""What a run comes to, in sentences; the first is the one that people quote, so it hides nothing."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from audionas.quantities import count_text
from audionas.report.beside import beside_sentences
from audionas.report.evidence import chance_text, claim_sentences, interval_words, is_above_chance
from audionas.report.hand_made_sections import hand_made
from audionas.report.quantities import data_name, group_word, score_text
from audionas.report.run_files import JsonObject, RunFiles, SearchRun
from audionas.spaces.decision import decisions_sentence
from audionas.training.measures import Measure, measures_of

NOT_CHECKED = "speaker independence not checked"
LOGISTIC = "logistic regression on mean + sd of the features"
RIDGE = "ridge regression on mean + sd of the features"
SVM, SVR = "functionals + SVM", "functionals + SVR"
STATUS_WORDS = {
    "running": "is not finished",
    "interrupted": "was interrupted",
    "failed": "was stopped by an error",
}


def verdict(files: RunFiles) -> list[str]:
    """The sentences at the top of the page, the verdict first."""
    metrics = files.retraining.metrics if files.retraining else None
    if metrics is None:
        sentences = [_searched_only(files), *_unfinished(files)]
    else:
        sentences = [_scored(files, metrics), *beside_sentences(files), *_unfinished(files), *_seen_folds(metrics)]
        sentences += claim_sentences(metrics.get("headline") or metrics.get("all_splits") or {})
    sentences += decision_sentences(files)
    if not _is_checked(files) and NOT_CHECKED not in sentences[0]:
        sentences.append(f"{NOT_CHECKED.capitalize()}: every file is its own group.")
    return sentences


def baseline_scores(metrics: JsonObject) -> dict[str, JsonObject]:
    """The plain systems by name, as scored on the headline's splits."""
    rows = (metrics.get("baselines") or {}).get("headline") or []
    return {str(row["name"]): row for row in rows}


def decision_sentences(files: RunFiles) -> list[str]:
    """Whether the searches are decided, in a sentence; none where that is not known."""
    sentence = decisions_sentence([search.decided for search in files.searches if search.decided])
    return [f"{sentence[0].upper()}{sentence[1:]}."] if sentence else []


def strongest_plain(metrics: JsonObject) -> str:
    """The plain system that a searched network has to beat: the best of those that hear the clips.

    That is the one on the same features or the one on functionals, which a run of before there were any has not.
    """
    main, _ = measures_of(metrics)
    names = (RIDGE, SVR) if metrics.get("task") == "regression" else (LOGISTIC, SVM)
    scores = {name: row[main.key] for name, row in baseline_scores(metrics).items() if name in names}
    return max(scores, key=lambda name: scores[name]) if scores else names[0]


def title(files: RunFiles) -> str:
    """What was searched on what, as a heading."""
    data = data_name(files.data)
    if not files.searches:
        system = hand_made(files)
        return f"Training of {system.name} on {data}" if system else f"Retraining of a genotype on {data}"
    run = files.searches[0].run
    return f"{run.get('space', 'a space')} searched with {run.get('strategy', 'a strategy')} on {data}"


def _in_space(files: RunFiles) -> str:
    run = files.searches[0].run
    data = data_name(files.data)
    return f"in the space {run.get('space')} with the strategy {run.get('strategy')} on {data}"


def _searched_only(files: RunFiles) -> str:
    data = files.data
    clips = count_text(data.get("n_clips"), "clip")
    who = count_text(data.get("n_groups"), group_word(data)) if _is_checked(files) else NOT_CHECKED
    if not files.searches:
        return f"{title(files)} ({clips}, {who}): no score yet."
    n_found = sum(search.genotype is not None for search in files.searches)
    status = str(files.top.get("status", "done"))
    if n_found:
        found = "found a genotype"
    elif status in STATUS_WORDS:
        found = f"{STATUS_WORDS[status]} {progress(files.searches[0])} and has found no final genotype"
    else:
        found = "found no genotype"
    if files.is_nested:
        n_splits = len(files.top.get("splits") or files.searches)
        found = f"found {n_found} of {count_text(n_splits, 'genotype')}, one a test fold"
    return f"The search {_in_space(files)} ({clips}, {who}) {found}; there is no retrained score yet."


def _scored(files: RunFiles, metrics: JsonObject) -> str:
    dataset = data_name(files.data)
    system = hand_made(files)
    given = f"The {f'hand-made system {system.name}' if system else 'network built from a given genotype'} on {dataset}"
    subject = f"The network found {_in_space(files)}" if files.searches else given
    headline = metrics.get("headline")
    main, _ = measures_of(metrics)
    plain_system = strongest_plain(metrics)
    if metrics.get("optimistic"):
        scores = headline or metrics.get("all_splits") or {}
        return (
            f"{subject} has no clean score, because its epochs were chosen on the test folds: pooled {main.name} "
            f"{_main(scores, main)} ({_evidence(files, metrics, scores)}) is optimistic and not comparable."
        )
    if headline is None:
        everything = metrics.get("all_splits") or {}
        beaten = baseline_scores(metrics).get(plain_system)
        loses = beaten is not None and (everything.get(main.key) or 0.0) <= beaten[main.key]
        even_so = ""
        if beaten and loses:
            even_so = f", and even so does not beat {plain_system} ({score_text(beaten[main.key])})"
        return _led(
            everything,
            f"{subject} has no clean score, because the search has seen every test fold: pooled "
            f"{main.name} {_main(everything, main)} ({_evidence(files, metrics, everything)}) is optimistic{even_so}.",
        )
    scored = f"pooled {main.name} {_main(headline, main)} ({_evidence(files, metrics, headline)})"
    logistic = baseline_scores(metrics).get(plain_system)
    if not is_above_chance(headline):
        return _led(headline, f"{subject} reaches {scored}.")
    if logistic is None:
        return f"{subject} reaches {scored}; it was not compared with {plain_system}."
    gain = headline[main.key] - logistic[main.key]
    other = score_text(logistic[main.key])
    if gain <= 0:
        return f"{subject} does not beat {plain_system} ({other}): {scored}."
    if gain <= (headline.get(f"{main.key}_sd") or 0.0):
        return f"{subject} reaches {scored}, above {plain_system} ({other}) by less than the sd over seeds."
    if headline.get("claim"):
        return f"{subject} reaches {scored}, above {plain_system} ({other}) on these clips."
    return f"{subject} reaches {scored} and beats {plain_system} ({other})."


def _led(scores: JsonObject, sentence: str) -> str:
    """The sentence, after the words `not above chance` where the score is not, whatever else it says."""
    if is_above_chance(scores):
        return sentence
    return f"Not above chance (p {chance_text(scores)}): {sentence[:1].lower()}{sentence[1:]}"


def _main(scores: JsonObject, main: Measure) -> str:
    return score_text(scores.get(main.key), scores.get(f"{main.key}_sd"), len(scores.get("seeds") or []))


def _evidence(files: RunFiles, metrics: JsonObject, scores: JsonObject) -> str:
    """On how much a score stands: seeds, clips, speakers."""
    n_seeds = len(scores.get("seeds") or [])
    seeds = f"mean ± sd over {n_seeds} seeds" if n_seeds > 1 else "one seed"
    names = set(scores.get("splits") or [])
    groups: list[Any] = [split.get("n_groups") for split in metrics.get("splits") or [] if split["name"] in names]
    n_groups = None if None in groups or not groups else sum(groups)
    who = count_text(n_groups, group_word(files.data)) if _is_checked(files) else NOT_CHECKED
    interval = interval_words(scores, measures_of(metrics)[0].key)
    return f"{interval}{seeds}; {count_text(scores.get('n_clips'), 'test clip')}, {who}"


def _is_checked(files: RunFiles) -> bool:
    metrics = (files.retraining.metrics if files.retraining else None) or {}
    checked = files.data.get("speaker_independence_checked", True)
    return bool(checked and metrics.get("speaker_independence_checked", True))


def _seen_folds(metrics: JsonObject) -> list[str]:
    seen = [str(split["name"]) for split in metrics.get("splits") or [] if split.get("seen_by_search")]
    if not seen:
        return []
    folds = f"Fold {seen[0]} was" if len(seen) == 1 else f"Folds {', '.join(seen)} were"
    kept_out = "scored, but kept out of the headline" if metrics.get("headline") else "scored all the same"
    return [f"{folds} seen by the search: {kept_out} and marked in the tables."]


def _unfinished(files: RunFiles) -> list[str]:
    sentences = [sentence for search in files.searches for sentence in _unfinished_search(search, files.folder)]
    if files.is_nested and not files.searches:
        sentences.append("None of the nested searches has started.")
    retraining = files.retraining
    status = str(retraining.run.get("status", "done")) if retraining else "done"
    if retraining and status in STATUS_WORDS:
        sentences.append(f"The retraining {STATUS_WORDS[status]}.")
    elif not retraining and not sentences:
        sentences.append(f"To score it: audionas retrain {shlex.quote(str(files.folder))}")
    return sentences


def _unfinished_search(search: SearchRun, folder: Path) -> list[str]:
    status = str(search.run.get("status", "done"))
    if status not in STATUS_WORDS:
        return []
    name = f"The search of split {search.split}" if search.split else "The search"
    unless = ", unless it is running now" if status == "running" else ""
    again = f"audionas search --resume {shlex.quote(str(folder))}"
    return [f"{name} {STATUS_WORDS[status]} ({progress(search)}); to finish it{unless}: {again}"]


def progress(search: SearchRun) -> str:
    """How far a search came."""
    if search.run.get("restarts"):
        n_done = len(list(search.folder.glob("restart_*/genotype.json")))
        return f"after {n_done} of {count_text(search.run['restarts'], 'restart')}"
    if search.is_multi_trial:
        finished = {line["number"] for line in search.trials if line.get("event") == "finished"}
        budget = search.run.get("trials")
        return (
            f"after {len(finished)} of {count_text(budget, 'trial')}"
            if budget
            else (f"after {count_text(len(finished), 'trial')}")
        )
    return f"after {len(search.epochs)} of {search.run.get('epochs', '?')} epochs"
