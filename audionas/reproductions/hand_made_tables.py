"""The tables of a reproduction of hand-made systems, ours beside the paper's, as `tables.json` and `tables.md`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from audionas.audio.folds import outer_splits
from audionas.audio.manifest import Manifest
from audionas.experiment.chosen_on_test import MARK, ON_TEST
from audionas.experiment.run_folder import RunFolder
from audionas.experiment.table import Cell, Table, interval_cell, mean_sd_cell
from audionas.quantities import p_text
from audionas.records import read_json, write_json, write_text
from audionas.reproductions.fop_steps import HYPERCOLUMNS
from audionas.reproductions.hand_made_papers import PAPERS, HandMadePaper, Variant
from audionas.reproductions.hand_made_plan import HandMadePlan
from audionas.reproductions.system_scores import SystemScores, retrained_scores
from audionas.statistics.holm import holm
from audionas.statistics.intervals import difference_estimate
from audionas.statistics.sign_flip import sign_flip

HEARD = "OPTIMISTIC, not comparable: its pre-training has heard the test speakers"
SCORE_COLUMNS = ("UA, mean +- sd over seeds", "95 % interval over speakers", "WA, mean +- sd")


def write_tables(run: RunFolder, plan: HandMadePlan) -> None:
    """Write `tables.json` and `tables.md` of a finished reproduction."""
    paper = PAPERS[plan.paper]
    manifest = Manifest.read(run.path / "prepared")
    splits = [split.name for split in outer_splits(manifest)]
    scores = {name: retrained_scores(run.path / name, splits, plan.seeds) for name in paper.variants}
    plain = read_json(run.path / next(iter(scores)) / "metrics.json", "metrics file")["baselines"]["headline"]
    tables = [_systems(paper, plan, scores, plain), *_differences(paper, scores)]
    if paper.hypercolumns:
        found = read_json(run.path / HYPERCOLUMNS / "tables.json", "tables")["tables"]
        tables += [Table(each["title"], tuple(each["columns"]), tuple(map(tuple, each["rows"]))) for each in found]
    notes = _notes(paper, plan, manifest)
    record = {
        "schema_version": 1,
        "paper": plan.paper,
        "plan": plan.model_dump(mode="json"),
        "tables": [table.record() for table in tables],
        "baselines": plain,
        "scores": {name: found.record() for name, found in scores.items()},
        "notes": notes,
    }
    write_json(run.path / "tables.json", record)
    text = "\n".join([*(f"- {note}" for note in notes), "", *(table.markdown() for table in tables)])
    write_text(run.path / "tables.md", text)


def _systems(
    paper: HandMadePaper, plan: HandMadePlan, scores: dict[str, SystemScores], plain: list[dict[str, Any]]
) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name, variant in paper.variants.items():
        found = scores[name]
        ours = (mean_sd_cell(found.ua, found.ua_sd), interval_cell(found.ua_interval),
                mean_sd_cell(found.wa, found.wa_sd))  # fmt: skip
        theirs = (_percent(variant.wa), _percent(variant.ua))
        shown = f"{name} ({mark})" if (mark := _mark(variant)) else name
        rows.append((shown, *theirs, *ours, plan.epochs[name], found.parameters, round(found.seconds)))
    rows += [
        (f"{each['name']} (plain)", None, None, f"{each['ua']:.3f}", None, f"{each['wa']:.3f}", None, None, None)
        for each in plain
    ]
    columns = (
        "system", "paper's WA, % (IEMOCAP)", "paper's UA, % (IEMOCAP)", *SCORE_COLUMNS, "epochs", "parameters",
        "seconds",
    )  # fmt: skip
    return Table(f"{paper.title}: systems", columns, tuple(rows))


def _differences(paper: HandMadePaper, scores: dict[str, SystemScores]) -> list[Table]:
    """The first system against each other one whose score is clean."""
    first, *others = [name for name in scores if not _mark(paper.variants[name])] or [next(iter(scores))]
    if not others:
        return []
    adjusted = holm([sign_flip(scores[first].system, scores[name].system).p for name in others])
    rows: list[tuple[Cell, ...]] = []
    for name, p in zip(others, adjusted, strict=True):
        bounds = difference_estimate(scores[first].system, scores[name].system).interval
        difference = f"{scores[first].ua - scores[name].ua:+.3f}"
        rows.append((f"{first} - {name}", difference, interval_cell(bounds, "+.3f"), p_text(p)))
    note = "Two-sided sign-flip tests over speakers, corrected by Holm's method; differences are paired."
    columns = ("systems", "UA", "95 % interval over speakers", "p, corrected")
    return [Table("Differences", columns, tuple(rows), note)]


def _notes(paper: HandMadePaper, plan: HandMadePlan, manifest: Manifest) -> list[str]:
    lines = [
        f"{paper.citation}: {len(manifest)} rows of {manifest.dataset} in {Path(manifest.root).name}; protocol "
        f"{manifest.protocol}; {plan.seeds} seed(s)",
        "the paper's figures are on IEMOCAP; on another corpus only the sizes can be compared",
        *paper.notes,
    ]
    on_test = [name for name, variant in paper.variants.items() if variant.select == ON_TEST]
    if on_test:
        lines.append(
            f"{', '.join(on_test)}: the epoch was chosen on the test folds, as the paper seems to; these scores are "
            "optimistic and compare with nothing but each other"
        )
    return [*lines, *(["a miniature: its scores say nothing"] if plan.is_smoke else []), *manifest.notes]


def _mark(variant: Variant) -> str:
    """Why the score of a variant is optimistic; "" where it is not."""
    if variant.select == ON_TEST:
        return MARK
    return HEARD if variant.pretraining == "with_test_speakers" else ""


def _percent(score: float | None) -> str | None:
    return None if score is None else f"{score:.1f}" if round(score, 1) == score else f"{score:.2f}"
