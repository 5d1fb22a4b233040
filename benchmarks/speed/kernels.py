"""Times each kernel of the CNN supernet against the same in torch modules, and writes the ratios as a table.

PYTHONPATH=. OMP_NUM_THREADS=1 python benchmarks/speed/kernels.py [--repeats 5]

Sizes are those of the supernet of EmotionNAS (140x140, three cells, 6 channels) at batch 8, stride 1, for the edges out
of a cell's first input. Process CPU time, one thread, variants in turn; minimum of the repeats, in milliseconds.
`weights` is the pass that trains weights (no gradient of alphas), `alphas` the one that trains alphas. Moments of a
sum's terms are known from the second repeat on; in the network they come with the terms.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from audionas.kernels import kernel_path
from audionas.kernels.depthwise_pointwise import Taps, depthwise_pointwise
from audionas.kernels.mixed_sum import mixed_sum
from audionas.kernels.pools import max_and_average_pool

SIZES = ((6, 140), (12, 70), (24, 35))
BATCH, EDGES, TERMS = 8, 4, 35
KINDS = ((3, 1), (5, 1), (3, 2), (5, 2))  # of the first stage: kernel, dilation

Forward = Callable[[], Sequence[Tensor]]
Variants = tuple[Forward, Forward, list[Tensor], list[Tensor]]  # compiled, plain, inputs, weights


def stage(channels: int, size: int, kinds: Sequence[tuple[int, int]], stride: int, *, normalise: bool) -> Variants:
    """A stage of separable and dilated convolutions."""
    taps = [Taps((k, k), (d, d), (d * (k // 2),) * 2) for k, d in kinds for _ in range(EDGES)]
    x = [torch.randn(BATCH, channels, size, size, requires_grad=True) for _ in (taps if normalise else taps[:1])]
    plain = [_plain(channels, each, stride, normalise=normalise) for each in taps]
    filters = [layers[-2].weight for layers in plain]
    pointwise = [layers[-1].weight for layers in plain]

    def fast() -> list[Tensor]:
        return depthwise_pointwise(x, filters, pointwise, taps, stride, normalise)[0]  # type: ignore[arg-type]

    def slow() -> list[Tensor]:
        return [layers(x[k if normalise else 0]) for k, layers in enumerate(plain)]

    return fast, slow, x, cast(list[Tensor], [*filters, *pointwise])


def _plain(channels: int, taps: Taps, stride: int, *, normalise: bool) -> nn.Sequential:
    norm = [nn.BatchNorm2d(channels, affine=False)] if normalise else []
    depthwise = nn.Conv2d(
        channels, channels, taps.kernel, stride, taps.before, taps.dilation, groups=channels, bias=False
    )
    return nn.Sequential(*norm, nn.ReLU(), depthwise, nn.Conv2d(channels, channels, 1, bias=False))


def pools(channels: int, size: int, stride: int) -> Variants:
    """Both pools; torch has them once an edge."""
    x = torch.randn(BATCH, channels, size, size, requires_grad=True)
    modules = [nn.MaxPool2d(3, stride, 1), nn.AvgPool2d(3, stride, 1, count_include_pad=False)]

    def fast() -> tuple[Tensor, Tensor]:
        return max_and_average_pool(x, stride)

    def slow() -> list[Tensor]:
        return [module(x) for module in modules for _ in range(EDGES)]

    return (fast, slow, [x], [])


def sums(channels: int, size: int) -> Variants:
    """The sum of a cell's last node."""
    terms = [torch.randn(BATCH, channels, size, size, requires_grad=True) for _ in range(TERMS)]
    weights = torch.rand(TERMS, requires_grad=True)
    norms = [nn.BatchNorm2d(channels, affine=False) for _ in terms]

    def fast() -> list[Tensor]:
        return [mixed_sum(weights, terms, [True] * TERMS)[0]]

    def slow() -> list[Tensor]:
        total = weights[0] * norms[0](terms[0])
        for k in range(1, TERMS):
            total = total + weights[k] * norms[k](terms[k])
        return [total]

    return (fast, slow, terms, [weights])


def milliseconds(forward: Forward, wanted: Sequence[Tensor]) -> tuple[float, float]:
    """Of one forward and one backward pass, (forward, backward)."""
    start = time.process_time()
    values = list(forward())
    middle = time.process_time()
    received = [torch.ones_like(each) for each in values]
    begun = time.process_time()
    torch.autograd.grad(values, wanted, received)
    return 1e3 * (middle - start), 1e3 * (time.process_time() - begun)


def row(name: str, variants: Variants, repeats: int, passes: dict[str, str]) -> list[str]:
    """Lines of the table: forward, and backward for each pass (`x`: inputs alone, `kernels`: others alone)."""
    lines = []
    fast, slow, inputs, others = variants
    asked = {"all": [*inputs, *others], "inputs": inputs, "others": others}
    for told, of in passes.items():
        for each in (*inputs, *others):
            each.requires_grad_(any(each is one for one in asked[of]))
        times: dict[str, list[tuple[float, float]]] = {"fast": [], "slow": []}
        for _ in range(repeats):
            times["fast"].append(milliseconds(fast, asked[of]))
            times["slow"].append(milliseconds(slow, asked[of]))
        best = {kind: [min(column) for column in zip(*each, strict=True)] for kind, each in times.items()}
        for k, direction in enumerate(("forward", "backward")):
            if k == 1 or told == next(iter(passes)):
                label = direction if k == 0 else f"backward, {told}"
                ratio = best["slow"][k] / best["fast"][k]
                lines.append(f"| {name} | {label} | {best['fast'][k]:.1f} | {best['slow'][k]:.1f} | {ratio:.1f} |")
    return lines


def table(repeats: int) -> list[str]:
    """The whole table, line by line."""
    lines = ["| kernel | pass | ms | torch ms | ratio |", "|---|---|---|---|---|"]
    convolutions = {"both": "all", "alphas": "inputs"}
    for channels, size in SIZES:
        where = f"{channels} x {size} x {size}"
        for stride in (1, 2):
            first = stage(channels, size, KINDS, stride, normalise=False)
            lines += row(f"first stages, stride {stride}, {where}", first, repeats, convolutions)
        second = stage(channels, size, KINDS[:2], 1, normalise=True)
        lines += row(f"second stages, {where}", second, repeats, convolutions)
        for stride in (1, 2):
            lines += row(f"pools, stride {stride}, {where}", pools(channels, size, stride), repeats, {"any": "all"})
        lines += row(
            f"mixed sum of {TERMS}, {where}", sums(channels, size), repeats, {"alphas": "all", "weights": "inputs"}
        )
    return lines


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    print(f"kernels: {kernel_path()}; torch {torch.__version__}")
    print("\n".join(table(parser.parse_args().repeats)))


if __name__ == "__main__":
    main()
