"""The tables of the regret benchmark as spaces with evaluators: NAS-Bench-Macro, and DARTS cells of NAS-Bench-301."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from audionas.search.tabular import Row, TabularEvaluator
from audionas.search.tabular_space import PoolSpace, TableSpace
from audionas.spaces import CnnCellSpace, load_search_space

# NASLib's order of operations in its NAS-Bench-301 tuples
OPERATIONS = (
    "max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5",
)  # fmt: skip
# its columns -> our names of the proxies
PROXIES = {"synflow_score": "synflow", "nwot_score": "naswot", "grad_norm_score": "grad_norm"}
MACRO_OPTIONS = ("0", "1", "2")  # identity, MB3_K3, MB6_K5


@dataclass(frozen=True)
class Case:
    """A table as the strategies see it."""

    name: str
    what: str
    space: TableSpace | PoolSpace
    evaluator: TabularEvaluator

    def hash_of(self, point: tuple[int, ...]) -> str:
        """The architecture of a point: the number of the option of each choice."""
        choices = self.space.choices()
        sample = {label: options[i] for (label, options), i in zip(choices.items(), point, strict=True)}
        return self.space.genotype(sample).hash


def macro(folder: Path) -> Case:
    """All 6,561 architectures of 8 layers, mean accuracy of three trainings on CIFAR-10 in percent."""
    table = pd.read_parquet(folder / "nas_bench_macro_cifar10.parquet")
    space = TableSpace({f"layer_{i}": MACRO_OPTIONS for i in range(8)}, "nas_bench_macro")
    rows = {
        space.genotype({f"layer_{i}": digit for i, digit in enumerate(arch)}).hash: Row(float(score), int(parameters))
        for arch, score, parameters in zip(table.arch, table.mean_acc, table.params, strict=True)
    }
    what = "NAS-Bench-Macro, complete: 6,561 networks of 8 layers with 3 options each, CIFAR-10"
    return Case("nas_bench_macro", what, space, TabularEvaluator(rows, "nas_bench_macro"))


def darts_rows(folder: Path) -> Case:
    """725 pairs of DARTS cells; an assignment stands for the nearest of them. Accuracy is the surrogate's."""
    table = pd.read_parquet(folder / "nasbench301_zerocost.parquet")
    space = load_search_space("darts_cnn")
    assert isinstance(space, CnnCellSpace)
    genotypes = []
    for text in table.arch:
        normal, reduce = (tuple((OPERATIONS[op], int(i)) for i, op in cell) for cell in ast.literal_eval(text))
        genotypes.append(space.make(normal, reduce))
    proxies = table[list(PROXIES)].rename(columns=PROXIES).to_dict("records")
    rows = {
        genotype.hash: Row(float(score), round(1e6 * millions), proxies={str(k): float(v) for k, v in row.items()})
        for genotype, score, millions, row in zip(
            genotypes, table.val_accuracy, table.params_score, proxies, strict=True
        )
    }
    what = "NAS-Bench-301 rows: 725 pairs of DARTS cells, each proposal answered by the nearest row, CIFAR-10"
    pool = PoolSpace(space, genotypes, "nasbench301_rows")
    return Case("nasbench301_rows", what, pool, TabularEvaluator(rows, "nasbench301_rows"))


def one_list(folder: Path) -> Case:
    """The same 725 rows as one choice, for the strategy that enumerates a catalogue."""
    scores = list(map(float, pd.read_parquet(folder / "nasbench301_zerocost.parquet").val_accuracy))
    space = TableSpace({"recipe": tuple(f"r{i}" for i in range(len(scores)))}, "nasbench301_list")
    rows = {space.genotype({"recipe": f"r{i}"}).hash: Row(score) for i, score in enumerate(scores)}
    what = "NAS-Bench-301 rows as a catalogue: one choice among 725 pairs of DARTS cells, CIFAR-10"
    return Case("nasbench301_list", what, space, TabularEvaluator(rows, "nasbench301_list"))


TABLES: dict[str, Callable[[Path], Case]] = {
    "nas_bench_macro": macro, "nasbench301_rows": darts_rows, "nasbench301_list": one_list,
}  # fmt: skip
