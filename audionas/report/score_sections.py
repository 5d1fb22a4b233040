"""The parts of the page about a retraining: scores, each with what it is, confusion, learning curves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from audionas.quantities import count_text
from audionas.report.beside import beside_note
from audionas.report.blocks import Block, Gallery, Notes, Picture, Pictures, Section, Table
from audionas.report.confusion import draw_confusion
from audionas.report.curves import COLOURS, Line, draw_lines
from audionas.report.difference_tables import difference_tables
from audionas.report.evidence import chance_text, evidence_note, is_above_chance
from audionas.report.group_picture import group_picture
from audionas.report.group_tables import group_tables
from audionas.report.label_sections import label_pictures, label_tables, label_text
from audionas.report.noise_tables import noise_tables
from audionas.report.quantities import interval_text, plain, score_text
from audionas.report.run_files import History, JsonObject, RunFiles
from audionas.report.scored_systems import second_interval
from audionas.report.second_task_tables import second_task_tables
from audionas.report.verdict import baseline_scores
from audionas.training.measures import measures_of

SEARCHED = "this network"


def score_section(files: RunFiles, pictures: Pictures) -> Section | None:
    """Every score of the retraining."""
    metrics = files.retraining.metrics if files.retraining else None
    if metrics is None:
        return None
    blocks: list[Block] = [
        _overview(files, metrics),
        *_systems(files, metrics),
        *difference_tables(files, metrics),
    ]
    if metrics.get("task", "classification") == "classification":
        confusion = _confusion_picture(metrics, pictures)
        shown = [confusion] if confusion else []
    else:
        blocks += label_tables(metrics, SEARCHED, baseline_scores(metrics))
        shown = label_pictures(files, metrics, pictures)
    if shown:
        blocks.append(Gallery(tuple(shown)))
    blocks += [
        *noise_tables(metrics),
        *second_task_tables(metrics),
        _per_fold(metrics),
        *group_picture(metrics, pictures),
        *group_tables(metrics),
        _per_seed(metrics),
        _per_fold_and_seed(metrics),
    ]
    first, second = measures_of(metrics)
    of = "the confusion matrix summed over" if first.key == "ua" else "the clips of"
    pooled = f"Pooled: of {of} the test folds" + ("" if first.key == "ua" else " together")
    intro = f"{first.meaning}, {second.meaning}. {pooled}. sd: over seeds."
    return Section("scores", "Scores of the retrained network", tuple(blocks), intro)


def _overview(files: RunFiles, metrics: JsonObject) -> Table:
    rows, (main, other) = [], measures_of(metrics)
    for name, key in (("headline", "headline"), ("all folds", "all_splits")):
        scores = metrics.get(key)
        if not scores:
            continue
        n_seeds = len(scores.get("seeds") or [])
        first, second = _two_scores(metrics, scores, n_seeds)
        rows.append(
            (
                name if is_above_chance(scores) else f"{name}: not above chance",
                first,
                interval_text(scores.get(f"{main.key}_interval")),
                chance_text(scores),
                second,
                interval_text(second_interval(files, metrics, scores)),
                str(n_seeds),
                plain(scores.get("splits")),
                plain(scores.get("n_clips")),
                str(scores.get("what", "")).replace("+-", "±"),
            )
        )
    notes = [] if metrics.get("headline") else ["No headline: the search has seen every test fold."]
    notes.append(evidence_note(metrics.get("headline") or metrics.get("all_splits") or {}, main, other))
    return Table(
        "Pooled scores, mean ± sd over seeds",
        (
            "score",
            main.name,
            f"95 % of {main.name}",
            "p",
            other.name,
            f"95 % of {other.name}",
            "seeds",
            "test folds",
            "clips",
            "what it is",
        ),
        tuple(rows),
        " ".join(note for note in notes if note),
    )


def _two_names(metrics: JsonObject) -> tuple[str, ...]:
    """Names of the main and the second measure."""
    return tuple(measure.name for measure in measures_of(metrics))


def _two_scores(metrics: JsonObject, scores: JsonObject, n_seeds: int = 1) -> tuple[str, ...]:
    """Main and second score of a row."""
    keys = [measure.key for measure in measures_of(metrics)]
    return tuple(score_text(scores.get(key), scores.get(f"{key}_sd"), n_seeds) for key in keys)


def _systems(files: RunFiles, metrics: JsonObject) -> list[Block]:
    """The network beside plain systems and other networks, then class by class, on the headline's folds."""
    scores = metrics.get("headline") or metrics.get("all_splits")
    if not scores:
        return []
    n_seeds = len(scores.get("seeds") or [])
    baselines = baseline_scores(metrics)
    folds = "the headline's test folds" if metrics.get("headline") else "all folds, seen by the search"
    keys = [measure.key for measure in measures_of(metrics)]
    rows = [(SEARCHED, *_two_scores(metrics, scores, n_seeds), f"{metrics.get('parameters', 0):,}")]
    rows += [(each.name, *map(each.score, keys), f"{each.parameters:,}") for each in files.beside]
    rows += [(name, *_two_scores(metrics, row), "") for name, row in baselines.items()]
    told = (
        "The plain systems train on the same clips and have no seeds." if baselines else "No plain systems were scored."
    )
    beside = Table(
        "Beside plain systems",
        ("system", *_two_names(metrics), "parameters"),
        tuple(rows),
        " ".join(filter(None, (f"Pooled, on {folds}.", told, beside_note(files)))),
    )  # fmt: skip
    if metrics.get("task", "classification") != "classification":
        return [beside]
    labels = [str(label) for label in metrics.get("labels") or []]
    recalls = _recalls(metrics)
    counts = _counts(metrics)
    by_class = []
    for i, label in enumerate(labels):
        own = [recall for recall in recalls[:, i] if np.isfinite(recall)] if len(recalls) else []
        text = score_text(float(np.mean(own)), _sd(own), len(own)) if own else "no test clips"
        others = tuple(score_text((row.get("recalls") or {}).get(label)) for row in baselines.values())
        by_class.append((label, str(counts[i]), text, *(each.recall(label) for each in files.beside), *others))
    recall_table = Table(
        "Recall of each class",
        ("class", "test clips", SEARCHED, *(each.name for each in files.beside), *baselines),
        tuple(by_class),
        f"Pooled, on {folds}" + ("; mean ± sd over seeds." if n_seeds > 1 else "; one seed."),
    )
    return [beside, recall_table]


