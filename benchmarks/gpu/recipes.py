"""Recurrent recipes on a card: against the plain module and cuDNN's LSTM, and the time of a catalogue search."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from timing import Job, alternate, forget_peak, peak_gib, wait
from torch import Tensor, nn
from torch.nn import functional

from audionas.models import build_model
from audionas.models.recipe_rnn import RecipeRnn
from audionas.spaces.recipe_generator import generate_recipe
from tests.reference.plain_recipe import PlainRecipe

Result = dict[str, Any]
CLASSES = 4
OF_ALL = 265 * 10  # recipes of the catalogue with two states times epochs
PLAIN_FRAMES = 60  # the plain module takes seconds: it is timed on so many frames, and its time scaled


def passes(network: nn.Module, x: Tensor) -> Job:
    """One forward and backward pass; the loss is on the last frame."""

    def job() -> None:
        network.zero_grad()
        outputs = network(x)
        outputs = outputs[0] if isinstance(outputs, tuple) else outputs
        outputs[:, -1].square().sum().backward()

    return job


class PlainLayers(nn.Module):
    """Layers of the plain module."""

    def __init__(self, network: RecipeRnn) -> None:
        super().__init__()
        self.layers = nn.ModuleList(PlainRecipe(cells[0]) for cells in network.layers)  # type: ignore[index]

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x)
        return x


def random_recipes(device: str, _work: Path, sizes: Result) -> Result:
    """Each of the generator's recipes with two states, against the plain module and nn.LSTM of the same sizes."""
    frames, clips = sizes["frames"], sizes["recipe_batch"]
    x = torch.randn(clips, frames, sizes["inputs"], device=device)
    few = min(PLAIN_FRAMES, frames)
    each: Result = {}
    for seed in range(sizes["seeds"]):
        torch.manual_seed(seed)
        network = RecipeRnn(generate_recipe(seed, 2, 14), sizes["inputs"], sizes["hidden"], sizes["layers"]).to(device)
        lstm = nn.LSTM(sizes["inputs"], sizes["hidden"], sizes["layers"], batch_first=True).to(device)
        forget_peak(device)
        times = alternate({"recipe": passes(network, x), "lstm": passes(lstm, x)}, device, sizes["repeats"])
        plain = alternate({"plain": passes(PlainLayers(network), x[:, :few])}, device, 1, warm_up=1)["plain"]
        seconds = plain["median"] * frames / few
        each[str(seed)] = {
            "times": times,
            "plain_s_scaled": seconds,
            "plain / recipe": seconds / times["recipe"]["median"],
            "recipe / lstm": times["recipe"]["median"] / times["lstm"]["median"],
            "peak_gib": peak_gib(device),
        }
    faster, slower = ([of[key] for of in each.values()] for key in ("plain / recipe", "recipe / lstm"))
    return {
        "recipes": each,
        "plain / recipe": {"worst": min(faster), "median": statistics.median(faster)},
        "recipe / lstm": {"worst": max(slower), "median": statistics.median(slower)},
    }


def catalogue(device: str, _work: Path, sizes: Result) -> Result:
    """Recipes of the seeds from 0 on, each trained for some epochs on data made on the device, as far as time goes."""
    n, batch = sizes["catalogue_clips"], sizes["recipe_batch"]
    shape = (1, sizes["inputs"], sizes["frames"])
    x, y = torch.randn(n, *shape, device=device), torch.arange(n, device=device) % CLASSES
    seconds: list[float] = []
    started = time.perf_counter()
    with busy_share() as busy:
        for seed in range(sizes["catalogue_recipes"]):
            if time.perf_counter() - started > sizes["catalogue_s"]:
                break
            torch.manual_seed(seed)
            network = build_model(
                generate_recipe(seed, 2, 14), input_shape=shape, n_classes=CLASSES,
                hidden=sizes["hidden"], n_layers=sizes["layers"],
            ).to(device)  # fmt: skip
            adam = torch.optim.Adam(network.parameters(), 1e-3)
            for _ in range(sizes["catalogue_epochs"]):
                wait(device)
                start = time.perf_counter()
                order = torch.randperm(n, device=device)
                for first in range(0, n, batch):
                    own = order[first : first + batch]
                    adam.zero_grad()
                    functional.cross_entropy(network(x[own]), y[own]).backward()  # type: ignore[no-untyped-call]
                    adam.step()
                wait(device)
                seconds.append(time.perf_counter() - start)
    each = statistics.median(seconds)
    return {
        "median_s_of_a_recipe_and_epoch": each,
        "all": seconds,
        "recipes": len(seconds) // sizes["catalogue_epochs"],
        "extrapolated_h_of_265_recipes_10_epochs": each * OF_ALL / 3600,
        "gpu_busy_percent": statistics.mean(busy) if busy else None,
        "peak_gib": peak_gib(device),
    }


@contextmanager
def busy_share() -> Iterator[list[float]]:
    """Per cent of time in which the card did something, sampled every half second where nvidia-smi is."""
    found: list[float] = []
    is_over = threading.Event()

    def sample() -> None:
        query = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "--id=0"]
        while not is_over.wait(0.5):
            done = subprocess.run(query, capture_output=True, text=True, check=False)
            if done.returncode == 0:
                found.append(float(done.stdout.split()[0]))

    watcher = threading.Thread(target=sample, daemon=True)
    if shutil.which("nvidia-smi"):
        watcher.start()
    else:
        print("no nvidia-smi: it is not known how busy the card was", file=sys.stderr)
    try:
        yield found
    finally:
        is_over.set()
        if watcher.is_alive():
            watcher.join()
