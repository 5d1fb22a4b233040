"""The page of a reproduction: what was reproduced, and its tables as `tables.json` has them."""

from __future__ import annotations

from audionas.quantities import count_text
from audionas.report.blocks import Block, Facts, Notes, Section, Table
from audionas.report.fusion_sections import stream_names
from audionas.report.quantities import data_name, interval_text, plain, score_text
from audionas.report.run_files import JsonObject, RunFiles
from audionas.report.verdict import STATUS_WORDS


def reproduction_title(files: RunFiles) -> str:
    """What is reproduced, on what."""
    argv = [str(word) for word in files.top.get("argv") or []]
    after = argv[argv.index("reproduce") + 1 :] if "reproduce" in argv else []
    paper = after[0] if after and not after[0].startswith("-") else "a paper"
    return f"Reproduction of {paper} on {data_name(files.data)}"


def reproduction_verdict(files: RunFiles) -> list[str]:
    """What it found: the fused score, and whether fusion is shown to be better; then what weakens it, then its state.

    A miniature says so in the first sentence, as its scores say nothing.
    """
    record = files.tables or {}
    status = str(files.top.get("status", "done"))
    tables = record.get("tables") or []
    have = count_text(len(tables), "table") if tables else "no tables yet"
    state = f"The reproduction {STATUS_WORDS.get(status, 'is done')}: {have}."
    notes = [_sentence(str(note)) for note in record.get("notes") or []]
    return [*_finding(files), *notes, state]


def _finding(files: RunFiles) -> list[str]:
    """The fused score with its interval, and the conclusion of the fusion."""
    record = files.tables or {}
    fusion = record.get("fusion") or {}
    row = next((row for row in fusion.get("rows") or [] if row.get("kind") == "mlp"), None)
    if row is None:
        return _first_system(record)
    plan = files.top.get("plan") or record.get("plan") or {}
    miniature = "A miniature, whose scores say nothing: " if plan.get("is_smoke") else ""
    score = score_text(row.get("ua"), row.get("ua_sd"), len(row.get("per_seed") or []))
    bounds = row.get("ua_interval")
    between = f"95 % interval {interval_text(bounds)}" if bounds else "no interval, too few groups"
    shown = "" if fusion.get("is_better") else "not "
    text = f"both streams fused reach UA {score} ({between}); fusion is {shown}shown to be better than each stream "
    first = _sentence(f"{miniature}{text}and every untrained rule")
    conclusion = str(fusion.get("conclusion") or "")
    for path, name in stream_names(fusion.get("rows") or []).items():
        conclusion = conclusion.replace(path, name)
    return [first, conclusion] if conclusion else [first]


def _first_system(record: JsonObject) -> list[str]:
    """Of hand-made systems the first one, which is the paper's own."""
    scores = record.get("scores") or {}
    if not scores or "fusion" in record:
        return []
    name, found = next(iter(scores.items()))
    miniature = "A miniature, whose scores say nothing: " if (record.get("plan") or {}).get("is_smoke") else ""
    n_seeds = int((record.get("plan") or {}).get("seeds", 1))
    bounds = found.get("ua_interval")
    between = f"95 % interval {interval_text(bounds)}" if bounds else "no interval, too few groups"
    score = score_text(found.get("ua"), found.get("ua_sd"), n_seeds)
    return [_sentence(f"{miniature}{name} reaches UA {score} ({between}) here")]


def _sentence(text: str) -> str:
    """A note as a sentence.

    >>> _sentence("the paper's figures are on IEMOCAP")
    "The paper's figures are on IEMOCAP."
    """
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def reproduction_sections(files: RunFiles) -> list[Section]:
    """Its tables, then its plan."""
    sections = []
    tables: list[Block] = [_table(table) for table in (files.tables or {}).get("tables") or []]
    if tables:
        sections.append(Section("tables", "Tables", tuple(tables)))
    else:
        text = "tables.json is not there yet; it is written when both streams and the fusion are done."
        sections.append(Section("tables", "Tables", (Notes((text,)),)))
    plan = files.top.get("plan") or {}
    if plan:
        rows = tuple((str(key).replace("_", " "), plain(value)) for key, value in plan.items())
        sections.append(Section("plan", "Plan", (Facts(rows),)))
    return sections


def _table(record: JsonObject) -> Table:
    """A table of the file; a row that is too short is filled up, as the page needs all cells."""
    head = tuple(str(name) for name in record.get("columns") or [])
    rows = [[cell_text(cell) for cell in row] for row in record.get("rows") or []]
    width = max([len(head), *(len(row) for row in rows)])
    head += ("",) * (width - len(head))
    filled = tuple(tuple(row + [""] * (width - len(row))) for row in rows)
    return Table(str(record.get("title") or "Table"), head, filled, str(record.get("note") or ""))


def cell_text(cell: object) -> str:
    """A cell for people; one that was not measured reads as a dash.

    >>> cell_text(None), cell_text(361860), cell_text(0.8642), cell_text("0.76"), cell_text(True)
    ('-', '361,860', '0.864', '0.76', 'yes')
    """
    if cell is None:
        return "-"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, int):
        return f"{cell:,}"
    return f"{cell:.3f}" if isinstance(cell, float) else str(cell)
