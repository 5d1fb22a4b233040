"""One-shot searches on a card: time, memory, the second order, and how they agree with the same on the processor."""

from __future__ import annotations

import os
import statistics
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from synthetic_corpus import make_corpus
from timing import alternate, forget_peak, peak_gib

from audionas.experiment.prepare import PrepareOptions
from audionas.experiment.search import SearchRequest, search
from audionas.records import read_jsonl

sys.path.insert(0, str(Path(__file__).parent.parent / "speed"))
from search_stage import all_gradients
from supernet import Job, ours

Result = dict[str, Any]
SPACE, STRATEGY, BATCH = "darts_cnn", "darts_emotionnas", 64
PAIRS = PrepareOptions(group_from="^(s[0-9])_", folds="5", protocol="speaker_pairs")


@contextmanager
def reference_path() -> Iterator[None]:
    """Within: the supernet edge by edge, all gradients in both passes, nothing captured: as DARTS's release has it."""
    with (
        mock.patch.multiple("audionas.models.mixed_cell.MixedCell", _normalises_by_batch=lambda _: False),
        mock.patch("audionas.search.nni_darts.constant", all_gradients),
        mock.patch.dict(os.environ, AUDIONAS_GRAPHS="off"),
    ):
        yield


def one_search(device: str, out: Path, sizes: Result, epochs: int, **more: Any) -> Result:
    """A whole search through the product's front door: seconds of its epochs, of the first one, and memory."""
    data = make_corpus(out.parent / "corpus", sizes["clips"], sizes["length_s"])
    forget_peak(device)
    request = SearchRequest(
        data, SPACE, STRATEGY, epochs=epochs, batch_size=sizes["batch"], device=device, out=out, preparation=PAIRS,
        **more,
    )  # fmt: skip
    return timed(read_jsonl(search(request) / "epochs.jsonl"), device)


def timed(records: list[Result], device: str) -> Result:
    epochs = [each["seconds"] for each in records]
    return {
        "epochs": len(epochs),
        "seconds": sum(epochs),
        "first_epoch_s": epochs[0],
        "median_epoch_s": statistics.median(epochs[1:] or epochs),
        "peak_gib": peak_gib(device),
    }


def whole_search(device: str, work: Path, sizes: Result) -> Result:
    """The search of the EmotionNAS paper: 50 epochs, and of the reference path as many epochs as are affordable."""
    found = one_search(device, work / "ours", sizes, sizes["epochs"])
    with reference_path():
        reference = one_search(device, work / "reference", sizes, sizes["reference_epochs"])
    ratio = reference["median_epoch_s"] / found["median_epoch_s"]
    return {"ours": found, "reference": reference, "reference / ours": ratio}


def other_ways(device: str, work: Path, sizes: Result) -> Result:
    """A few epochs kept whole in float32, computed again, and in bfloat16: time, memory, and how far alphas part."""
    ways: dict[str, Result] = {"float32": {}, "recomputed": {"recomputes": True}, "bfloat16": {"precision": "bf16"}}
    found = {
        name: one_search(device, work / name, sizes, sizes["reference_epochs"], **how) for name, how in ways.items()
    }
    lines = {name: read_jsonl(work / name / "epochs.jsonl")[-1] for name in ways}
    alphas = {name: torch.cat([torch.tensor(each).flatten() for each in line["alphas"].values()])
              for name, line in lines.items()}  # fmt: skip
    for name in ("recomputed", "bfloat16"):
        pair = torch.stack([alphas["float32"], alphas[name]])
        found[name]["correlation of alphas with float32"] = float(torch.corrcoef(pair)[0, 1])
        found[name]["same genotype"] = lines[name]["genotype"] == lines["float32"]["genotype"]
    return found


def second_order(device: str, _work: Path, sizes: Result) -> Result:
    """A second-order step against what it is made of: 2 weight passes, one of both, 2 alpha passes."""
    job = on(device, ours(sizes["batch"], sizes["image"], 6, 3))
    jobs = {
        "second_order": job.second_order_step,
        "weights_pass": job.weights_pass,
        "alphas_pass": job.alphas_pass,
        "both": job.both,
    }
    times = alternate(jobs, device, sizes["repeats"])
    of = {name: each["median"] for name, each in times.items()}
    passes = 2 * of["weights_pass"] + of["both"] + 2 * of["alphas_pass"]
    return {"times": times, "second order / its passes": of["second_order"] / passes}


def on(device: str, job: Job) -> Job:
    """The job with its network and its data on a device; its optimisers hold the same parameters."""
    job.network.to(device)
    job.parts = [(x.to(device), y.to(device)) for x, y in job.parts]
    return job


def agreement(device: str, _work: Path, sizes: Result) -> Result:
    """Three bi-level steps from the same start on the processor and on the card: how far weights and alphas part."""
    ends = []
    for where in ("cpu", device):
        torch.manual_seed(0)
        job = on(where, ours(sizes["small_batch"], sizes["small_image"], 6, 3))
        start = [each.detach().cpu().clone() for each in (*job.alphas, *job.weights)]
        for _ in range(3):
            job.step()
        ends.append([each.detach().cpu() for each in (*job.alphas, *job.weights)])
    moved = sum(float((end - begin).square().sum()) for end, begin in zip(ends[0], start, strict=True)) ** 0.5
    apart = sum(float((one - other).square().sum()) for one, other in zip(*ends, strict=True)) ** 0.5
    return {"distance between the ends / length of the way": apart / moved}


def memory_of_a_large_supernet(device: str, _work: Path, sizes: Result) -> Result:
    """Peak memory of one step of L=8, C=16, kept whole and computed again."""
    found = {}
    for name, recomputes in (("kept", False), ("recomputed", True)):
        job = on(device, ours(sizes["batch"], sizes["image"], sizes["large_channels"], sizes["large_cells"]))
        job.network.recomputes = recomputes  # type: ignore[assignment]
        forget_peak(device)
        job.step()
        found[name] = peak_gib(device)
        del job
    return {"peak_gib": found}
