"""The trials of a multi-trial search on the page: pictures, a table, best first, and why trials failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from audionas.quantities import count_text, seconds_text
from audionas.report.blocks import Block, Gallery, Picture, Pictures, Table, Tile
from audionas.report.filter_shapes import shape_pictures
from audionas.report.front_sections import front_pictures, front_table
from audionas.report.guarded import guarded_blocks
from audionas.report.quantities import score_text
from audionas.report.retest_sections import retest_table
from audionas.report.run_files import SearchRun
from audionas.report.trial_explorer import trial_explorer
from audionas.report.trial_genotypes import chosen_settings, text_loss_text, text_losses
from audionas.report.trials import (
    OBJECTIVES,
    TrialLine,
    best_first,
    count_statuses,
    draw_against_text,
    draw_trials,
    failure_reasons,
    fidelity_text,
    has_fidelities,
    is_lower_better,
    main_name,
    trial_lines,
    worth,
)

N_TRIALS_SHOWN = 10
N_NUMBERS_SHOWN = 12


FIDELITIES = (
    "Those trained most stand first and alone may win; a score of a shorter training decided only whether the "
    "candidate was trained more, and is not to be compared with theirs."
)


def trial_blocks(search: SearchRun, pictures: Pictures) -> list[Block]:
    """Everything about the trials of one search."""
    lines, objective = trial_lines(search.trials), search.objective
    losses = text_losses(search) if any(line.recipe for line in lines) else {}
    drawn = _pictures(lines, objective, pictures)
    drawn += front_pictures(search, lines, pictures)
    still: list[Block] = [Gallery(tuple(drawn))] if drawn else []
    blocks = guarded_blocks(lambda: trial_explorer(search, lines, losses, still), still)
    others = _text_picture(lines, objective, losses, pictures) + shape_pictures(search.trials, lines, pictures)
    blocks += [Gallery(tuple(others))] if others else []
    blocks += front_table(search, main_name(lines))
    role = "names those re-tested" if search.retests else "decides"
    head, rows = _rows(lines, objective, losses, role, chosen_settings(search))
    again = retest_table(search)
    blocks += [again] if again else []
    main = main_name(lines)
    title = f"Trials by {objective_text(objective, main)} ({count_statuses(lines)})"
    note = objective_note(objective, main) + (f" {FIDELITIES}" if has_fidelities(lines) else "")
    blocks.append(Table(title, head, rows[:N_TRIALS_SHOWN], note))
    if len(rows) > N_TRIALS_SHOWN:
        rest = rows[N_TRIALS_SHOWN:]
        blocks.append(Table(f"The other {count_text(len(rest), 'trial')}", head, rest, is_folded=True))
    failures = _failures(lines)
    return [*blocks, failures] if failures else blocks


def trial_tiles(search: SearchRun) -> list[Tile]:
    """How many trials there are and how many were re-tested; no score, as none of a trial is a result."""
    lines = trial_lines(search.trials)
    worth_text = f", worth {worth(lines):.1f} whole trainings" if has_fidelities(lines) else ""
    tiles = [Tile(str(len(lines)), f"trials ({count_statuses(lines)}{worth_text})")]
    again = trial_lines(search.retests)
    return [*tiles, Tile(str(len(again)), f"re-tests ({count_statuses(again)})")] if again else tiles


def objective_text(objective: str, main: str = "UA") -> str:
    """What decides between trials, in words; `main` is the name of the main score."""
    return main if objective == "ua" else OBJECTIVES.get(objective, objective)


def objective_note(objective: str, main: str = "UA") -> str:
    """What decides between trials, in a sentence."""
    better = "lower" if is_lower_better(objective) else "higher"
    return (
        f"The {objective_text(objective, main)} decides: {better} is better, of equals the smaller network. All scores "
        "here are of validation clips, used to choose: the best of them is optimistic and no result."
    )


def _pictures(lines: Sequence[TrialLine], objective: str, pictures: Pictures) -> list[Picture]:
    name, best = objective_text(objective, main_name(lines)), "lowest" if is_lower_better(objective) else "highest"
    title = name[0].upper() + name[1:]
    drawn = []
    figure = draw_trials(lines, objective)
    if figure:
        caption = f"One dot a trial; circled: the best first score ({best} {name}). Validation, used to choose."
        if has_fidelities(lines):
            caption += " Pale: trained less, not to be compared."
        drawn.append(pictures.make(f"{title} against parameters", figure, caption))
    return drawn


def _text_picture(
    lines: Sequence[TrialLine], objective: str, losses: Mapping[str, float], pictures: Pictures
) -> list[Picture]:
    against = draw_against_text(lines, objective, losses)
    if not against:
        return []
    name = objective_text(objective, main_name(lines))
    caption = "One dot a trial, named by its recipe; loss on text: as a language model, from the catalogue."
    return [pictures.make(f"{name[0].upper()}{name[1:]} against the loss on text", against, caption)]


def _rows(
    lines: Sequence[TrialLine],
    objective: str,
    losses: Mapping[str, float],
    role: str,
    settings: Mapping[int, str],
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Head and rows, best first; a column that no trial fills is left out."""
    others = [name for name in ("ua", "loss") if name != objective]
    main, second = next(((line.main, line.second) for line in lines if line.ua is not None), ("UA", "WA"))
    table = []
    for line in best_first(lines, objective):
        table.append(
            {
                "trial": str(line.shown),
                "recipe": line.recipe,
                "settings": settings.get(line.number, ""),
                "status": line.status + (f": {line.shown_error}" if line.error else ""),
                f"{objective_text(objective, main)} ({role})": score_text(line.value(objective)),
                **{objective_text(name, main): score_text(line.value(name)) for name in others},
                second: score_text(line.wa),
                "trained": fidelity_text(line) if has_fidelities(lines) else "",
                "epoch scored": _epoch(line),
                "parameters": "none" if line.parameters is None else f"{line.parameters:,}",
                "time": "none" if line.seconds is None else seconds_text(line.seconds),
                "loss on text (rank of those that have one)": text_loss_text(line.recipe, losses),
                "genotype": line.genotype_hash[:12],
            }
        )
    head = tuple(name for name in table[0] if any(row[name] for row in table)) if table else ("trial",)
    return head, tuple(tuple(row[name] for name in head) for row in table)


def _epoch(line: TrialLine) -> str:
    """Epochs count from 0 in files and from 1 on the page."""
    if line.epoch is None:
        return ""
    return f"{line.epoch + 1} of {line.epochs}" if line.epochs else str(line.epoch + 1)


def _failures(lines: Sequence[TrialLine]) -> Table | None:
    rows = tuple(
        (
            reason,
            str(len(failed)),
            ", ".join(str(line.shown) for line in failed[:N_NUMBERS_SHOWN])
            + (", …" if len(failed) > N_NUMBERS_SHOWN else ""),
            failed[0].shown_error or "not recorded",
        )
        for reason, failed in failure_reasons(lines).items()
    )
    note = "A failed trial counts against the budget and never wins."
    return (
        Table("Failed trials, by reason", ("reason", "trials", "numbers", "first error"), rows, note) if rows else None
    )