def _headline_folds(metrics: JsonObject) -> list[JsonObject]:
    """The fold-and-seed entries that make the headline (or all, where there is none)."""
    scores = metrics.get("headline") or metrics.get("all_splits") or {}
    names = {str(name) for name in scores.get("splits") or []}
    return [fold for fold in metrics.get("per_fold") or [] if str(fold["split"]) in names]


def _confusions(metrics: JsonObject) -> dict[int, np.ndarray]:
    """Pooled counts of each seed."""
    pooled: dict[int, np.ndarray] = {}
    for fold in _headline_folds(metrics):
        counts = np.asarray(fold["confusion"], dtype=np.int64)
        pooled[fold["seed"]] = pooled.get(fold["seed"], np.zeros_like(counts)) + counts
    return pooled


def _recalls(metrics: JsonObject) -> np.ndarray:
    """(seeds, classes); nan where a class has no test clips."""
    rows = []
    for counts in _confusions(metrics).values():
        totals = counts.sum(axis=1)
        rows.append(np.where(totals > 0, np.diag(counts) / np.maximum(totals, 1), np.nan))
    return np.array(rows)


def _counts(metrics: JsonObject) -> list[int]:
    confusions = list(_confusions(metrics).values())
    n_classes = len(metrics.get("labels") or [])
    return [int(count) for count in confusions[0].sum(axis=1)] if confusions else [0] * n_classes


def _sd(values: Sequence[float]) -> float | None:
    return float(np.std(values, ddof=1)) if len(values) > 1 else None


def _confusion_picture(metrics: JsonObject, pictures: Pictures) -> Picture | None:
    confusions = _confusions(metrics)
    if not confusions:
        return None
    folds = "the headline's test folds" if metrics.get("headline") else "all folds, seen by the search"
    n_seeds = len(confusions)
    seeds = f" and {n_seeds} seeds: every clip counts {n_seeds} times" if n_seeds > 1 else ", one seed"
    caption = f"Share of the row, and clips below it; summed over {folds}{seeds}."
    figure = draw_confusion(np.sum(list(confusions.values()), axis=0), [str(label) for label in metrics["labels"]])
    return pictures.make("Confusion matrix", figure, caption)


