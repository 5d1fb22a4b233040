"""The part of the page about the course of a search: curves, alphas, trials."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from audionas.quantities import count_text
from audionas.report.blocks import Block, Fold, Gallery, Notes, Picture, Pictures, Section, Table
from audionas.report.cells import CELLS
from audionas.report.curves import (
    COLOURS,
    Line,
    draw_alpha_heat,
    draw_alpha_lines,
    draw_lines,
)
from audionas.report.epoch_explorer import epoch_explorer
from audionas.report.genotype_changes import change_blocks
from audionas.report.guarded import guarded_blocks
from audionas.report.one_shot_sections import (
    alarm_blocks,
    edge_notes,
    eigenvalue_pictures,
    evolution_blocks,
    op_weights,
    weights_text,
)
from audionas.report.quantities import plain, score_text
from audionas.report.recurrent_alphas import KINDS as RECURRENT_KINDS
from audionas.report.recurrent_alphas import alpha_note, alpha_tables
from audionas.report.retest_sections import winner_text
from audionas.report.run_files import JsonObject, RunFiles, SearchRun
from audionas.report.trial_sections import objective_note, objective_text, trial_blocks
from audionas.report.trials import best_first, count_statuses, has_fidelities, trial_lines, worth
from audionas.spaces.cnn_genotype import node_edges
from audionas.training.measures import measures_of


def search_section(files: RunFiles, pictures: Pictures) -> Section | None:
    """How the search went: curves, alphas, trials."""
    if not files.searches:
        return None
    if not files.is_nested:
        blocks = _course(files.searches[0], pictures, with_alpha_lines=True)
        return Section("search", "How the search went", tuple(blocks)) if blocks else None
    folds = [
        Fold(f"Split {search.split}", tuple(_course(search, pictures, with_alpha_lines=False)))
        for search in files.searches
    ]
    intro = "One search a test fold; each read only the clips outside its fold."
    by_trials = any(search.is_multi_trial for search in files.searches)
    table = _nested_trials(files) if by_trials else _nested_table(files)
    return Section("search", "How the searches went", (table, *folds), intro)


def _nested_trials(files: RunFiles) -> Table:
    """One row a search by trials: what is best in it so far."""
    objective = files.searches[0].objective
    main, _ = measures_of(files.data)
    rows = []
    for search in files.searches:
        lines = trial_lines(search.trials)
        best = next(iter(best_first(lines, objective)), None)
        value = best.value(objective) if best else None
        rows.append(
            (
                search.split,
                str(search.run.get("status", "unknown")),
                count_text(_total(search.run, "n_clips", search.run.get("data") or {}), "clip"),
                (f"{len(lines)}, worth {worth(lines):.1f}" if has_fidelities(lines) else str(len(lines)))
                + f" of {search.run.get('trials', '?')} ({count_statuses(lines) or 'none yet'})",
                score_text(value),
                f"{best.shown}{f' ({best.recipe})' if best.recipe else ''}"
                if best and value is not None
                else "none yet",
                score_text(best.ua if best else None),
                f"{best.parameters:,}" if best and best.parameters else "none",
                winner_text(search),
                str((search.genotype or {}).get("hash", "none yet"))[:12],
            )
        )
    head = (
        "test split", "status", "read", "trials", f"best first {objective_text(objective, main.name)}",
        "its trial (recipe)", f"its validation {main.name}", "its parameters", "winner, re-tested", "genotype",
    )  # fmt: skip
    return Table("The searches", head, tuple(rows), objective_note(objective, main.name))


def _nested_table(files: RunFiles) -> Table:
    main, _ = measures_of(files.data)
    rows = []
    for search in files.searches:
        last: JsonObject = search.epochs[-1] if search.epochs else {}
        data = search.run.get("data") or {}
        rows.append(
            (
                search.split,
                str(search.run.get("status", "unknown")),
                count_text(_total(search.run, "n_clips", data), "clip"),
                f"{len(search.epochs)} of {search.run.get('epochs', '?')}",
                f"{score_text(last.get(f'network_{main.key}'))} ({last.get('scored_on', 'not recorded')})",
                plain(last.get("skips")),
                plain(last.get("parameters")),
                str((search.genotype or {}).get("hash", "none yet"))[:12],
            )
        )
    head = (
        "test split",
        "status",
        "read",
        "epochs",
        f"{main.name} of the network cut out (on)",
        "skips",
        "parameters",
        "genotype",
    )
    return Table("The searches", head, tuple(rows))


def _total(run: JsonObject, key: str, data: JsonObject) -> int | None:
    parts = run.get("parts") or {}
    counts = [part.get(key) for part in parts.values() if part]
    return sum(counts) if counts and None not in counts else data.get(key)


def _course(search: SearchRun, pictures: Pictures, *, with_alpha_lines: bool) -> list[Block]:
    blocks: list[Block] = []
    if search.trials:
        blocks += trial_blocks(search, pictures)
    if search.epochs:
        blocks += alarm_blocks(search)
        blocks.append(Gallery(tuple(_epoch_pictures(search, pictures))))
        blocks += _alpha_blocks(search, pictures, with_lines=with_alpha_lines)
        blocks += guarded_blocks(lambda: change_blocks(search), [])
        blocks += evolution_blocks(search)
    return blocks


def _epoch_pictures(search: SearchRun, pictures: Pictures) -> list[Picture]:
    epochs, data = search.epochs, search.run.get("data") or {}
    main, _ = measures_of(data)
    drawn = []
    losses = [
        _line(epochs, "weights_loss", "loss on the weights part", 0),
        _line(epochs, "alphas_loss", "loss on the alphas part", 1, "--"),
    ]
    if any(line.epochs for line in losses):
        drawn.append(
            pictures.make(
                "Losses of the supernet",
                draw_lines(losses, y_label="1 - CCC" if main.key == "ccc" else "cross-entropy"),
            )
        )
    scores = [
        _line(epochs, f"supernet_{main.key}", "mixed supernet", 0),
        _line(epochs, f"network_{main.key}", "network cut out of it", 1, "--"),
    ]
    if any(line.epochs for line in scores):
        parts = {str(epoch.get("scored_on")) for epoch in epochs if epoch.get("scored_on")}
        caption = "Scored on " + " and ".join(sorted(map(_part_in_words, parts))) + "."
        n_labels = len(data.get("labels") or []) if main.key == "ua" else 0
        lowest = -1 if main.key == "ccc" else 0
        figure = draw_lines(scores, y_label=main.name, y_range=(lowest, 1), chance=1 / n_labels if n_labels else None)
        drawn.append(pictures.make(f"{main.name} during the search", figure, caption))
    entropies = [
        Line(
            title,
            tuple(_shown(epoch, i) for i, epoch in enumerate(epochs) if name in (epoch.get("entropy") or {})),
            tuple(epoch["entropy"][name] for epoch in epochs if name in (epoch.get("entropy") or {})),
            COLOURS[number % len(CELLS)],
            "-" if number % len(CELLS) == 0 else "--",
        )
        for number, (name, title) in enumerate((*CELLS, *RECURRENT_KINDS))
    ]
    entropies = [line for line in entropies if line.epochs] or entropies[:2]
    if any(line.epochs for line in entropies):
        n_ops = len(epochs[-1].get("ops") or [])
        undecided = f" Undecided between {n_ops} operations it is {np.log(n_ops):.2f}." if n_ops else ""
        drawn.append(
            pictures.make(
                "Entropy of the alphas",
                draw_lines(entropies, y_label="entropy (nats)"),
                f"Mean over {'edges' if n_ops else 'decisions'}; it falls as the search makes up its mind.{undecided}",
            )
        )
    return [*drawn, *eigenvalue_pictures(epochs, pictures)]


def _part_in_words(part: str) -> str:
    if part == "monitor":
        return "the monitor part, which trains neither weights nor alphas"
    return "clips that the search used, so optimistic" if part == "used by the search" else part


def _line(epochs: Sequence[JsonObject], key: str, name: str, number: int, dashes: str = "-") -> Line:
    points = [(_shown(epoch, i), epoch[key]) for i, epoch in enumerate(epochs) if epoch.get(key) is not None]
    return Line(
        name,
        tuple(epoch for epoch, _ in points),
        tuple(value for _, value in points),
        COLOURS[number],
        dashes,
    )


def _shown(epoch: JsonObject, position: int) -> int:
    """Epochs count from 0 in files and from 1 on the page."""
    return int(epoch.get("epoch", position)) + 1


def _alpha_blocks(search: SearchRun, pictures: Pictures, *, with_lines: bool) -> list[Block]:
    last = search.epochs[-1]
    if last.get("options"):
        tables = alpha_tables(search, pictures)
        moving = _moving(search, [Gallery(tuple(tables))] if tables else [])
        return [Notes((alpha_note(last), *_margins(last))), *moving] if tables else []
    if not (last.get("alphas") and last.get("edges") and last.get("ops")):
        return _moving(search, [])
    edges = [(int(node), int(source)) for node, source in last["edges"]]
    ops = [str(op) for op in last["ops"]]
    heats, lines = [], []
    for name, title in CELLS:
        if name not in last["alphas"]:
            continue
        kept = _kept(last.get("genotype") or {}, name)
        heat = draw_alpha_heat(op_weights(last, name), edges, ops, kept)
        heats.append(pictures.make(f"{title}: weights after epoch {_shown(last, 0)}", heat))
        numbered = [(_shown(epoch, i), epoch) for i, epoch in enumerate(search.epochs) if epoch.get("alphas")]
        if with_lines and len(numbered) > 1:
            course = np.stack([op_weights(epoch, name) for _, epoch in numbered])
            figure = draw_alpha_lines([number for number, _ in numbered], course, edges, ops)
            lines.append(pictures.make(f"{title}: weights over the epochs", figure))
    note = (
        f"Weight of an operation on an edge = {weights_text(last)}. Framed: kept in the genotype: "
        "each node's strongest edges, never “none”."
    )
    moving = _moving(search, [Gallery(tuple(heats))])
    others = [Gallery(tuple(lines))] if lines else []
    return [Notes((note, *edge_notes(last), *_margins(last))), *moving, *others]


def _moving(search: SearchRun, still: list[Block]) -> list[Block]:
    return guarded_blocks(lambda: epoch_explorer(search, still), still)


def _kept(genotype: JsonObject, name: str) -> list[tuple[int, int, str]]:
    blocks = node_edges(genotype.get(name) or [], int(genotype.get("edges_per_node", 2)))
    return [(node, int(source), str(op)) for node, block in enumerate(blocks, start=2) for op, source in block]


def _margins(last: JsonObject) -> list[str]:
    """How clear the choices were."""
    margins = [value for found in (last.get("margins") or {}).values() for value in found]
    if not margins:
        return []
    return [
        f"Margin of the kept {'options' if last.get('options') else 'operations'} to the runner-up: "
        f"{min(margins):.3f} at the closest {'decision' if last.get('options') else 'edge'}, "
        f"{float(np.median(margins)):.3f} in the median."
    ]
