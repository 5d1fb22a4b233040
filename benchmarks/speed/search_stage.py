"""The search of `make search` with the kernels against the same search on the reference path.

    PYTHONPATH=. python benchmarks/speed/search_stage.py [--repeats 3]

Both search the shipped sample with the defaults of `audionas search`: same epochs, data, sizes, seed. On the reference
path every edge runs every operation by itself in torch, and both passes compute all gradients, as in the release of
DARTS. Counted are the seconds of the epochs as the run logs them, so without start-up, features and compiling.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from paired import keep, ready

from audionas.experiment.search import SearchRequest, search
from audionas.kernels import use_kernels
from audionas.records import read_jsonl


@contextmanager
def all_gradients(_: Iterable[object]) -> Iterator[None]:
    yield


@contextmanager
def reference_path() -> Iterator[None]:
    """Within: the supernet edge by edge, in torch, all gradients in both passes."""
    use_kernels("torch", print)
    with (
        mock.patch("audionas.models.mixed_cell.MixedCell._normalises_by_batch", return_value=False),
        mock.patch("audionas.search.nni_darts.constant", all_gradients),
    ):
        yield


@contextmanager
def compiled() -> Iterator[None]:
    use_kernels("compiled", print)
    yield


PATHS = {"compiled": compiled, "reference": reference_path}


def seconds_of_a_search(folder: Path, epochs: int | None) -> tuple[float, list[float]]:
    run = search(SearchRequest(out=folder / "run", epochs=epochs))
    records = read_jsonl(run / "epochs.jsonl")
    return sum(record["seconds"] for record in records), [record["weights_loss"] for record in records]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--epochs", type=int)
    given = parser.parse_args()
    ready()
    found: dict[str, list[float]] = {name: [] for name in PATHS}
    losses: dict[str, list[float]] = {}
    for _ in range(given.repeats):
        for name, path in PATHS.items():
            with tempfile.TemporaryDirectory() as folder, path():
                spent, losses[name] = seconds_of_a_search(Path(folder), given.epochs)
            found[name].append(spent)
            print(name, round(spent, 2), flush=True)
    medians = {name: statistics.median(each) for name, each in found.items()}
    result = {
        "epochs": len(losses["compiled"]),
        "wall_s": found,
        "weights_loss_of_the_first_epoch": {name: each[0] for name, each in losses.items()},
        "ratios": {"reference / compiled": medians["reference"] / medians["compiled"]},
    }
    print(keep("search_stage", result), result["ratios"])


if __name__ == "__main__":
    main()
