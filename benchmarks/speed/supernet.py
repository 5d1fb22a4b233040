"""A step of a DARTS search over the CNN space of EmotionNAS, against a plain supernet and against NNI's own.

    PYTHONPATH=. python benchmarks/speed/supernet.py [--batch 8] [--size 140] [--repeats 5] [--without nni]

One first-order step is that of DARTS's release: the alphas' loss and Adam, then the weights' loss, a clipped gradient
and SGD. The plain supernet (tests/reference) and NNI's compute all gradients in both passes, as their loops do; NNI's
network is another in details (stem, skips), so its sizes stand beside. Saved bytes are the tensors that autograd keeps
for a backward pass. The second-order step is held against its own passes.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import torch
from paired import alternate, keep, ratio, ready
from torch import Tensor, nn
from torch.nn import functional

from audionas.kernels import kernel_path, use_kernels
from audionas.models import Supernet
from audionas.models.supernet import constant
from audionas.search import build_supernet
from audionas.search.unrolled import WeightStep, unrolled_gradient
from audionas.spaces import CnnCellSpace, load_search_space
from tests.reference.darts_supernet import DartsSupernet

CLASSES = 4
LossOf = Callable[[], Tensor]


class Job:
    """A network with the two optimisers of DARTS and a batch of either part."""

    def __init__(self, network: nn.Module, alphas: list[nn.Parameter], batch: int, size: int) -> None:
        self.network, self.alphas = network, alphas
        known = {id(alpha) for alpha in alphas}
        self.weights = [parameter for parameter in network.parameters() if id(parameter) not in known]
        self.adam = torch.optim.Adam(alphas, 3e-4, betas=(0.5, 0.999), weight_decay=1e-3)
        self.sgd = torch.optim.SGD(self.weights, 0.025, momentum=0.9, weight_decay=3e-4)
        generator = torch.Generator().manual_seed(0)
        self.parts = [
            (torch.randn(batch, 1, size, size, generator=generator), torch.arange(batch) % CLASSES) for _ in range(2)
        ]

    def loss(self, part: int) -> Tensor:
        x, y = self.parts[part]
        return functional.cross_entropy(self.network(x), y)

    def step_weights(self) -> None:
        nn.utils.clip_grad_norm_(self.weights, 5.0)
        self.sgd.step()

    def plain_step(self) -> None:
        """As the release of DARTS: all gradients in both passes."""
        self.adam.zero_grad()
        self.loss(1).backward()  # type: ignore[no-untyped-call]
        self.adam.step()
        self.sgd.zero_grad()
        self.loss(0).backward()  # type: ignore[no-untyped-call]
        self.step_weights()

    def alphas_pass(self) -> None:
        self.adam.zero_grad()
        with constant(self.weights):
            loss = self.loss(1)
        loss.backward()  # type: ignore[no-untyped-call]

    def weights_pass(self) -> None:
        self.sgd.zero_grad()
        with constant(self.alphas):
            loss = self.loss(0)
        loss.backward()  # type: ignore[no-untyped-call]

    def both(self) -> None:
        torch.autograd.grad(self.loss(1), [*self.alphas, *self.weights], allow_unused=True)

    def step(self) -> None:
        """As audionas does it: in each pass only the gradients that it steps."""
        self.alphas_pass()
        self.adam.step()
        self.weights_pass()
        self.step_weights()

    def second_order_step(self) -> None:
        found, _ = unrolled_gradient(
            lambda: self.loss(0), lambda: self.loss(1), self.alphas, self.weights, WeightStep(self.sgd)
        )
        for alpha, gradient in zip(self.alphas, found, strict=True):
            alpha.grad = gradient
        self.adam.step()
        self.weights_pass()
        self.step_weights()


def saved_bytes(job: Job) -> int:
    """What one forward pass keeps for the backward, each storage once."""
    storages: dict[int, int] = {}
    kept: list[Tensor] = []

    def note(saved: Tensor) -> Tensor:
        storages[saved.untyped_storage().data_ptr()] = saved.untyped_storage().nbytes()
        kept.append(saved)
        return saved

    with torch.autograd.graph.saved_tensors_hooks(note, lambda saved: saved):
        loss = job.loss(0)
    del loss
    return sum(storages.values())


def ours(batch: int, size: int, channels: int, cells: int) -> Job:
    space = load_search_space("darts_cnn")
    assert isinstance(space, CnnCellSpace)
    network = build_supernet(space, input_shape=(1, size, size), n_classes=CLASSES, n_cells=cells, channels=channels)
    assert isinstance(network, Supernet)
    return Job(network, network.arch_parameters(), batch, size)


def plain(batch: int, size: int, channels: int, cells: int) -> Job:
    network = DartsSupernet(1, CLASSES, cells, channels)
    return Job(network, list(network.alphas), batch, size)


def of_nni(batch: int, size: int, channels: int, cells: int) -> Job:
    """NNI's DARTS over its hub space: its stem reads one channel, its classifier has so many classes."""
    from audionas.search.nni_quiet import import_nni

    import_nni()
    from nni.nas.hub.pytorch import DARTS as HubSpace  # noqa: N811
    from nni.nas.strategy import DARTS

    space = HubSpace(width=channels, num_cells=cells, dataset="cifar")
    network = DARTS().mutate_model(space)
    network.stem[0] = nn.Conv2d(1, 3 * channels, 3, padding=1, bias=False)
    network.classifier = nn.Linear(network.classifier.in_features, CLASSES)
    alphas = {id(p): p for m in network.modules() if hasattr(m, "arch_parameters") for p in m.arch_parameters()}
    return Job(network, list(alphas.values()), batch, size)


