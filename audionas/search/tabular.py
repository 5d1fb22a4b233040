"""`TabularEvaluator`: looks candidates up in a table of trained cells, so that a strategy is replayed in seconds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from audionas.errors import AudionasError, GenotypeError, SettingsError
from audionas.search.evaluator import Score
from audionas.spaces import Genotype
from audionas.spaces.genotype_file import load_genotype


class NotInTableError(AudionasError):
    """A candidate is not in the table; in a search this is a failed trial."""


@dataclass(frozen=True)
class Row:
    """What a table knows of an architecture.

    Attributes:
        score: more is better.
        parameters: of the network.
        seconds: of its training.
        proxies: zero-cost proxies by their names; more is better.
    """

    score: float
    parameters: int = 0
    seconds: float = 0.0
    proxies: Mapping[str, float] = field(default_factory=dict)

    def proxy(self, name: str) -> float:
        """A zero-cost proxy; parameters are one.

        Raises:
            KeyError: it is not known.
        """
        return self.proxies[name] if name in self.proxies else {"parameters": float(self.parameters)}[name]


@dataclass(frozen=True)
class TabularEvaluator:
    """Scores a candidate by its row; epochs, share of the clips and seed do not matter.

    Attributes:
        rows: hash of a genotype -> row.
        where: the table, for errors.
    """

    rows: Mapping[str, Row]
    where: str = "table"
    best: float = field(init=False)

    def __post_init__(self) -> None:
        finite = [row.score for row in self.rows.values() if math.isfinite(row.score)]
        if not finite:
            raise SettingsError(f"{self.where}: no row has a score")
        object.__setattr__(self, "best", max(finite))

    def evaluate(self, genotype: Genotype, *, epochs: int, seed: int, fraction: float = 1.0) -> Score:
        """The score in the table: as `ua` and `wa`, and with its sign turned as the losses.

        Raises:
            NotInTableError: there is no row for this architecture, or its score is not a number.
        """
        row = self.rows.get(genotype.hash)
        if row is None:
            raise NotInTableError(f"{self.where}: no row for {genotype.hash[:12]} among {len(self.rows)}")
        if not math.isfinite(row.score):
            raise NotInTableError(f"{self.where}: the score of {genotype.hash[:12]} is {row.score}")
        return Score(row.score, row.score, -row.score, -row.score, row.parameters, row.seconds)

    def proxy(self, genotype: Genotype, name: str, *, seed: int) -> float:
        """A zero-cost proxy in the table; of an architecture that is not in it -inf, so that it comes last.

        Raises:
            SettingsError: the table does not hold this proxy.
        """
        row = self.rows.get(genotype.hash)
        if row is None:
            return -math.inf
        try:
            return row.proxy(name)
        except KeyError as why:
            known = ", ".join({"parameters": 0, **row.proxies})
            raise SettingsError(f"{self.where}: no proxy {name!r}; it holds: {known}") from why

    def regret(self, score: float) -> float:
        """How far a score is below the best of the table."""
        return self.best - score


def read_table(
    path: Path | str,
    space: Any,
    *,
    score: str,
    lower_is_better: bool = False,
    parameters: str | None = None,
    proxies: Sequence[str] = (),
) -> TabularEvaluator:
    """An evaluator from a CSV or Parquet file with one row a trained cell.

    An architecture is named by a column `hash` (that of its genotype), or by a column `genotype` (the text of a
    genotype file), or by one column for each choice of the space, named as the choice. Several rows of one
    architecture (seeds) are averaged.

    Args:
        space: the search space, with `choices()` and `genotype(sample)`.
        score: the column with the score; with `lower_is_better`, a loss.
        parameters: a column with numbers of parameters.
        proxies: columns with zero-cost proxies, named as they are in a strategy.

    Raises:
        SettingsError: no such file or column, a score that is no number, or an option that the space does not have.
    """
    table = _read(Path(path))
    hashes = _hashes(table, space, str(path))
    for column in [score, *([] if parameters is None else [parameters]), *proxies]:
        if column not in table:
            raise SettingsError(f"{path}: no column {column!r}; there are: {', '.join(map(str, table.columns))}")
    values = pd.to_numeric(table[score], errors="coerce") * (-1.0 if lower_is_better else 1.0)
    wrong = table.index[values.isna() & table[score].notna()]
    if len(wrong):
        raise SettingsError(f"{path}: row {wrong[0] + 1}: {score}: got {table[score][wrong[0]]!r}, must be a number")
    sizes = [0] * len(table) if parameters is None else [int(n) for n in _finite(table, parameters, str(path))]
    means = values.groupby(hashes).mean()
    size_of = dict(zip(hashes, sizes, strict=True))
    known = {name: pd.Series(_finite(table, name, str(path))).groupby(hashes).mean() for name in proxies}
    return TabularEvaluator({
        str(h): Row(float(mean), size_of[str(h)], proxies={name: float(each[str(h)]) for name, each in known.items()})
        for h, mean in means.items()
    }, str(path))  # fmt: skip


def genotypes_of(texts: Iterable[object], where: str) -> list[Genotype]:
    """The genotypes of a column that holds the text of a genotype file in each row.

    Raises:
        SettingsError: a text is no genotype, with its row.
    """
    found = []
    with TemporaryDirectory() as folder:
        path = Path(folder) / "genotype.json"
        for row, text in enumerate(texts, start=1):
            path.write_text(str(text), encoding="utf-8")
            try:
                found.append(load_genotype(path))
            except GenotypeError as why:
                raise SettingsError(f"{where}: row {row}: {str(why).removeprefix(f'{path}: ')}") from why
    return found


def _read(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise SettingsError(f"{path}: no such file; a table is a CSV or Parquet file")
    try:
        if path.suffix != ".parquet":
            return pd.read_csv(path, dtype={"hash": str}, keep_default_na=True)
        return pd.read_parquet(path)
    except (ValueError, OSError) as why:  # of pandas and pyarrow: no columns, not text, not Parquet
        raise SettingsError(f"{path}: not a table that can be read ({why}); a table is a CSV or Parquet file") from why
    except ImportError as why:
        raise SettingsError(f"{path}: Parquet needs pyarrow: pip install pyarrow, or save the table as CSV") from why


def _finite(table: pd.DataFrame, column: str, where: str) -> list[float]:
    numbers = pd.to_numeric(table[column], errors="coerce")
    wrong = table.index[~np.isfinite(numbers)]
    if len(wrong):
        raise SettingsError(f"{where}: row {wrong[0] + 1}: {column}: got {table[column][wrong[0]]!r}, must be a number")
    return [float(value) for value in numbers]


def _hashes(table: pd.DataFrame, space: Any, where: str) -> list[str]:
    """The hash of each row's genotype."""
    if "hash" in table:
        return [str(value) for value in table["hash"]]
    if "genotype" in table:
        return [genotype.hash for genotype in genotypes_of(table["genotype"], where)]
    choices = space.choices()
    missing = [label for label in choices if label not in table]
    if missing:
        raise SettingsError(
            f"{where}: no column {missing[0]!r}; the architecture is named by a column hash, or genotype, or by one "
            f"for each choice of the space: {', '.join(list(choices)[:6])}{', ...' if len(choices) > 6 else ''}"
        )
    samples = table[list(choices)].astype(str).to_dict("records")
    for row, sample in enumerate(samples, start=1):
        for label, option in sample.items():
            if option not in choices[label]:
                known = ", ".join(choices[label])
                raise SettingsError(f"{where}: row {row}: {label}: got {option!r}; accepted: {known}")
    return [space.genotype(sample).hash for sample in samples]
