"""The page of a fused run: the conclusion, the table of streams and rules with their intervals, the parameters.

The rows of `metrics.json` are shown with the names that they have there; a pair of numbers is an interval.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from audionas.quantities import count_text
from audionas.report.blocks import Block, Facts, Section, Table
from audionas.report.quantities import data_name, group_word, plain
from audionas.report.reproduction_sections import cell_text
from audionas.report.run_files import RunFiles
from audionas.report.verdict import STATUS_WORDS

INTERVALS = "An interval is of 95 %; UA is the mean of the class recalls, WA the share of right clips."


def fusion_title(files: RunFiles) -> str:
    """What was fused, on what."""
    n_streams = len(files.top.get("streams") or files.top.get("sources") or files.top.get("runs") or []) or None
    streams = count_text(n_streams, "stream") if n_streams else "streams"
    return f"Fusion of {streams} on {data_name(files.data)}"


def fusion_verdict(files: RunFiles) -> list[str]:
    """The conclusion of the run's own metrics, or how far it has come."""
    found = (files.fusion or {}).get("conclusion")
    sentences = [found] if isinstance(found, str) else [str(text) for text in found or []]
    if sentences:
        return sentences
    status = str(files.top.get("status", "done"))
    return [f"The fusion {STATUS_WORDS.get(status, 'is done')}; there is no conclusion yet."]


def fusion_sections(files: RunFiles) -> list[Section]:
    """Scores, differences and parameters, as far as they are there."""
    metrics = files.fusion or {}
    scores = [
        table
        for key, title in (("rows", "Streams and fusion rules"), ("differences", "Differences"))
        if (table := records_table(title, metrics.get(key)))
    ]
    sections = []
    if scores:
        sections.append(Section("scores", "Scores", tuple(scores), INTERVALS))
    parameters = metrics.get("parameters")
    if parameters:
        sections.append(Section("parameters", "Parameters", (_parameters(parameters),)))
    data = files.data
    if data:
        rows = (
            ("data set", f"{data.get('dataset', 'unnamed')} in {data.get('root', 'an unknown folder')}"),
            ("clips", count_text(data.get("n_clips"), "clip")),
            ("groups", count_text(data.get("n_groups"), group_word(data))),
            ("labels", plain(data.get("labels"))),
        )
        sections.append(Section("facts", "Data", (Facts(rows),)))
    return sections


def records_table(title: str, records: object) -> Table | None:
    """A table of records (a list of objects, or an object of objects by name), one row each; None without any.

    Columns stand in the order in which the records name them.
    """
    if isinstance(records, Mapping):
        records = [{"name": name, **body} for name, body in records.items() if isinstance(body, Mapping)]
    if not isinstance(records, list):
        return None
    rows = [record for record in records if isinstance(record, Mapping)]
    names = list(dict.fromkeys(str(name) for record in rows for name in record))
    if not names:
        return None
    head = tuple(name.replace("_", " ") for name in names)
    return Table(title, head, tuple(tuple(value_text(record.get(name)) for name in names) for record in rows))


def value_text(value: Any) -> str:
    """A value of a record; a pair of numbers is an interval.

    >>> value_text([0.861, 0.902]), value_text({"low": 0.8, "high": 0.9}), value_text(None), value_text(128)
    ('0.861 to 0.902', 'low 0.800, high 0.900', '-', '128')
    """
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {value_text(inner)}" for key, inner in value.items()) or "-"
    if isinstance(value, Sequence) and not isinstance(value, str):
        is_interval = len(value) == 2 and all(isinstance(end, float) for end in value)
        return (" to " if is_interval else ", ").join(value_text(inner) for inner in value) or "-"
    return cell_text(value)


def _parameters(parameters: object) -> Block:
    if isinstance(parameters, Mapping):
        return Facts(tuple((str(name).replace("_", " "), value_text(count)) for name, count in parameters.items()))
    return records_table("Parameters", parameters) or Facts((("parameters", value_text(parameters)),))
