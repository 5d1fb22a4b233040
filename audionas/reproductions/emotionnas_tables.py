"""The tables of a reproduction of EmotionNAS, ours beside the paper's, as `tables.json` and `tables.md`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from audionas.audio.folds import outer_splits
from audionas.audio.manifest import Manifest
from audionas.experiment.fuse_metrics import MLP
from audionas.experiment.run_folder import RunFolder
from audionas.experiment.table import Cell, Table, interval_cell, mean_sd_cell
from audionas.features import extractor_from_settings
from audionas.quantities import p_text
from audionas.records import read_json, write_json, write_text
from audionas.reproductions.emotionnas_notes import notes_of
from audionas.reproductions.emotionnas_paper import (
    TABLE_1,
    TABLE_2,
    TABLE_3,
    TABLE_4,
    claims,
    frame_parameters,
    supernet_parameters,
)
from audionas.reproductions.emotionnas_plan import PADDINGS, Plan
from audionas.reproductions.frames_choice import chosen_names, search_names
from audionas.reproductions.search_facts import catalogue_facts, one_shot_facts
from audionas.reproductions.system_scores import SystemScores, retrained_scores
from audionas.spaces import CnnMacro, load_search_space
from audionas.statistics.holm import holm
from audionas.statistics.intervals import difference_estimate
from audionas.statistics.sign_flip import sign_flip
from audionas.training.plain_baselines import LOGISTIC

STREAMS = ("spectrogram", "frames")
PAPER_UA = "paper's UA, % (IEMOCAP)"
SCORE_COLUMNS = ("UA, mean +- sd over seeds", "95 % interval over speakers", "WA, mean +- sd")
P_COLUMN = "p, corrected"
SECONDS = "seconds: search + retraining"
NOT_RUN: tuple[Cell, ...] = (None, None, None, None)
Scores = dict[tuple[str, str], SystemScores]


def write_tables(run: RunFolder, plan: Plan) -> None:
    """Write `tables.json` and `tables.md` of a finished reproduction."""
    manifest = Manifest.read(run.path / "prepared")
    splits = [split.name for split in outer_splits(manifest)]
    scores = {
        (name, padding): retrained_scores(run.path / name / padding, splits, plan.seeds)
        for name in STREAMS
        for padding in PADDINGS
    }
    document = read_json(run.path / "fused" / "metrics.json", "metrics file")
    fused = document["headline"] or document["all_splits"]
    facts = {
        "spectrogram": one_shot_facts(run.path / "spectrogram" / "search"),
        "frames": _frames_facts(run.path / "frames", plan),
    }
    seconds = {name: f"{facts[name]['seconds']:.0f} + {scores[name, 'masked'].seconds:.0f}" for name in STREAMS}
    seconds["fused"] = f"{RunFolder.open(run.path / 'fused').record['cost']['seconds']:.0f}"
    plain = {name: _plain_baselines(run.path / name / "masked") for name in STREAMS}
    front_ends = {name: _front_end(run.path / name / "masked") for name in STREAMS}
    tables = [
        _table_1(fused, plain),
        _table_2(scores, fused, seconds, front_ends),
        _table_3(scores, plan, seconds["spectrogram"]),
        _table_4(scores, plan, seconds["frames"]),
        _padding_table(scores),
        _fusion_table(fused),
        _search_table(facts),
        _claims_table(),
    ]
    notes = notes_of(run, plan, manifest)
    record = {
        "schema_version": 1,
        "paper": "emotionnas",
        "plan": plan.model_dump(mode="json"),
        "tables": [table.record() for table in tables],
        "front_end_parameters": front_ends,
        "baselines": plain,
        "scores": {f"{name}, {padding}": found.record() for (name, padding), found in scores.items()},
        "fusion": fused,
        "searches": facts,
        "claims": [claim.record() for claim in claims()],
        "notes": notes,
    }
    write_json(run.path / "tables.json", record)
    text = "\n".join([*(f"- {note}" for note in notes), "", *(table.markdown() for table in tables)])
    write_text(run.path / "tables.md", text)


def _frames_facts(folder: Path, plan: Plan) -> dict[str, Any]:
    names = search_names(plan.frames)
    facts = catalogue_facts([folder / name for name in names], chosen_names(folder, names))
    epochs = [read_json(path, "tuning") for path in sorted((folder / "masked").glob("split_*/tuning.json"))]
    chosen = [record["settings"][record["chosen"]]["epochs"] for record in epochs]
    return {**facts, "epochs taken": chosen} if chosen else facts


def _table_1(fused: dict[str, Any], plain: dict[str, list[dict[str, Any]]]) -> Table:
    """The paper's systems, plain ones on this run's features and folds, and the fusion."""
    rows: list[tuple[Cell, ...]] = [
        (f"{name} (paper)", f"{paper:.1f}", None, None, None) for name, paper in TABLE_1.items()
    ]
    rows += [
        (f"{found['name']} ({stream})", None, f"{found['ua']:.3f}", None, f"{found['wa']:.3f}")
        for stream, records in plain.items()
        for found in records
        if stream == STREAMS[0] or found["name"] == LOGISTIC  # the others are the same whatever the features
    ]
    rows.append(("this run, fused by the MLP", None, *_fused_cells(_mlp(fused))))
    return Table("Table 1: systems", ("system", PAPER_UA, *SCORE_COLUMNS), tuple(rows))


def _table_2(scores: Scores, fused: dict[str, Any], seconds: dict[str, str], front_ends: dict[str, int]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name in STREAMS:
        found = scores[name, "masked"]
        of_these = f" ({found.attention:,} of them in the attention pooling)" if found.attention else ""
        sizes = (front_ends[name], f"{found.parameters:,}{of_these}")
        rows.append(
            (
                f"{name} stream",
                *_paper(name),
                *sizes,
                *_cells(found),
                mean_sd_cell(found.ua_fold_mean, None),
                seconds[name],
            )
        )
    mlp = _mlp(fused)
    parts = mlp["parameters"]
    sizes = (sum(front_ends.values()), f"{parts['total']:,} ({parts['fusion']:,} of them fuse)")
    rows.append(("fused", *_paper("fused"), *sizes, *_fused_cells(mlp), None, seconds["fused"]))
    columns = (
        "system", "paper's parameters", PAPER_UA, "front-end, frozen", "parameters here", *SCORE_COLUMNS,
        "mean of the folds' UA", SECONDS,
    )  # fmt: skip
    note = (
        "Padding masked. The paper's count of the spectrogram stream is that of the supernet; ours are of the networks "
        "that were retrained, the largest of the splits."
    )
    return Table("Table 2: the streams and their fusion", columns, tuple(rows), note)


def _table_3(scores: Scores, plan: Plan, seconds: str) -> Table:
    ours = (*_cells(scores["spectrogram", "masked"]), seconds)
    macro = load_search_space(plan.space).macro
    ran = (macro.n_cells, macro.channels) if isinstance(macro, CnnMacro) and plan.space == "darts_cnn" else None
    rows: list[tuple[Cell, ...]] = []
    for (n_cells, channels), (size, paper) in TABLE_3.items():
        counted = supernet_parameters(n_cells, channels)
        was_run = ran == (n_cells, channels)
        rows.append((f"L={n_cells}, C={channels}", size, counted, f"{paper:.1f}", *(ours if was_run else NOT_RUN)))
    if ran not in TABLE_3:
        rows.append((f"{plan.space} (this run)", None, None, None, *ours))
    columns = ("setting", "paper's parameters", "supernet's parameters", PAPER_UA, *SCORE_COLUMNS, SECONDS)
    return Table("Table 3: cells and channels of the spectrogram stream", columns, tuple(rows), "A dash: not run.")


def _table_4(scores: Scores, plan: Plan, seconds: str) -> Table:
    found = scores["frames", "masked"]
    ours = (found.parameters, *_cells(found), seconds)
    rows: list[tuple[Cell, ...]] = []
    for (n_layers, hidden), (size, paper) in TABLE_4.items():
        counted = frame_parameters("bidirectional", n_layers, hidden)
        was_run = (plan.n_layers, plan.hidden) == (n_layers, hidden)
        mine = ours if was_run else (None, *NOT_RUN)
        rows.append((f"L={n_layers}, h={hidden}", size, counted, f"{paper:.1f}", *mine))
    if (plan.n_layers, plan.hidden) not in TABLE_4:
        rows.append((f"L={plan.n_layers}, h={plan.hidden}", None, None, None, *ours))
    columns = (
        "setting", "paper's parameters", "of the bidirectional reading", PAPER_UA, "parameters here", *SCORE_COLUMNS,
        SECONDS,
    )  # fmt: skip
    note = (
        "The reading is counted without the attention pooling, as only then the paper's figures come out; ours with it."
    )
    return Table("Table 4: layers and hidden size of the frame stream", columns, tuple(rows), note)


def _padding_table(scores: Scores) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (name, padding, *_cells(scores[name, padding])) for name in STREAMS for padding in PADDINGS
    ]
    rows = [(*row, None) for row in rows]
    note = (
        "Zero padding tells how long a clip is. The genotypes were found with padding masked; both rows of a stream "
        "are retrainings of the same genotypes. p: two-sided sign-flip test over groups, corrected by Holm's method "
        "for the two streams."
    )
    adjusted = holm([sign_flip(scores[name, "masked"].system, scores[name, "unmasked"].system).p for name in STREAMS])
    rows += [
        (name, "masked - unmasked", *_difference_cells(scores[name, "masked"], scores[name, "unmasked"], p))
        for name, p in zip(STREAMS, adjusted, strict=True)
    ]
    return Table("Padding masked and counted", ("stream", "padding", *SCORE_COLUMNS, P_COLUMN), tuple(rows), note)


def _difference_cells(one: SystemScores, other: SystemScores, p: float) -> tuple[Cell, ...]:
    bounds = difference_estimate(one.system, other.system).interval
    return (f"{one.ua - other.ua:+.3f}", interval_cell(bounds, "+.3f"), None, p_text(p))


def _fusion_table(fused: dict[str, Any]) -> Table:
    names = {row["name"]: row["name"] for row in fused["rows"]} | {
        row["name"]: f"{Path(row['name']).parent.name} stream alone" for row in fused["rows"] if row["kind"] == "stream"
    }
    rows: list[tuple[Cell, ...]] = [(names[row["name"]], *_fused_cells(row), None) for row in fused["rows"]]
    rows += [
        (
            f"{MLP} - {names[row['minus']]}",
            f"{row['ua']:+.3f}",
            interval_cell(row["ua_interval"], "+.3f"),
            f"{row['wa']:+.3f}",
            p_text(row["p_holm"]) if "p_holm" in row else None,  # a fusion of before this test has none
        )
        for row in fused["differences"]
    ]
    columns = ("system", *SCORE_COLUMNS, P_COLUMN)
    return Table("Fusion and what it has to beat", columns, tuple(rows), _conclusion(fused, names))


def _conclusion(fused: dict[str, Any], names: dict[str, str]) -> str:
    text = str(fused["conclusion"])
    for path, name in names.items():
        text = text.replace(path, name)
    test = f"; p: {fused['test']}" if "test" in fused else ""
    return f"{text} {fused['interval']}; differences are paired{test}."


def _search_table(facts: dict[str, dict[str, Any]]) -> Table:
    rows = [
        (name, key.replace("_", " "), _value(value)) for name, found in facts.items() for key, value in found.items()
    ]
    note = (
        "Steps x rate is how far Adam can move an alpha in the whole search; about 1 is needed to decide among 8 "
        "operations. A margin is the softmax weight of a kept operation above its runner-up. Agreement: the mean "
        "share of edges that two splits' genotypes have in common."
    )
    return Table("The searches", ("stream", "what", "value"), tuple(rows), note)


def _claims_table() -> Table:
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (claim.what, claim.paper, claim.counted, "confirmed" if claim.is_confirmed else "not confirmed", claim.remark)
        for claim in claims()
    )
    return Table("Sizes that the paper prints", ("what", "paper", "counted here", "", "remark"), rows)


def _plain_baselines(run: Path) -> list[dict[str, Any]]:
    """Majority class, duration and logistic regression on the same folds and features, as the retraining has them."""
    return list(read_json(run / "metrics.json", "metrics file")["baselines"]["headline"])


def _front_end(run: Path) -> int:
    """Parameters of the encoder behind a stream's features."""
    settings = RunFolder.open(run).record["features"]
    return extractor_from_settings(settings, "features").front_end_parameters()


def _mlp(fused: dict[str, Any]) -> dict[str, Any]:
    return next(row for row in fused["rows"] if row["name"] == MLP)


def _paper(name: str) -> tuple[Cell, ...]:
    size, ua = TABLE_2[name]
    return size, f"{ua:.1f}"


def _cells(found: SystemScores) -> tuple[Cell, ...]:
    return (mean_sd_cell(found.ua, found.ua_sd), interval_cell(found.ua_interval), mean_sd_cell(found.wa, found.wa_sd))


def _fused_cells(row: dict[str, Any]) -> tuple[Cell, ...]:
    return (
        mean_sd_cell(row["ua"], row["ua_sd"]),
        interval_cell(row["ua_interval"]),
        mean_sd_cell(row["wa"], row["wa_sd"]),
    )


def _value(value: Any) -> Cell:
    return ", ".join(map(str, value)) if isinstance(value, list) else value