def on_path(path: str, job: Callable[[], None]) -> Callable[[], None]:
    def run() -> None:
        use_kernels(path, print)
        job()

    return run


def main() -> None:
    parser = argparse.ArgumentParser()
    for name, value in (("batch", 8), ("size", 140), ("channels", 6), ("cells", 3), ("repeats", 5), ("threads", 1)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--without", nargs="*", default=[], help="torch, nni, reference, second_order")
    parser.add_argument("--name", default="supernet")
    given = parser.parse_args()
    ready(given.threads)
    sizes = (given.batch, given.size, given.channels, given.cells)
    fast, best = ours(*sizes), use_kernels(None, print)
    jobs: dict[str, Callable[[], None]] = {best: on_path(best, fast.step)}
    measured: dict[str, Any] = {"parameters": {}, "saved_bytes": {}}
    kinds = {"audionas": fast}
    if "torch" not in given.without and best != "torch":
        jobs["torch"] = on_path("torch", ours(*sizes).step)
    for name, make in (("reference", plain), ("nni", of_nni)):
        if name not in given.without:
            kinds[name] = make(*sizes)
            jobs[name] = kinds[name].plain_step
    use_kernels(best, print)
    for name, job in kinds.items():
        measured["parameters"][name] = sum(p.numel() for p in job.weights)
        measured["saved_bytes"][name] = saved_bytes(job)
    times = alternate(jobs, given.repeats)
    ratios = {f"{name} / {best}": ratio(times, name, best) for name in jobs if name != best}
    if "second_order" not in given.without:
        use_kernels(best, print)
        passes = {
            "second_order": fast.second_order_step,
            "weights_pass": fast.weights_pass,
            "alphas_pass": fast.alphas_pass,
            "both": fast.both,
        }
        second = alternate(passes, given.repeats)
        of = {name: second[name]["cpu_s"]["median"] for name in passes}
        whole = 2 * of["weights_pass"] + of["both"] + 2 * of["alphas_pass"]
        ratios["second order / its passes"] = of["second_order"] / whole
        times |= second
    result = {"sizes": vars(given), "kernel_path": kernel_path(), **measured, "times": times, "ratios": ratios}
    path = keep(given.name, result)
    print(f"{path}\n{measured}\n" + "\n".join(f"{name}: {value:.2f}" for name, value in ratios.items()))


if __name__ == "__main__":
    main()
