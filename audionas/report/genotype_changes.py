"""How the genotype of a one-shot search went from epoch to epoch: where it changed, and what."""

from __future__ import annotations

from collections.abc import Sequence

from audionas.quantities import count_text
from audionas.report.blocks import Block, Table
from audionas.report.cells import CELLS, edges_in_words
from audionas.report.recipes import recipe_in_words
from audionas.report.run_files import JsonObject, SearchRun

MOST_ROWS = 200
N_NAMED = 12
WITHOUT_ALPHAS = ("enas",)  # its lines have no alphas, but the likeliest path; elsewhere such a path is any


def logged(search: SearchRun) -> list[JsonObject]:
    """The epochs whose genotype the search would have handed on."""
    has_meaning = search.run.get("algorithm") in WITHOUT_ALPHAS
    return [epoch for epoch in search.epochs if epoch.get("genotype") and (has_meaning or epoch.get("alphas"))]


def changes_of(epochs: Sequence[JsonObject]) -> list[int]:
    """The places in `epochs` at which the genotype is another one than before."""
    return [i for i in range(1, len(epochs)) if epochs[i]["genotype"] != epochs[i - 1]["genotype"]]


def changes_sentence(epochs: Sequence[JsonObject]) -> str:
    """Where it changed, in words."""
    changes = [int(epochs[i]["epoch"]) + 1 for i in changes_of(epochs)]
    n = count_text(len(epochs), "epoch")
    if not changes:
        return f"The genotype is the same after each of {n}."
    if len(changes) <= N_NAMED:
        where = ", ".join(map(str, changes))
        return f"The genotype changed at {count_text(len(changes), 'epoch')} of {len(epochs)}: {where}."
    return f"The genotype changed at {len(changes)} of {n}, last at epoch {changes[-1]}."


def change_blocks(search: SearchRun) -> list[Block]:
    """What changed at each epoch."""
    epochs = logged(search)
    if len(epochs) < 2:
        return []
    rows = [
        (str(int(epochs[i]["epoch"]) + 1), *_difference(epochs[i - 1]["genotype"], epochs[i]["genotype"]))
        for i in changes_of(epochs)
    ]
    note = "" if len(rows) <= MOST_ROWS else f"The last {MOST_ROWS} of {len(rows)} changes."
    title, head = "What changed in the genotype, and when", ("epoch", "no longer", "instead")
    table = Table(title, head, tuple(rows[-MOST_ROWS:]), note, is_folded=True)
    return [table] if rows else []


def _difference(before: JsonObject, after: JsonObject) -> tuple[str, str]:
    """What a genotype has no longer, and what it has instead."""
    old, new = _lines(before), _lines(after)
    gone, come = ([line for line in one if line not in other] for one, other in ((old, new), (new, old)))
    return "; ".join(gone) or "nothing", "; ".join(come) or "nothing"


def _lines(genotype: JsonObject) -> list[str]:
    if "normal" not in genotype:
        return recipe_in_words(genotype)
    per_node = int(genotype.get("edges_per_node", 2))
    return [
        f"{title.split()[0].lower()}, {words}"
        for name, title in CELLS
        for words in edges_in_words([(str(op), int(source)) for op, source in genotype.get(name) or []], per_node)
    ]
