"""The results table as LaTeX: a booktabs tabular with a caption that says what every number is."""

from __future__ import annotations

import re

from audionas.report.result_rows import BASELINE, Cost, ResultRow, ResultTable

DASH = "--"
_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\textquotedbl{}", "'": r"\textquotesingle{}", "`": r"\textasciigrave{}",
    "[": "{[}", "]": "{]}",  # behind the end of a row they would be an argument
}  # fmt: skip


def latex_text(table: ResultTable, methods: tuple[str, ...] = ()) -> str:
    """The table environment, behind paragraphs of methods if there are any; needs the package booktabs."""
    heads = [
        "System", "UA, \\%", "95\\,\\% interval", "$p$", "WA, \\%", "Parameters", "MACs/s", "Clip passes", "Device h",
        table.group_word.capitalize(), "Clips",
    ]  # fmt: skip
    heads += [] if table.is_ranked else ["Differs in"]
    lines = [f"\\paragraph{{Methods.}} {escaped(text)}\n" for text in methods]
    lines += [
        "% needs \\usepackage{booktabs,textcomp}",
        "\\begin{table}",
        "\\centering",
        f"\\caption{{{escaped(table.caption)}}}",
        f"\\begin{{tabular}}{{l{'r' * 10}{'' if table.is_ranked else 'l'}}}",
        "\\toprule",
        f"{' & '.join(heads)} \\\\",
        "\\midrule",
        *(f"{' & '.join(_cells(row, table.is_ranked))} \\\\" for row in table.rows),
        "\\bottomrule",
        "\\end{tabular}",
        "\\end{table}",
    ]
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """Text in which no character commands LaTeX.

    >>> escaped("darts_cnn & 95 % of {x}"), escaped("a +- b")
    ('darts\\\\_cnn \\\\& 95 \\\\% of \\\\{x\\\\}', 'a $\\\\pm$ b')
    """
    plain = re.sub(r"[\x00-\x1f]+", " ", text)
    return "".join(_SPECIAL.get(character, character) for character in plain).replace("+-", "$\\pm$")


def _cells(row: ResultRow, is_ranked: bool) -> list[str]:
    bounds = row.ua_interval
    name = escaped(row.name) + (f" ({escaped(row.remark)})" if row.remark else "")
    cells = [
        f"\\emph{{{name}}}" if row.kind == BASELINE else name,
        _score(row.ua, row.ua_sd),
        f"{100 * bounds[0]:.1f} to {100 * bounds[1]:.1f}" if bounds else DASH,
        DASH if row.p is None else f"{row.p:.2g}",
        DASH if row.wa is None else _score(row.wa, row.wa_sd),
        DASH if row.parameters is None else f"{row.parameters:,}".replace(",", "\\,"),
        _si(row.macs_per_second),
        _passes(row.cost),
        DASH if row.cost.device_seconds is None else f"{row.cost.device_seconds / 3600:.2g}",
        DASH if row.n_groups is None else str(row.n_groups),
        DASH if row.n_clips is None else str(row.n_clips),
    ]
    return cells if is_ranked else [*cells, escaped(row.rules)]


def _score(mean: float, sd: float | None) -> str:
    return f"${100 * mean:.1f}" + ("$" if sd is None else f" \\pm {100 * sd:.1f}$")


def _si(value: float | None) -> str:
    """A count with three digits and k, M or G.

    >>> _si(1234567.0), _si(950.0), _si(None)
    ('1.23M', '950', '--')
    """
    if value is None:
        return DASH
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:.3g}"


def _passes(cost: Cost) -> str:
    """Clips forward and backward."""
    return DASH if cost.forward is None else f"{_si(cost.forward)} / {_si(cost.backward)}"
