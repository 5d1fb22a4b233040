"""The part of the page that says how decided a search is: margins, restarts, and how well its supernet ranks."""

from __future__ import annotations

from audionas.report.blocks import Block, Fold, Notes, Pictures, Section, Table
from audionas.report.cells import CELLS
from audionas.report.quantities import plain, score_text
from audionas.report.ranking_picture import draw_ranking
from audionas.report.recurrent_alphas import KINDS as RECURRENT_KINDS
from audionas.report.run_files import JsonObject, RunFiles, SearchRun
from audionas.report.verdict import decision_sentences
from audionas.spaces.decision import UNDECIDED
from audionas.training.measures import measures_of, scored_by

INTRO = (
    "A margin is the weight of a kept operation minus that of the runner-up on the same edge. "
    "The discretisation gap is the {} of the supernet minus that of the network cut out of it."
)


def decision_section(files: RunFiles, pictures: Pictures) -> Section | None:
    """Verdict, margins, agreement over restarts, and the ranking where there is one."""
    searches = [search for search in files.searches if search.decided or search.ranking]
    if not searches:
        return None
    is_undecided = any((search.decided or {}).get("verdict") == UNDECIDED for search in searches)
    sentences = decision_sentences(files)
    blocks: list[Block] = [Notes(tuple(sentences), is_undecided)] if sentences else []
    intro = INTRO.format(measures_of(files.data)[0].name)
    if not files.is_nested:
        return Section("decided", "Is the search decided?", (*blocks, *_of_one(searches[0], pictures)), intro)
    blocks.append(_splits(searches))
    blocks += [Fold(f"Split {search.split}", tuple(_of_one(search, pictures))) for search in searches]
    return Section("decided", "Are the searches decided?", tuple(blocks), intro)


def _splits(searches: list[SearchRun]) -> Table:
    rows = []
    for search in searches:
        decided = search.decided or {}
        agreement = (decided.get("restarts") or {}).get("agreement")
        rows.append((
            search.split, str(decided.get("verdict", "not known")), _number(decided.get("margin_median")),
            _number(decided.get("margin_min")), _number(decided.get("discretisation_gap")), _share(agreement),
        ))  # fmt: skip
    head = ("test split", "verdict", "median margin", "closest margin", "discretisation gap", "restarts share")
    return Table("The searches", head, tuple(rows))


def _of_one(search: SearchRun, pictures: Pictures) -> list[Block]:
    decided = search.decided or {}
    blocks: list[Block] = [_cells(decided)] if decided.get("cells") else []
    if decided.get("restarts"):
        blocks.append(_restarts(decided["restarts"]))
    if search.ranking:
        blocks += _ranking(search, search.ranking, pictures)
    return blocks


def _cells(decided: JsonObject) -> Table:
    by_cell = (decided.get("restarts") or {}).get("agreement_by_cell") or {}
    rows = [
        (
            title,
            _number(cell["margin_median"]),
            _number(cell["margin_min"]),
            f"{cell['skips']} ({_share(cell['skip_share'])})" if "skips" in cell else "none",
            _share(by_cell.get(name)),
        )
        for name, title in (*CELLS, *RECURRENT_KINDS)
        if (cell := decided["cells"].get(name))
    ]
    gap, main = decided.get("discretisation_gap"), scored_by(decided)
    note = "" if gap is None else (
        f"Discretisation gap {gap:.3f}: {main.name} {score_text(decided[f'supernet_{main.key}'])} of the supernet, "
        f"{score_text(decided[f'network_{main.key}'])} of the network cut out (scored on: {decided['scored_on']})."
    )  # fmt: skip
    head = ("cell", "median margin", "closest margin", "skip connections", "edges that restarts share")
    return Table("Margins of the kept operations", head, tuple(rows), note)


def _restarts(restarts: JsonObject) -> Table:
    main = scored_by(restarts["each"][0], "network")
    network = f"network_{main.key}"
    rows = [
        (
            f"{row['restart']}{' (handed on)' if row['restart'] == restarts.get('chosen') else ''}",
            plain(row["seed"]),
            str(row.get("verdict", "not known")),
            _number(row.get("margin_median")),
            f"{score_text(row[network])} ({row['scored_on']})" if network in row else "none",
            str(row["genotype_hash"])[:12],
        )
        for row in restarts["each"]
    ]
    note = f"Same parts, other seeds. Handed on: {restarts.get('chosen_by')}."
    if restarts.get("agreement") is not None:
        note += (
            f" Two restarts share {_share(restarts['agreement'])} of their edges (node, operation and input); two "
            f"random genotypes of the space share {_share(restarts['agreement_by_chance'])}."
        )
    head = ("restart", "seed", "verdict", "median margin", f"{main.name} of the network cut out (on)", "genotype")
    return Table("Restarts", head, tuple(rows), note)


def _ranking(search: SearchRun, ranking: JsonObject, pictures: Pictures) -> list[Block]:
    """The taus with their intervals, and every genotype as a point."""
    conclusion = str(ranking["conclusion"])
    texts = [f"Ranking: {conclusion}."]
    texts += [f"{ranking['warning'][0].upper()}{ranking['warning'][1:]}."] if ranking.get("warning") else []
    rows = [
        ("supernet against retraining", *_tau(ranking["supernet"])),
        ("retraining against retraining (noise ceiling)", *_tau(ranking["ceiling"])),
        ("share of the ceiling", _number(ranking.get("ratio")), _interval(ranking.get("interval"))),
    ]
    note = f"{ranking['what']}. {ranking['n_genotypes']} random genotypes, {ranking['n_clips']} clips."
    if ranking.get("n_failed"):
        note += f" Left out because a training diverged: {ranking['n_failed']}."
    table = Table(
        "Does the supernet rank as retraining does?", ("ranking", "Kendall's tau", "interval"), tuple(rows), note
    )
    figures = draw_ranking(search.ranked)
    caption = "One point a genotype, scored on the same clips. Points on a rising line would be a perfect ranking."
    return [Notes(tuple(texts)), table, *([pictures.make("Genotypes", figures, caption)] if figures else [])]


def _tau(agreement: JsonObject) -> tuple[str, str]:
    return _number(agreement.get("tau")), _interval(agreement.get("interval"))


def _interval(interval: list[float] | None) -> str:
    return f"{interval[0]:.3f} to {interval[1]:.3f}" if interval else "none"


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"


def _share(value: float | None) -> str:
    return "none" if value is None else f"{value:.0%}"
