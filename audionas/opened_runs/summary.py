"""What a notebook shows of a run: what it is, what it comes to, and how to go on; all texts escaped."""

from __future__ import annotations

import html

from audionas.report.comparison_sections import comparison_title, comparison_verdict
from audionas.report.evaluation_sections import evaluation_title, evaluation_verdict
from audionas.report.fusion_sections import fusion_title, fusion_verdict
from audionas.report.reproduction_sections import reproduction_title, reproduction_verdict
from audionas.report.run_files import RunFiles
from audionas.report.verdict import title, verdict

_TEXTS = {
    "fuse": (fusion_title, fusion_verdict),
    "evaluate": (evaluation_title, evaluation_verdict),
    "reproduce": (reproduction_title, reproduction_verdict),
    "compare": (comparison_title, comparison_verdict),
}
_OF_INTEREST = ("space", "strategy", "seed", "device", "epochs", "trials", "select")


def summary_html(files: RunFiles) -> str:
    """A heading, the sentences at the top of the report, and a small table."""
    head, sentences = _TEXTS.get(files.kind, (title, verdict))
    rows = {"folder": str(files.folder), "kind": files.kind, "status": str(files.top.get("status"))}
    rows |= {key: str(files.top[key]) for key in _OF_INTEREST if files.top.get(key) is not None}
    cells = "".join(
        f"<tr><th style='text-align:left'>{html.escape(key)}</th>"
        f"<td style='text-align:left'>{html.escape(value)}</td></tr>"
        for key, value in rows.items()
    )
    told = " ".join(html.escape(sentence) for sentence in sentences(files))
    return f"<h4>{html.escape(head(files))}</h4><p>{told}</p><table>{cells}</table>"
