"""`audionas export RUN --to svg|png|pdf`: the cells found, drawn for a paper."""

from __future__ import annotations

from pathlib import Path

from audionas.errors import AudionasError, GenotypeError, SettingsError, unknown
from audionas.experiment.any_genotype import read_genotypes
from audionas.experiment.genotype_sources import Source
from audionas.records import write_bytes
from audionas.report.paper_figures import draw_genotype, figure_bytes, fit_to_width

PICTURES = ("svg", "png", "pdf")
DEFAULT_DPI = 300.0


def export_picture(
    source: Path,
    to: str,
    out: Path | None = None,
    *,
    fold: str | None = None,
    dpi: float | None = None,
    width_mm: float | None = None,
) -> Path:
    """Draw the genotype of a run or a file into a picture; returns where it lies.

    Args:
        to: a name of `PICTURES`.
        out: by default `cells.<to>` in the run folder, or beside the genotype's file with its name.
        fold: of a nested search, the fold that the search of the genotype left out.
        dpi: of png only, dots an inch.
        width_mm: by default as wide as the drawing is with text of 10 points, and at most as two columns.

    Raises:
        SettingsError: an option does not fit the others, or its value is not accepted.
        RunError: the run is not finished, or is no search.
        GenotypeError: there is no genotype, or there are several, or it is of a kind that is not drawn.
    """
    _check(to, out, dpi, width_mm)
    chosen = _chosen(source, read_genotypes(source), fold)
    known = chosen.provenance
    n_outputs = len(known["labels"]) if known.get("labels") else None
    try:
        figure = draw_genotype(chosen.genotype, known.get("input_shape"), n_outputs)
    except GenotypeError as why:
        raise GenotypeError(f"{source}: {why}") from why
    target = out or _default_out(source, to, fold)
    write_bytes(target, figure_bytes(fit_to_width(figure, width_mm), to, dpi or DEFAULT_DPI))
    return target


def _check(to: str, out: Path | None, dpi: float | None, width_mm: float | None) -> None:
    if to not in PICTURES:
        raise SettingsError(unknown("picture format", to, PICTURES))
    if out is not None and out.suffix != f".{to}":
        raise SettingsError(f"--out: got {out}; a picture of --to {to} is a file whose name ends in .{to}")
    if out is not None and out.is_dir():
        raise AudionasError(f"{out}: is a folder; name a file")
    if dpi is not None and to != "png":
        raise SettingsError(f"--dpi: is for --to png; {to} has no dots")
    if dpi is not None and not 50 <= dpi <= 1200:
        raise SettingsError(f"--dpi: got {dpi:g}, must be 50 to 1200")
    if width_mm is not None and not 20 <= width_mm <= 1000:
        raise SettingsError(f"--width-mm: got {width_mm:g}, must be 20 to 1000")


def _chosen(source: Path, found: list[Source], fold: str | None) -> Source:
    if fold is None:
        if len(found) > 1:
            names = ", ".join(str(each.left_out) for each in found)
            raise GenotypeError(f"{source}: a nested search has {len(found)} genotypes; name one: --fold of {names}")
        return found[0]
    by_name = {str(each.left_out): each for each in found if each.left_out is not None}
    if fold not in by_name:
        raise GenotypeError(f"{source}: {unknown('fold', fold, by_name)}; --fold is for nested searches")
    return by_name[fold]


def _default_out(source: Path, to: str, fold: str | None) -> Path:
    if source.is_dir():
        return source / (f"cells.{to}" if fold is None else f"cells_fold_{fold}.{to}")
    return source.with_suffix(f".{to}")