def _per_fold(metrics: JsonObject) -> Table:
    rows = []
    for split in metrics.get("splits") or []:
        own = [fold for fold in metrics.get("per_fold") or [] if str(fold["split"]) == str(split["name"])]
        columns = [[fold[measure.key] for fold in own] for measure in measures_of(metrics)]
        rows.append(
            (
                str(split["name"]),
                *(score_text(float(np.mean(each)) if each else None, _sd(each), len(each)) for each in columns),
                plain(split.get("n_clips")),
                plain(split.get("n_groups")),
                "seen by the search" if split.get("seen_by_search") else "clean",
                plain(split.get("absent_classes") or []),
            )
        )
    head = ("test fold", *_two_names(metrics), "clips", "groups", "search", "absent classes")
    main = measures_of(metrics)[0]
    note = "" if main.key == "ccc" else f"An absent class does not count in a fold's {main.name}."
    return Table("Per fold, mean ± sd over seeds", head, tuple(rows), note)


def _per_seed(metrics: JsonObject) -> Table:
    rows = tuple(
        (
            plain(row.get("seed")),
            *_two_scores(metrics, row),
            plain(row.get("splits")),
        )
        for row in metrics.get("per_seed") or []
    )
    return Table("Per seed, pooled over the folds named", ("seed", *_two_names(metrics), "test folds"), rows)


def _per_fold_and_seed(metrics: JsonObject) -> Table:
    labels = [str(label) for label in metrics.get("labels") or []]
    what = {"multilabel": "AP", "regression": "CCC"}.get(str(metrics.get("task")), "recall")
    rows = tuple(
        (
            f"{fold['split']}, seed {fold['seed']}",
            *_two_scores(metrics, fold),
            "seen by the search" if fold.get("seen_by_search") else "clean",
            *(_recall_text(fold, label) if what == "recall" else label_text(fold, label) for label in labels),
        )
        for fold in metrics.get("per_fold") or []
    )
    head = ("test fold", *_two_names(metrics), "search", *(f"{what} of {label}" for label in labels))
    return Table("Per fold and seed", head, rows, is_folded=True)


def _recall_text(fold: JsonObject, label: str) -> str:
    if label in (fold.get("absent_classes") or []):
        return "absent"
    return score_text((fold.get("recalls") or {}).get(label))


def learning_section(files: RunFiles, pictures: Pictures) -> Section | None:
    """Training losses of the retrained networks, one colour a test fold."""
    retraining = files.retraining
    histories = [history for history in retraining.histories if history.epochs] if retraining else []
    if retraining is None or not histories:
        return None
    figure = draw_lines(_loss_lines(histories), y_label="training loss")
    seeds = sorted({history.seed for history in histories})
    caption = f"One line a seed ({count_text(len(seeds), 'seed')}), one colour a test fold."
    select = {
        "last": "the last epoch's network is tested",
        "best": "the best epoch by an inner validation part is tested",
        "best_on_test": "the best epoch ON THE TEST FOLD ITSELF is taken: the scores are optimistic",
    }
    facts = [
        f"{count_text(len(histories), 'network')}, {plain(retraining.run.get('epochs'))} epochs each; "
        f"{select.get(str(retraining.run.get('select')), 'epoch choice not recorded')}.",
    ]
    options = retraining.run.get("options")
    if options:
        facts.append(f"Options: {plain(options)}.")
    blocks = (Notes(tuple(facts)), Gallery((pictures.make("Training loss", figure, caption),)))
    return Section("learning", "How the retraining went", blocks)


def _loss_lines(histories: Sequence[History]) -> list[Line]:
    splits = sorted({history.split for history in histories})
    lines, named = [], set()
    for history in histories:
        points = [
            (int(epoch.get("epoch", i)) + 1, epoch["train_loss"])
            for i, epoch in enumerate(history.epochs)
            if epoch.get("train_loss") is not None
        ]
        name = "" if history.split in named else f"test fold {history.split}"
        named.add(history.split)
        colour = COLOURS[splits.index(history.split) % len(COLOURS)]
        lines.append(Line(name, tuple(x for x, _ in points), tuple(y for _, y in points), colour))
    return lines
