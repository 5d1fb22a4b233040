"""The results table of several runs: one row a system, beside the plain baselines on the same folds.

Runs of different rules are not ranked: who wins such a table may only show who was trained longer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from audionas.errors import RunError, SettingsError
from audionas.experiment.chosen_on_test import refuse_chosen_on_test
from audionas.experiment.finished_runs import FinishedRun, finished_run, searches_behind
from audionas.experiment.retrain_metrics import UNKNOWN
from audionas.experiment.run_folder import RunFolder
from audionas.experiment.same_rules import differences, own_rules
from audionas.quantities import count_text
from audionas.records import read_json
from audionas.report.csv_table import csv_text
from audionas.report.latex_table import latex_text
from audionas.report.methods import methods_paragraph
from audionas.report.quantities import data_name, group_word
from audionas.report.result_rows import BASELINE, FUSION, SYSTEM, Cost, ResultRow, ResultTable, scores
from audionas.training.measures import Measure, in_measure, measures_of

SEEN = "the search has read the test clips"
_SCORE_WORDS = {
    "ua": "UA (mean class recall) and WA (accuracy)",
    "map": "mAP (mean over labels of the average precision) and macro AUC",
    "ccc": "CCC (Lin's concordance correlation) and RMSE (in the targets' units), means over targets",
}
NOT_KNOWN = "which clips its search has read is not known"


def results(
    runs: Sequence[Path], *, csv: bool = False, latex: bool = False, methods: bool = False, unranked: bool = False
) -> dict[str, str]:
    """What was asked for, as text: `csv`, `latex`, `methods`.

    Raises:
        SettingsError: a run is named twice.
        RunError: a run is not finished or has no scores, or the runs have different rules (unless `unranked`).
    """
    texts: dict[str, str] = {}
    paragraphs = tuple(methods_paragraph(run) for run in runs) if methods else ()
    if csv or latex:
        table = results_table(runs, unranked=unranked)
        texts |= {"csv": csv_text(table)} if csv else {}
        texts |= {"latex": latex_text(table, paragraphs)} if latex else {}
    if methods and not latex:
        texts["methods"] = "\n\n".join(paragraphs) + "\n"
    return texts


def results_table(runs: Sequence[Path], *, unranked: bool = False) -> ResultTable:
    """The table of these runs, best first; `unranked`: in the given order, with what each run does differently.

    Raises:
        SettingsError: a run is named twice.
        RunError: a run is not finished or has no scores, the runs are of different tasks, or they have different rules
            (unless `unranked`).
    """
    found = [finished_run(path) for path in runs]
    places = [run.path.resolve() for run in found]
    for number, place in enumerate(places):
        if place in places[:number]:
            raise SettingsError(f"{runs[number]}: given twice; name each run once")
    for run in found:
        own, first = _measures(run)[0].name, _measures(found[0])[0].name
        if own != first:
            raise RunError(
                f"{run.path}: is scored by {own}, {found[0].path} by {first}; no table holds both, give runs of one "
                "task"
            )
    if not unranked:
        _refuse_unlike(found, differences(runs))
    rows = []
    for run in found:
        others = [other for other in runs if other != run.given]
        told = own_rules(run.given, others) if unranked and others else ""
        rows += [replace(row, rules=told) for row in _rows(run, places)]
    if not unranked:
        rows.sort(key=lambda row: -row.ua)
    caption, measures = _caption(found, unranked), _measures(found[0])
    return ResultTable(tuple(_distinct(rows)), caption, not unranked, _group_word(found), measures)


def _measures(run: FinishedRun) -> tuple[Measure, Measure]:
    return measures_of(run.metrics)


def _refuse_unlike(runs: Sequence[FinishedRun], unlike: Sequence[str]) -> None:
    """Only runs of the same rules, with a clean score each, can be ranked.

    Raises:
        RunError: they differ, with every rule and its values; or the search of one has read all test folds.
    """
    for run in runs:
        refuse_chosen_on_test(run.path, run.record, "ranked", "; --unranked lists it with its mark")
    if unlike:
        raise RunError(
            f"these runs cannot be ranked, they differ in {'; '.join(unlike)}; retrain them alike, or give --unranked"
        )
    for run in runs:
        if run.metrics["headline"] is None and len(runs) > 1:
            raise RunError(f"{run.path}: {SEEN} of every fold, its score cannot be ranked; see --nested, or --unranked")


def _rows(run: FinishedRun, given: Sequence[Path]) -> list[ResultRow]:
    """The rows of one run: its system, or the fusion's and those streams that have no row of their own; baselines."""
    found = run.scores
    common = {
        "n_groups": _n_groups(run),
        "n_clips": found["n_clips"],
        "n_seeds": len(found["seeds"]),
        "run": str(run.given),
        "remark": _remark(run),
    }
    if run.is_fusion:
        return _fusion_rows(run, given, common)
    own = ResultRow(
        name=_name(run), kind=SYSTEM, parameters=run.metrics["parameters"],
        macs_per_second=run.metrics.get("macs_per_second"), cost=_cost(run), **scores(found, _measures(run)), **common,
    )  # fmt: skip
    plain = [
        ResultRow(
            name=record["name"],
            kind=BASELINE,
            **scores(record, _measures(run)),
            **{**common, "n_seeds": None, "remark": ""},
        )
        for record in run.metrics["baselines"]["headline"]
    ]
    return [own, *plain]


