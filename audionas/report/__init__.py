"""The report of a run: drawn cells, curves, tables, one self-contained HTML page."""

from audionas.report.cells import draw_cell
from audionas.report.page import write_report

__all__ = ["draw_cell", "write_report"]
