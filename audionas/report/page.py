"""The page: reads a run, makes the sections, writes one HTML file that works offline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import jinja2

from audionas.quantities import count_text, seconds_text
from audionas.records import write_text
from audionas.report.beside import Beside
from audionas.report.blocks import Block, Facts, Notes, Pictures, Section, Tile
from audionas.report.cell_sections import cells_section
from audionas.report.clip_sections import clip_section
from audionas.report.comparison_sections import comparison_sections, comparison_title, comparison_verdict
from audionas.report.decision_sections import decision_section
from audionas.report.environment_section import commands_section, environment_section
from audionas.report.evaluation_sections import evaluation_sections, evaluation_title, evaluation_verdict
from audionas.report.evidence import chance_text, is_above_chance
from audionas.report.explorer import has_explorer, script, script_policy
from audionas.report.fact_sections import cost_rows, search_facts
from audionas.report.fusion_sections import fusion_sections, fusion_tiles, fusion_title, fusion_verdict
from audionas.report.guarded import CANNOT, guarded, guarded_section
from audionas.report.hand_made_sections import hand_made_section
from audionas.report.quantities import score_text
from audionas.report.reproduction_sections import reproduction_sections, reproduction_title, reproduction_verdict
from audionas.report.run_files import JsonObject, RunFiles, read_run
from audionas.report.score_sections import learning_section, score_section
from audionas.report.search_sections import search_section
from audionas.report.trial_sections import trial_tiles
from audionas.report.verdict import baseline_scores, strongest_plain, title, verdict
from audionas.report.words_section import words_section
from audionas.training.measures import measures_of

FILE_NAME = "report.html"
PageParts = tuple[
    Callable[[RunFiles], str], Callable[[RunFiles], list[str]], Callable[[RunFiles], Sequence[Section | None]]
]
OTHER_PAGES: dict[str, PageParts] = {
    "fuse": (fusion_title, fusion_verdict, fusion_sections),
    "reproduce": (reproduction_title, reproduction_verdict, reproduction_sections),
    "compare": (comparison_title, comparison_verdict, comparison_sections),
    "evaluate": (evaluation_title, evaluation_verdict, evaluation_sections),
}


def write_report(
    run: Path,
    out: Path | None = None,
    beside: Sequence[Beside] = (),
    not_beside: Sequence[str] = (),
    side: Sequence[Section | None] = (),
    *,
    clips: bool = False,
) -> Path:
    """Write the page of a run and give back where it lies.

    Args:
        run: folder of a search, a nested search, a retraining, a fusion, a reproduction or an evaluation; a search's
            retraining is looked for in its folder `retrained`. What is not there yet, or is damaged, is left out, and
            the page says so.
        out: the HTML file; by default `report.html` in `run`.
        beside: networks that were trained under the same rules as its retraining.
        not_beside: one line each for those that were found and were not.
        side: sections on other runs.
        clips: embed a few recordings, which may be private.

    Raises:
        RunError: `run` holds no run, or `out` cannot be written.
    """
    target = out or run / FILE_NAME
    read = read_run(run, salvages=True)
    found = replace(read, beside=tuple(beside), not_beside=tuple(not_beside), shows_clips=clips)
    write_text(target, render(found, side))
    return target


def render(files: RunFiles, side: Sequence[Section | None] = ()) -> str:
    """The HTML text of a run's page; `side` are sections on other runs."""
    heading, sentences = title_and_verdict(files)
    top = [*sentences[:1], *_faults_sentence(files), *sentences[1:]]
    ends: tuple[tuple[str, str, Callable[[RunFiles], Section | None]], ...] = (
        ("warnings", "Warnings and notes", _warnings),
        ("repeat", "Commands to repeat this", commands_section),
        ("versions", "Seeds, machine, versions", environment_section),
    )
    warnings, commands, versions = (guarded_section(anchor, name, partial(make, files)) for anchor, name, make in ends)
    return fill(
        heading, top, _tiles_of(files), [_faults(files), warnings, *side, *_own_sections(files), commands, versions]
    )