def _remark(run: FinishedRun) -> str:
    """What a reader must know beside the score."""
    told = [run.metrics["optimistic"]] if "optimistic" in run.metrics else []
    told += [SEEN] if run.metrics["headline"] is None else []
    told += [NOT_KNOWN] if run.scores["what"] == in_measure(UNKNOWN, run.metrics) else []
    verdict = str(run.scores.get("verdict") or "")
    return "; ".join([*told, *([verdict] if verdict.startswith("not ") else [])])


def _fusion_rows(run: FinishedRun, given: Sequence[Path], common: Mapping[str, Any]) -> list[ResultRow]:
    streams = [finished_run(Path(text)) for text in run.record["streams"]]
    macs = [stream.metrics.get("macs_per_second") for stream in streams]
    total = _total(macs)
    costs = _cost(run, *streams)
    rows = []
    alone = iter(streams)
    for record in run.scores["rows"]:
        stream = next(alone) if record["kind"] == "stream" else None
        if stream is not None and stream.path.resolve() in given:
            continue
        rows.append(ResultRow(
            name=_name(stream) if stream else record["name"],
            kind=SYSTEM if stream else FUSION,
            parameters=record["parameters"]["total"],
            macs_per_second=stream.metrics.get("macs_per_second") if stream else total,
            cost=_cost(stream) if stream else costs,
            **scores(record, _measures(run)), **{**common, "run": str(stream.path if stream else run.given)},
        ))  # fmt: skip
    return rows


def _name(run: FinishedRun) -> str:
    """Space and strategy of the genotype, else the folder's name."""
    file = next(iter(sorted(run.path.glob("split_*/genotype.json"))), None)
    document = read_json(file, "genotype") if file else {}
    parts = (document.get("space"), document.get("provenance", {}).get("strategy"))
    return ", ".join(str(part) for part in parts if part) or run.given.name


def _distinct(rows: Sequence[ResultRow]) -> list[ResultRow]:
    """Rows with names that tell them apart; a baseline that is the same in several runs stands once."""
    kept: list[ResultRow] = []
    for row in rows:
        is_known = any(row.kind == BASELINE and (row.name, row.ua, row.wa) == (r.name, r.ua, r.wa) for r in kept)
        if not is_known:
            kept.append(row)
    named: list[ResultRow] = []
    for row in kept:
        alike = [Path(other.run) for other in kept if other.name == row.name]
        where = Path(row.run).name if len({path.name for path in alike}) == len(alike) else row.run
        named.append(replace(row, name=f"{row.name} ({where})") if len(alike) > 1 else row)
    return named


