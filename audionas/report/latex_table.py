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
    unit = ", \\%" if table.is_in_percent else ""
    main, second = (f"{each.name}{unit}" for each in table.measures)
    heads = [
        "System", main, "95\\,\\% interval", "$p$", second, "Parameters", "MACs/s", "Clip passes", "Device h",
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
        *(f"{' & '.join(_cells(row, table))} \\\\" for row in table.rows),
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


def _cells(row: ResultRow, table: ResultTable) -> list[str]:
    bounds, of = row.ua_interval, _score if table.is_in_percent else _number
    scale, digits = (100, 1) if table.is_in_percent else (1, 3)
    name = escaped(row.name) + (f" ({escaped(row.remark)})" if row.remark else "")
    cells = [
        f"\\emph{{{name}}}" if row.kind == BASELINE else name,
        of(row.ua, row.ua_sd),
        " to ".join(f"{scale * bound:.{digits}f}" for bound in bounds) if bounds else DASH,
        DASH if row.p is None else f"{row.p:.2g}",
        DASH if row.wa is None else of(row.wa, row.wa_sd),
        DASH if row.parameters is None else f"{row.parameters:,}".replace(",", "\\,"),
        _si(row.macs_per_second),
        _passes(row.cost),
        DASH if row.cost.device_seconds is None else f"{row.cost.device_seconds / 3600:.2g}",
        DASH if row.n_groups is None else str(row.n_groups),
        DASH if row.n_clips is None else str(row.n_clips),
    ]
    return cells if table.is_ranked else [*cells, escaped(row.rules)]


def _score(mean: float, sd: float | None) -> str:
    return f"${100 * mean:.1f}" + ("$" if sd is None else f" \\pm {100 * sd:.1f}$")


def _number(mean: float, sd: float | None) -> str:
    return f"${mean:.3f}" + ("$" if sd is None else f" \\pm {sd:.3f}$")


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
