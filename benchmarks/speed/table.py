"""Writes the table of speed in `benchmarks/README.md` from `benchmarks/results/speed/*.json`.

python benchmarks/speed/table.py
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent.parent / "results" / "speed"
README = Path(__file__).parent.parent / "README.md"
START, END = "<!-- speed -->", "<!-- end of speed -->"
Found = dict[str, Any]


def _times(value: float) -> str:
    return f"{value:.1f}x faster"


def _of_its_time(value: float) -> str:
    return f"{value:.2f}x its time"


def _cases(found: Found) -> Found:
    return dict(found["recurrent"]["cases"])


ROWS: list[tuple[str, str, Callable[[Found], str]]] = [
    (
        "supernet, bi-level step, 1x140x140, L=3, C=6, batch 8, against the plain supernet",
        "supernet",
        lambda f: _times(f["supernet"]["ratios"]["reference / compiled"]),
    ),
    ("the same against NNI 3.0's DARTS", "supernet", lambda f: _times(f["supernet"]["ratios"]["nni / compiled"])),
    (
        "the same against our own path in torch",
        "supernet",
        lambda f: _times(f["supernet"]["ratios"]["torch / compiled"]),
    ),
    (
        "bytes kept for the backward pass, of the plain supernet's",
        "supernet",
        lambda f: f"{_saved(f, 'audionas') / _saved(f, 'reference'):.2f}",
    ),
    (
        "second-order step / (2 weight passes + forward and backward + 2 alpha passes)",
        "supernet",
        lambda f: f"{f['supernet']['ratios']['second order / its passes']:.2f}",
    ),
    (
        "LSTM recipe, T=100, 512 inputs, h=256, batch 32, forward and backward, of `nn.LSTM`",
        "recurrent",
        lambda f: _of_its_time(1 / _cases(f)["lstm_100"]["LSTM_over_recipe"]),
    ),
    (
        "the same with a gradient of the inputs",
        "recurrent",
        lambda f: _of_its_time(1 / _cases(f)["lstm_100_gradient_of_x"]["LSTM_over_recipe"]),
    ),
    (
        "20 random recipes, T=60, of `nn.LSTM`: worst (median)",
        "recurrent",
        lambda f: "{worst:.2f}x ({median:.2f}x) its time".format(**_cases(f)["random_60"]["recipe_over_LSTM"]),
    ),
    (
        "the same with a malloc that keeps freed memory, as it does in processes of audionas",
        "recurrent",
        lambda f: "{worst:.2f}x ({median:.2f}x) its time".format(
            **_cases(f)["random_60_kept_memory"]["recipe_over_LSTM"]
        ),
    ),
    (
        "20 random recipes against the plain module: median (worst)",
        "recurrent",
        lambda f: "{median:.1f}x ({worst:.1f}x) faster".format(**_cases(f)["random_60"]["plain_over_recipe"]),
    ),
    (
        "LSTM recipe, h=64, batch 8, against the plain module",
        "recurrent",
        lambda f: _times(_cases(f)["lstm_small"]["plain_over_recipe"]),
    ),
    (
        "LSTM recipe, T=727, two layers, of `nn.LSTM`",
        "recurrent",
        lambda f: _of_its_time(1 / _cases(f)["lstm_727_two_layers"]["LSTM_over_recipe"]),
    ),
    (
        "training step with freed memory kept: attention-pooling CNN, slim ResNet-18, LSTM, supernet (batch 16)",
        "freed_memory",
        lambda f: ", ".join(
            _times(f["freed_memory"]["networks"][name]["given_back / kept"])
            for name in ("attention_pooling_cnn", "resnet18_slim_16", "lstm", "supernet")
        ),
    ),
    (
        "supernet step that computes cells again, of one that keeps all: time, memory; 3 cells, 8 cells, recurrent",
        "recompute",
        lambda f: "; ".join(
            "{step_s:.2f}x, {memory_mib:.2f}x".format(**each["recomputed / kept"])
            for each in f["recompute"]["networks"].values()
        ),
    ),
    (
        "search stage of `make search` against the reference path",
        "search_stage",
        lambda f: _times(f["search_stage"]["ratios"]["reference / compiled"]),
    ),
    (
        "candidates by 2 worker processes against 1",
        "workers",
        lambda f: f"{f['workers']['ratios']['throughput of 2 workers / 1']:.2f}x",
    ),
    (
        "spectrograms (`emotionnas`) a second and core, against librosa's loop",
        "features",
        lambda f: (
            f"{f['features']['per_second']['audionas']:.0f}, {_times(f['features']['ratios']['librosa / audionas'])}"
        ),
    ),
    (
        "warm epoch of 5,000 clips of 140x140: from memory (from the mapped file)",
        "features",
        lambda f: "{:.2f} s ({:.2f} s)".format(
            *(f["features"]["times"][name]["wall_s"]["median"] for name in ("epoch_in_memory", "epoch_memory_mapped"))
        ),
    ),
]


def _saved(found: Found, name: str) -> float:
    return float(found["supernet"]["saved_bytes"][name])


def table() -> str:
    """Markdown: one row a job, the exponents of growth, the commands."""
    found = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(RESULTS.glob("*.json"))}
    lines = ["| job | measured |", "|---|---|"]
    lines += [f"| {job} | {tell(found)} |" for job, needs, tell in ROWS if needs in found]
    if "growth" in found:
        lines += ["", "Growth, as the exponent of time over size (1 is linear):", ""]
        for name, each in found["growth"]["growth"].items():
            remark = f"; {each['remark']}" if "remark" in each else ""
            lines.append(f"- {name} {', '.join(map(str, each['sizes']))}: {each['exponent']:.2f}{remark}")
    lines += [
        "",
        "Medians, one thread a process, denormals flushed. Variants take turns in one process; recurrent cases have "
        "one each, and so has each setting of memory:",
        "",
    ]
    lines += [f"- `{each['command']}`; {_machine(each)}" for each in found.values()]
    return "\n".join(lines)


def _machine(result: Found) -> str:
    machine = result["machine"]
    return f"{machine['processor']}, {machine['cores']} cores, torch {result['versions']['torch']}"


def main() -> None:
    before, _, rest = README.read_text(encoding="utf-8").partition(START)
    _, _, after = rest.partition(END)
    README.write_text(f"{before}{START}\n\n{table()}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
