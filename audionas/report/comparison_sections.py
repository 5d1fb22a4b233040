"""The page of a comparison: what it shows first, then its tables as `tables.json` has them."""

from __future__ import annotations

from audionas.report.blocks import Section
from audionas.report.quantities import data_name
from audionas.report.reproduction_sections import reproduction_sections
from audionas.report.run_files import JsonObject, RunFiles
from audionas.report.verdict import STATUS_WORDS


def comparison_title(files: RunFiles) -> str:
    """What is compared, on what."""
    plan: JsonObject = files.top.get("plan") or {}
    return f"Comparison of strategies on {data_name(files.data)}, space {plan.get('space', 'unknown')}"


def comparison_verdict(files: RunFiles) -> list[str]:
    """What is shown and what is not, arm by arm; then what weakens it, then its state."""
    record = files.tables or {}
    lines = [_sentence(str(line)) for line in [*(record.get("conclusions") or []), *(record.get("notes") or [])]]
    state = STATUS_WORDS.get(str(files.top.get("status", "done")), "is done")
    return [*lines, f"The comparison {state}."]


def comparison_sections(files: RunFiles) -> list[Section]:
    """Its tables, then its plan."""
    return reproduction_sections(files)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