def _cost(*runs: FinishedRun) -> Cost:
    """The costs on record of these runs and, each once, of the searches behind them, where these are there."""
    behind = [searches_behind(run) for run in runs if not run.is_fusion]
    searches = {folder.resolve(): folder for found in behind for folder in found or []}
    what = "streams and fusion" if runs[0].is_fusion else "retraining"
    is_whole = None not in behind and bool(searches)
    records = [run.record.get("cost") or {} for run in runs]
    records += [RunFolder.open(folder).record["cost"] for folder in searches.values()] if is_whole else []
    return _sum(records, f"search, {what}" if is_whole else f"{what} alone, the search is not there")


def _sum(records: Sequence[Mapping[str, Any]], what: str) -> Cost:
    passes = [record.get("clip_passes") or {} for record in records]
    return Cost(
        what=what,
        seconds=_total([record.get("seconds") for record in records]),
        device_seconds=_total([record.get("device_seconds") for record in records]),
        forward=_total([found.get("forward") for found in passes]),
        backward=_total([found.get("backward") for found in passes]),
        energy_joules=_total([record.get("energy_joules") for record in records]),
    )


def _total(values: Sequence[Any]) -> Any:
    """The sum; unknown where one of them is."""
    return None if None in values else sum(values)


def _n_groups(run: FinishedRun) -> int | None:
    """Test groups behind the score."""
    if "n_groups" in run.scores:
        return int(run.scores["n_groups"])
    scored = set(run.scores["splits"])
    counts = [split.get("n_groups") for split in run.metrics["splits"] if split["name"] in scored]
    return None if None in counts else sum(counts)


def _group_word(runs: Sequence[FinishedRun]) -> str:
    are_known = all(run.metrics["speaker_independence_checked"] for run in runs)
    return f"{group_word(dict(runs[0].record['data']))}s" if are_known else "files as groups"


def _caption(runs: Sequence[FinishedRun], unranked: bool) -> str:
    """What the numbers are: protocol, what mean and sd are over, whose interval, what is counted."""
    first = runs[0]
    data, found = first.record["data"], first.scores
    sentences = []
    if unranked:
        sentences.append("Not a ranking: the runs were not made by the same rules, see the last column.")
    sentences.append(
        f"{data_name(dict(data))}, protocol {data.get('protocol', 'folds')} ({data['fold_source']}), pooled over "
        f"{count_text(len(found['splits']), 'test fold')}."
    )
    n_seeds = {len(run.scores["seeds"]) for run in runs}
    seeds = "one retraining seed" if n_seeds == {1} else "retraining seeds"
    if len(n_seeds) == 1 and n_seeds != {1}:
        seeds = count_text(min(n_seeds), "retraining seed")
    main = _measures(first)[0]
    sentences.append(f"{_SCORE_WORDS[main.key]}: mean +- standard deviation over {seeds}.")
    how = found.get("interval")
    if any((run.scores.get(f"{main.key}_interval") or run.is_fusion) for run in runs) and how:
        sentences.append(f"Interval of {main.name}: {how}.")
    if found.get("chance"):
        sentences.append(f"p: {main.name} against chance, {found['chance']['how']}.")
    sentences.append(
        "Parameters and multiply-accumulates (MACs, of convolutions and matrix products, a second of audio) are those "
        "of the largest network of the folds; features and frozen encoders are not counted."
    )
    sentences.append("Cost: clips forward / backward, and hours of the device, of search and retraining.")
    sentences.append("Plain baselines (in italics) are trained and tested on the same folds.")
    if found.get("claim"):
        sentences.append(f"{found['claim'][:1].upper()}{found['claim'][1:]}.")
    if not all(run.metrics["speaker_independence_checked"] for run in runs):
        sentences.append("Speaker independence not checked: each file is its own group.")
    return " ".join(sentences)
