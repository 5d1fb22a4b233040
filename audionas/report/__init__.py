"""The report of a run: drawn cells and recipes, curves, tables, one self-contained HTML page."""

from audionas.report.cells import draw_cell
from audionas.report.page import write_report
from audionas.report.recipes import draw_recipe

__all__ = ["draw_cell", "draw_recipe", "write_report"]
