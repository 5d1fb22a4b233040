"""The page of a fused run: the conclusion, streams and rules with their intervals, the parameters of each part."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from audionas.quantities import count_text, p_text
from audionas.report.blocks import Block, Facts, Section, Table, Tile
from audionas.report.quantities import data_name, group_word, interval_text, plain, score_text
from audionas.report.run_files import JsonObject, RunFiles
from audionas.report.verdict import STATUS_WORDS
from audionas.training.measures import Measure, measures_of

MODES = {
    "inner_oof": "inner out-of-fold predictions of each split's training clips",
    "paper": "predictions of the training clips by the networks trained on them, the paper's reading",
}

Two = tuple[Measure, Measure]
KINDS = {"stream": "stream", "mlp": "trained fusion", "rule": "rule"}


def fusion_title(files: RunFiles) -> str:
    """What was fused, on what."""
    n_streams = len(files.top.get("streams") or [])
    return f"Fusion of {count_text(n_streams, 'stream') if n_streams else 'streams'} on {data_name(files.data)}"


def fusion_verdict(files: RunFiles) -> list[str]:
    """The conclusion of the metrics, and what it stands on; or how far the fusion has come."""
    metrics = files.fusion or {}
    found = _comparison(metrics)
    if not found.get("conclusion"):
        status = str(files.top.get("status", "done"))
        return [f"The fusion {STATUS_WORDS.get(status, 'is done')}; there is no conclusion yet."]
    sentences = [str(found["conclusion"])]
    if not metrics.get("headline"):
        sentences.append("No score here is clean: the searches have seen every test fold, so all are optimistic.")
    seen = [str(split.get("name")) for split in metrics.get("splits") or [] if split.get("seen_by_search")]
    if seen and metrics.get("headline"):
        sentences.append(f"Kept out, because the search of a stream has seen it: fold {', '.join(seen)}.")
    if metrics.get("speaker_independence_checked") is False:
        sentences.append("Speaker independence not checked: every file is its own group.")
    return sentences


def fusion_tiles(files: RunFiles) -> list[Tile]:
    """The MLP's scores beside the best single stream's."""
    rows = _comparison(files.fusion or {}).get("rows") or []
    fused = next((row for row in rows if row.get("kind") == "mlp"), None)
    streams = [row for row in rows if row.get("kind") == "stream"]
    if fused is None or not streams:
        return []
    main, second = measures_of(files.fusion or {})
    best = max(streams, key=lambda row: row.get(main.key) or 0.0)
    name = stream_names(rows)[str(best.get("name"))]
    return [
        Tile(_score(fused, main.key), f"pooled {main.name} of the fusion MLP"),
        Tile(_score(fused, second.key), f"pooled {second.name} of the fusion MLP"),
        Tile(_score(best, main.key), f"pooled {main.name} of the best stream ({name})"),
        Tile(f"{(fused.get('parameters') or {}).get('total', 0):,}", "parameters of streams and fusion"),
    ]


def fusion_sections(files: RunFiles) -> list[Section]:
    """Scores and differences, parameters, data; as far as they are there."""
    metrics = files.fusion or {}
    found = _comparison(metrics)
    rows: list[JsonObject] = list(found.get("rows") or [])
    sections = []
    if rows:
        two = measures_of(metrics)
        blocks: tuple[Block, ...] = (_scores(rows, found, two), _differences(found, rows, two), _per_seed(rows, two))
        sections.append(Section("scores", "Streams, fusion MLP and rules", blocks, _what(found)))
        sections.append(Section("parameters", "Parameters", (_parameters(rows, files),)))
    facts = _facts(files)
    return [*sections, Section("facts", "Data and settings", (Facts(facts),))] if facts else sections


def _comparison(metrics: JsonObject) -> JsonObject:
    """The rows of the headline's folds, or where there are none of all folds."""
    return dict(metrics.get("headline") or metrics.get("all_splits") or {})


def _what(found: JsonObject) -> str:
    counts = ", ".join(
        count_text(number, noun)
        for number, noun in (
            (found.get("n_clips"), "clip"),
            (found.get("n_groups"), "group"),
            (len(found.get("seeds") or []), "seed"),
        )
    )
    what = str(found.get("what", "")).replace("+-", "±")
    return (
        f"{what[:1].upper()}{what[1:]}. {counts}; test folds {plain(found.get('splits'))}. {found.get('interval', '')}."
    )


def stream_names(rows: Sequence[JsonObject]) -> dict[str, str]:
    """What a row is called here: a stream by what tells its folder from the other streams'."""
    paths = {str(row.get("name")): Path(str(row.get("name"))).parts for row in rows if row.get("kind") == "stream"}
    n_common = 0
    while len({parts[: n_common + 1] for parts in paths.values()}) == 1 and all(
        len(parts) > n_common + 1 for parts in paths.values()
    ):
        n_common += 1
    names = {name: "/".join(parts[n_common:]) for name, parts in paths.items()}
    return {str(row.get("name")): names.get(str(row.get("name")), str(row.get("name"))) for row in rows}