def fill(heading: str, sentences: Sequence[str], tiles: Sequence[Tile], sections: Sequence[Section | None]) -> str:
    """The HTML text of a page of any kind; of the sentences the first is the verdict."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    first, *others = sentences
    shown = [section for section in sections if section]
    moves = has_explorer(block for section in shown for block in section.blocks)
    return environment.get_template("page.html").render(
        title=heading,
        verdict=first,
        others=others,
        tiles=tiles,
        sections=shown,
        script=script() if moves else "",
        script_policy=script_policy(),
    )


def title_and_verdict(files: RunFiles) -> tuple[str, list[str]]:
    """Title, and sentences at the top with the verdict first."""
    make_title, make_verdict, _ = OTHER_PAGES.get(files.kind, (title, verdict, _sections))
    instead = f"What this run comes to {CANNOT}"
    return (
        guarded(lambda: make_title(files), lambda _: f"{files.kind} in {files.folder.name}"),
        guarded(lambda: make_verdict(files), lambda why: [f"{instead} ({why})."]),
    )


def _own_sections(files: RunFiles) -> Sequence[Section | None]:
    """The sections that only this kind of run has."""
    make = OTHER_PAGES[files.kind][2] if files.kind in OTHER_PAGES else _sections
    broken = Section("damaged", "The run", (Notes((f"Its parts {CANNOT}.",), is_alarm=True),))
    return guarded(lambda: make(files), lambda _: [broken])


def _sections(files: RunFiles) -> list[Section | None]:
    """The parts of the page of a search or a retraining."""
    pictures = Pictures()
    makers: tuple[tuple[str, str, Callable[[], Section | None]], ...] = (
        ("cells", "The cells found", lambda: hand_made_section(files) or cells_section(files, pictures)),
        ("words", "The network in words", lambda: words_section(files)),
        ("scores", "Scores of the retrained network", lambda: score_section(files, pictures)),
        ("clips", "Clips to listen to", lambda: clip_section(files)),
        ("learning", "How the retraining went", lambda: learning_section(files, pictures)),
        ("search", "How the search went", lambda: search_section(files, pictures)),
        ("decided", "Is the search decided?", lambda: decision_section(files, pictures)),
        ("data", "Data and settings", lambda: search_facts(files)),
        ("cost", "Cost", lambda: Section("cost", "Cost", (Facts(tuple(cost_rows(files))),))),
    )
    return [guarded_section(*maker) for maker in makers]


def _faults_sentence(files: RunFiles) -> list[str]:
    """That not all of the run could be read, for the top of the page."""
    if not files.faults:
        return []
    what = count_text(len(files.faults), "fault")
    return [f"Not all of this run could be read ({what}, listed below): what follows is what is there."]


def _faults(files: RunFiles) -> Section | None:
    notes = (Notes(files.faults, is_alarm=True),)
    return Section("faults", "What could not be read", notes) if files.faults else None


def _tiles_of(files: RunFiles) -> list[Tile]:
    return guarded(lambda: fusion_tiles(files) if files.kind == "fuse" else _tiles(files), lambda _: [])


def _tiles(files: RunFiles) -> list[Tile]:
    """The numbers at the top, each with what it is."""
    tiles = []
    metrics = (files.retraining.metrics if files.retraining else None) or {}
    headline = metrics.get("headline")
    if headline:
        n_seeds = len(headline.get("seeds") or [])
        seeds = f"mean ± sd over {n_seeds} seeds" if n_seeds > 1 else "one seed"
        warning = "" if is_above_chance(headline) else f", not above chance (p {chance_text(headline)})"
        main, second = measures_of(metrics)
        for each, told in ((main, warning), (second, "")):
            score = score_text(headline.get(each.key), headline.get(f"{each.key}_sd"), n_seeds)
            tiles.append(Tile(score, f"pooled {each.name} ({seeds}){told}"))
        plain_system = strongest_plain(metrics)
        if plain_system in baseline_scores(metrics):
            beside = score_text(baseline_scores(metrics)[plain_system].get(main.key))
            tiles.append(Tile(beside, f"pooled {main.name} of {plain_system}"))
    last = next((search.epochs[-1] for search in files.searches if search.epochs), {})
    main, _ = measures_of(files.data)
    cut_out = last.get(f"network_{main.key}")
    if not metrics and cut_out is not None and not files.is_nested:
        tiles.append(Tile(score_text(cut_out), f"{main.name} of the network cut out ({last.get('scored_on')})"))
    if not metrics and files.searches and files.searches[0].trials and not files.is_nested:
        tiles += trial_tiles(files.searches[0])
    parameters = metrics.get("parameters", None if files.is_nested else last.get("parameters"))
    if parameters is not None:
        tiles.append(Tile(f"{parameters:,}", "parameters of the network" + _pooling_share(files, parameters)))
    ended = [search.run for search in files.searches if search.run.get("status") != "running"]
    seconds = [run["cost"]["seconds"] for run in ended if (run.get("cost") or {}).get("seconds") is not None]
    if seconds:
        what = f"of {count_text(len(seconds), 'search', 'searches')}" if files.is_nested else "of the search"
        tiles.append(Tile(seconds_text(sum(seconds)), f"time {what}"))
    return tiles


def _pooling_share(files: RunFiles, parameters: int) -> str:
    """What of a network's weights is in the attention pooling, if that is noted."""
    noted = list(files.retraining.parameter_parts.values()) if files.retraining else []
    largest = next((parts for parts in noted if parts.get("total") == parameters), {})
    return f", of these {largest['attention']:,} in the attention pooling" if largest.get("attention") else ""


def _warnings(files: RunFiles) -> Section | None:
    runs = [(search.split, search.run) for search in files.searches]
    runs += [("", run) for run in _other_records(files)]
    blocks: list[Block] = []
    for key, is_alarm in (("warnings", True), ("notes", False)):
        texts = [f"Split {split}: {text}" if split else str(text) for split, run in runs for text in run.get(key) or []]
        if texts:
            blocks.append(Notes(tuple(dict.fromkeys(texts)), is_alarm))
    return Section("warnings", "Warnings and notes", tuple(blocks)) if blocks else None


def _other_records(files: RunFiles) -> list[JsonObject]:
    """Records of what is no search: the retraining's, or that of a folder of another kind."""
    if files.retraining:
        return [files.retraining.run]
    return [files.top] if files.kind in OTHER_PAGES else []


__all__ = ["fill", "render", "title_and_verdict", "write_report"]
