"""The page of a comparison: what it shows first, then a picture and its tables as `tables.json` has them."""

from __future__ import annotations

from audionas.report.blocks import Pictures, Section
from audionas.report.comparison_picture import draw_arms
from audionas.report.quantities import data_name
from audionas.report.reproduction_sections import reproduction_sections
from audionas.report.run_files import JsonObject, RunFiles
from audionas.report.verdict import STATUS_WORDS

CAPTION = (
    "A point is one retraining (of one search or one random architecture), the stroke their mean, the pale line the "
    "95 % interval over groups. Points of one arm are no independent samples: they have the same test clips."
)


def comparison_title(files: RunFiles) -> str:
    """What is compared, on what."""
    plan: JsonObject = files.top.get("plan") or {}
    return f"Comparison of strategies on {data_name(files.data)}, space {plan.get('space', 'unknown')}"


def comparison_verdict(files: RunFiles) -> list[str]:
    """What is shown and what is not, arm by arm; then what weakens it, then its state."""
    record = files.tables or {}
    conclusions = [f"{str(line).rstrip('.')}." for line in record.get("conclusions") or []]
    notes = [_sentence(str(line)) for line in record.get("notes") or []]
    state = STATUS_WORDS.get(str(files.top.get("status", "done")), "is done")
    return [*conclusions, *notes, f"The comparison {state}."]


def comparison_sections(files: RunFiles) -> list[Section]:
    """A picture of all arms, its tables, then its plan."""
    figure = draw_arms((files.tables or {}).get("arms") or {})
    if figure is None:
        return reproduction_sections(files)
    picture = Pictures().make("Every run of every arm", figure, CAPTION)
    return [Section("arms", "Arms", (picture,)), *reproduction_sections(files)]


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
