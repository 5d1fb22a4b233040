"""What the page shows in place of recalls and a confusion matrix: scores of each label or target, and pictures."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import mean, stdev

from audionas.audio.folds import split_folder
from audionas.report.blocks import Block, Picture, Pictures, Table
from audionas.report.label_pictures import draw_label_bars, draw_truth_and_prediction
from audionas.report.quantities import score_text
from audionas.report.run_files import JsonObject, RunFiles
from audionas.training.predictions import Predictions, joined

MOST_TARGETS = 6


def label_tables(metrics: JsonObject, searched: str, baselines: Mapping[str, JsonObject]) -> list[Block]:
    """Average precision of each label, or CCC and RMSE of each target, beside the plain systems'."""
    seeds: list[JsonObject] = list(metrics.get("per_seed") or [])
    if not seeds:
        return []
    labels = [str(label) for label in metrics.get("labels") or []]
    if metrics.get("task") == "multilabel":
        return [_precisions(seeds, labels, searched, baselines)]
    return [_targets(seeds, labels, searched, baselines)]


def label_text(scores: JsonObject, label: str) -> str:
    """The average precision of a label, or the CCC of a target, in one record of metrics."""
    if label in (scores.get("absent_classes") or []):
        return "absent"
    return score_text(_of_label(scores, label))


def label_pictures(files: RunFiles, metrics: JsonObject, pictures: Pictures) -> list[Picture]:
    """Bars of average precision, or truth against prediction of each target."""
    seeds: list[JsonObject] = list(metrics.get("per_seed") or [])
    if not seeds:
        return []
    if metrics.get("task") == "multilabel":
        return [_bars(metrics, seeds, pictures)]
    found = seed_predictions(files, seeds[0])
    if found is None:
        return []
    caption = f"One dot a clip of the folds named under Per seed, seed {seeds[0].get('seed')}; line: exact."
    return [
        pictures.make(
            f"{name}: truth and prediction",
            draw_truth_and_prediction(found.truth[:, i], found.scores[:, i], name),
            caption,
        )
        for i, name in enumerate(found.labels[:MOST_TARGETS])
    ]


def _of_label(scores: JsonObject, label: str) -> float | None:
    target = (scores.get("targets") or {}).get(label)
    return target.get("ccc") if target else (scores.get("average_precisions") or {}).get(label)


def _over_seeds(values: list[float | None]) -> str:
    own = [value for value in values if value is not None]
    if not own:
        return "none"
    return score_text(mean(own), stdev(own) if len(own) > 1 else None, len(own))


def _precisions(
    seeds: list[JsonObject], labels: list[str], searched: str, baselines: Mapping[str, JsonObject]
) -> Table:
    counts, n_clips = seeds[0].get("counts") or {}, seeds[0].get("n_clips") or 0
    rows = tuple(
        (
            label,
            str(counts.get(label, 0)),
            _over_seeds([_of_label(seed, label) for seed in seeds]) if counts.get(label) else "no test clips",
            score_text(counts.get(label, 0) / n_clips) if n_clips and counts.get(label) else "none",
            _over_seeds([(seed.get("aucs") or {}).get(label) for seed in seeds]),
            *(score_text(_of_label(row, label)) for row in baselines.values()),
        )
        for label in labels
    )
    head = ("label", "test clips", searched, "guessing", "its AUC", *baselines)
    note = "Pooled over the headline's folds (all folds where there is none). Guessing: the share of clips."
    return Table("Average precision of each label", head, rows, note)


def _targets(seeds: list[JsonObject], labels: list[str], searched: str, baselines: Mapping[str, JsonObject]) -> Table:
    def values(name: str, key: str) -> list[float | None]:
        return [((seed.get("targets") or {}).get(name) or {}).get(key) for seed in seeds]

    rows = tuple(
        (
            name,
            _over_seeds(values(name, "ccc")),
            _over_seeds(values(name, "rmse")),
            f"{score_text(values(name, 'mean')[0])}, sd {score_text(values(name, 'sd')[0])}",
            *(score_text(_of_label(row, name)) for row in baselines.values()),
        )
        for name in labels
    )
    head = ("target", f"CCC of {searched}", "its RMSE", "mean of the truth", *(f"CCC of {name}" for name in baselines))
    note = "Pooled over the headline's folds (all folds where there is none). The RMSE of the mean is the sd."
    return Table("CCC and RMSE of each target", head, rows, note)


def _bars(metrics: JsonObject, seeds: list[JsonObject], pictures: Pictures) -> Picture:
    counts, n_clips = seeds[0].get("counts") or {}, seeds[0].get("n_clips") or 1
    names = [str(label) for label in metrics.get("labels") or [] if counts.get(str(label))]
    heights = [mean(_of_label(seed, name) or 0.0 for seed in seeds) for name in names]
    figure = draw_label_bars(names, heights, [counts[name] / n_clips for name in names])
    caption = "Mean over seeds; the mark is guessing, the share of clips that have the label."
    return pictures.make("Average precision of each label", figure, caption)


def seed_predictions(files: RunFiles, seed: JsonObject) -> Predictions | None:
    """Test predictions of one seed over the folds of its record; None where a table is not there."""
    assert files.retraining is not None
    folder, name = files.retraining.folder, f"seed_{seed.get('seed')}"
    paths = [
        folder / split_folder(str(split)) / name / "predictions.csv" for split in seed.get("splits") or []
    ]  # fmt: skip
    if not paths or not all(path.exists() for path in paths):
        return None
    return joined([Predictions.read(path) for path in paths], "test")
