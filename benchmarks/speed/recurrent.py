"""Times recurrent recipes against torch's own layers and against the plain module, forward and backward.

PYTHONPATH=. OMP_NUM_THREADS=1 python benchmarks/speed/recurrent.py [--repeats 7] [--seeds 20] [--only random,...]

Features of 512 numbers, 256 hidden, 32 clips, one thread, denormals flushed. Every case, and every random recipe, has a
process of its own, in which the variants take turns: what malloc keeps of freed memory depends on all that ran before,
and layers of torch take up to a fifth longer where each pass gets its memory from the system anew. So the random
recipes are measured twice, the second time with a malloc that keeps everything (`random_60_kept_memory`). Each time is
that of as many passes in a row as take about `SAMPLE_S`. `recipe` is the product, with compiled kernels;
`torch` the same without; `plain` runs node by node as the release of NAS-Bench-NLP does; `LSTM` and `GRU` are torch's,
batch first. The loss is a sum of squares: over all frames, or over the last one. `x` needs no gradient, as features
do not, except in the case `lstm_100_gradient_of_x`.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from paired import alternate, keep, ready
from torch import Tensor, nn

from audionas.kernels import kernel_path
from audionas.kernels.loader import torch_only
from audionas.models.recipe_rnn import RecipeRnn
from audionas.spaces.recipe_generator import generate_recipe
from audionas.spaces.recurrent_genotype import RecurrentGenotype
from audionas.spaces.reference_recipes import reference_recipe
from tests.reference.plain_recipe import PlainRecipe

SAMPLE_S = 0.25
INPUTS, HIDDEN, CLIPS = 512, 256, 32
ALONE = ("lstm_100", "lstm_100_gradient_of_x", "lstm_small", "lstm_727_two_layers")
KEPT_MEMORY = "glibc.malloc.mmap_threshold=4294967296:glibc.malloc.trim_threshold=8589934592"
Job = Callable[[], None]
Result = dict[str, Any]


def passes(network: nn.Module, x: Tensor, *, last: bool = False) -> Job:
    """One forward and backward pass, as in training: no gradient is left from the pass before."""

    def job() -> None:
        network.zero_grad()
        x.grad = None
        outputs = network(x)
        outputs = outputs[0] if isinstance(outputs, tuple) else outputs
        (outputs[:, -1] if last else outputs).square().sum().backward()

    return job


def without_kernels(job: Job) -> Job:
    """The same on the path in torch."""

    def slow() -> None:
        with torch_only():
            job()

    return slow


def times(jobs: Mapping[str, Job], repeats: int) -> Result:
    """Milliseconds of processor time of one pass of each job, least and median; and the ratios of the medians."""
    inner = {name: _times_in_a_sample(job) for name, job in jobs.items()}
    found = alternate({name: _several(job, inner[name]) for name, job in jobs.items()}, repeats)
    ms = {
        name: {of: 1e3 * each["cpu_s"][of] / inner[name] for of in ("least", "median")} for name, each in found.items()
    }
    ratios = {
        f"{name}_over_recipe": each["median"] / ms["recipe"]["median"] for name, each in ms.items() if name != "recipe"
    }
    return {"milliseconds": ms, **ratios}


def _times_in_a_sample(job: Job) -> int:
    job()
    start = time.process_time()
    job()
    return max(1, math.ceil(SAMPLE_S / max(time.process_time() - start, 1e-4)))


def _several(job: Job, n: int) -> Job:
    def run() -> None:
        for _ in range(n):
            job()

    return run


def recipe_case(
    genotype: RecurrentGenotype, frames: int, repeats: int, *, n_layers: int = 1, last: bool = False,
    x_needs_gradient: bool = False, plain: bool = True, hidden: int = HIDDEN, n_inputs: int = INPUTS,
    clips: int = CLIPS,
) -> Result:  # fmt: skip
    """One recipe against all the others at one size."""
    ready()
    x = torch.randn(clips, frames, n_inputs, requires_grad=x_needs_gradient)
    network = RecipeRnn(genotype, n_inputs, hidden, n_layers)
    jobs = {
        "recipe": passes(network, x, last=last),
        "LSTM": passes(nn.LSTM(n_inputs, hidden, n_layers, batch_first=True), x, last=last),
        "GRU": passes(nn.GRU(n_inputs, hidden, n_layers, batch_first=True), x, last=last),
    }
    if plain:
        jobs["torch"] = without_kernels(jobs["recipe"])
        jobs["plain"] = passes(PlainRecipe(network.layers[0][0]), x, last=last)  # type: ignore[index]
    return times(jobs, repeats)


def one_case(name: str, repeats: int) -> Result:
    """A case by its name; `random_<seed>` is the generator's recipe with two states and 14 vertices before pruning."""
    lstm = reference_recipe("lstm")
    if name.startswith("random_"):
        genotype = generate_recipe(int(name.removeprefix("random_")), 2, 14)
        return {**recipe_case(genotype, 60, repeats), "nodes": len(genotype.nodes)}
    if name == "lstm_small":
        return recipe_case(lstm, 100, repeats, hidden=64, n_inputs=64, clips=8)
    if name == "lstm_727_two_layers":
        return recipe_case(lstm, 727, max(3, repeats // 2), n_layers=2, last=True, plain=False)
    return recipe_case(lstm, 100, repeats, x_needs_gradient=name.endswith("gradient_of_x"))


def in_own_process(name: str, repeats: int, *, keeps_memory: bool = False) -> Result:
    """The result of a case, measured in a process of its own."""
    tunables = {"GLIBC_TUNABLES": KEPT_MEMORY} if keeps_memory else {}
    command = [sys.executable, __file__, "--repeats", str(repeats), "--in-process", name]
    done = subprocess.run(command, env={**os.environ, **tunables}, stdout=subprocess.PIPE, text=True, check=True)
    found: Result = json.loads(done.stdout.splitlines()[-1])
    print(f"{name}: {_told(found)}", flush=True)
    return found


def random_recipes(seeds: int, repeats: int, *, keeps_memory: bool) -> Result:
    """The worst and the median of the random recipes."""
    each = {seed: in_own_process(f"random_{seed}", repeats, keeps_memory=keeps_memory) for seed in range(seeds)}
    over_lstm = [1 / result["LSTM_over_recipe"] for result in each.values()]
    faster = [result["plain_over_recipe"] for result in each.values()]
    return {
        "recipes": each,
        "recipe_over_LSTM": {"worst": max(over_lstm), "median": statistics.median(over_lstm)},
        "plain_over_recipe": {"worst": min(faster), "median": statistics.median(faster)},
    }


def cases(repeats: int, seeds: int) -> dict[str, Callable[[], Result]]:
    """All cases by name."""
    alone = {name: partial(in_own_process, name, repeats) for name in ALONE}
    return alone | {
        "random_60": lambda: random_recipes(seeds, repeats, keeps_memory=False),
        "random_60_kept_memory": lambda: random_recipes(seeds, repeats, keeps_memory=True),
    }


def _told(result: Result) -> str:
    if "milliseconds" not in result:
        return str({key: value for key, value in result.items() if key != "recipes"})
    return ", ".join(f"{name} {ms['median']:.1f} ms" for name, ms in result["milliseconds"].items())


def main() -> None:
    """Run the cases and keep their times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--only", help="names of cases, separated by commas; the result is printed, not kept")
    parser.add_argument("--in-process", metavar="CASE", help="measure one case in this process and print its JSON")
    given = parser.parse_args()
    if given.in_process:
        print(json.dumps(one_case(given.in_process, given.repeats)))
        return
    chosen = cases(given.repeats, given.seeds)
    found = {}
    for name in given.only.split(",") if given.only else chosen:
        found[name] = chosen[name]()
        if name not in ALONE:
            print(f"{name}: {_told(found[name])}", flush=True)
    if not given.only:
        print(keep("recurrent", {"kernel_path": kernel_path(), "threads": 1, "cases": found}))


if __name__ == "__main__":
    main()