def _scores(rows: list[JsonObject], found: JsonObject, two: Two) -> Table:
    main, second = two
    names = stream_names(rows)
    table = tuple(
        (
            names[str(row.get("name"))],
            KINDS.get(str(row.get("kind")), ""),
            _score(row, main.key),
            interval_text(row.get(f"{main.key}_interval")),
            _score(row, second.key),
            interval_text(row.get(f"{second.key}_interval")),
            _count((row.get("parameters") or {}).get("total")),
        )
        for row in rows
    )
    n_seeds = len(found.get("seeds") or [])
    note = f"Mean ± sd over {n_seeds} seeds." if n_seeds > 1 else "One seed."
    columns = [name for each in two for name in (each.name, f"95 % of {each.name}")]
    return Table("Scores", ("system", "kind", *columns, "parameters"), table, note)


def _differences(found: JsonObject, rows: list[JsonObject], two: Two) -> Table:
    main, second = two
    names = stream_names(rows)
    table = tuple(
        (
            names.get(str(row.get("minus")), str(row.get("minus"))),
            _signed(row.get(main.key)),
            interval_text(row.get(f"{main.key}_interval"), signed=True),
            _signed(row.get(second.key)),
            interval_text(row.get(f"{second.key}_interval"), signed=True),
            p_text(row["p_holm"]) if row.get("p_holm") is not None else "not computed",
            "yes" if row.get("is_better") else "not shown",
        )
        for row in found.get("differences") or []
    )
    columns = [name for each in two for name in (each.name, f"95 % of {each.name}")]
    head = ("fusion MLP minus", *columns, f"p of {main.name}", f"MLP better by {main.name}")
    note = (
        f"Paired: the same groups left out, drawn or swapped in both systems. p: {found.get('test', 'not computed')}. "
        f"Better: the difference of {main.name} is above 0, its p at most 0.05, and there are groups enough for a "
        "claim."
    )
    return Table("Differences", head, table, note)


def _per_seed(rows: list[JsonObject], two: Two) -> Table:
    names = stream_names(rows)
    table = tuple(
        (
            f"{names[str(row.get('name'))]}, seed {each.get('seed')}",
            *(score_text(each.get(measure.key)) for measure in two),
        )
        for row in rows
        for each in row.get("per_seed") or []
    )
    return Table("Per seed", ("system", *(measure.name for measure in two)), table, is_folded=True)


def _parameters(rows: list[JsonObject], files: RunFiles) -> Table:
    """Each stream, the fusion of them, and both together; of streams also what is in the attention pooling."""
    names = stream_names(rows)
    streams = [row for row in rows if row.get("kind") == "stream"]
    table = []
    for row, parts in zip(streams, [*files.stream_parts, *[{}] * len(streams)], strict=False):
        total = (row.get("parameters") or {}).get("total")
        attention = _count(parts.get("attention", 0)) if parts else "not recorded"
        table.append((f"stream {names[str(row.get('name'))]}", _count(total), attention))
    fused = next((row.get("parameters") or {} for row in rows if row.get("kind") == "mlp"), {})
    table.append(("fusion MLP", _count(fused.get("fusion")), "0"))
    is_known = len(files.stream_parts) == len(streams) and all(files.stream_parts)
    attention = _count(sum(parts.get("attention", 0) for parts in files.stream_parts)) if is_known else "not recorded"
    table.append(("total", _count(fused.get("total")), attention))
    return Table("Parameters of each part", ("part", "parameters", "of these in an attention pooling"), tuple(table))


def _facts(files: RunFiles) -> tuple[tuple[str, str], ...]:
    data, top = files.data, files.top
    rows = []
    if data:
        rows += [
            ("data set", f"{data.get('dataset', 'unnamed')} in {data.get('root', 'an unknown folder')}"),
            ("clips", count_text(data.get("n_clips"), "clip")),
            ("groups", count_text(data.get("n_groups"), group_word(data))),
            ("labels", plain(data.get("labels"))),
        ]
    rows += [(f"stream {i}", str(path)) for i, path in enumerate(top.get("streams") or [], start=1)]
    if top.get("mode"):
        rows.append(("the MLP is trained on", MODES.get(str(top["mode"]), str(top["mode"]))))
    for key in ("epochs", "class_weighting", "seeds"):
        if key in top:
            rows.append((key.replace("_", " "), plain(top[key])))
    return tuple(rows)


def _score(row: JsonObject, name: str) -> str:
    return score_text(row.get(name), row.get(f"{name}_sd"), len(row.get("per_seed") or []))


def _count(number: object) -> str:
    return f"{number:,}" if isinstance(number, int) else "not recorded"


def _signed(value: float | None) -> str:
    return "none" if value is None else f"{value:+.3f}"
