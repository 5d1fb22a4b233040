"""Zero-cost proxies: numbers that shall tell how well an untrained network would do. More is better.

Source: Abdelfattah, Mehrotra, Dudziak, Lane 2021, "Zero-Cost Proxies for Lightweight NAS", ICLR. Each proxy gets a
network as it was initialised, which it may change, one batch of training clips and the task.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from torch import nn

from audionas.errors import SettingsError, unknown
from audionas.models import FrameNetwork
from audionas.search.proxies.suited import AUTO, suited_proxy
from audionas.training.batches import Batch
from audionas.training.tasks import TaskSeam

Compute = Callable[[nn.Module, Batch, TaskSeam], float]
GATES = (nn.Sigmoid, nn.Tanh, nn.GLU, nn.Softmax)


@dataclass(frozen=True)
class Proxy:
    """One line of the table. `cnn_only`: it has a meaning for networks of convolutions and ReLUs alone."""

    module: str
    summary: str
    cnn_only: bool = False


PROXIES: dict[str, Proxy] = {
    "grad_norm": Proxy("grad_norm", "norms of the gradients of the loss on one labelled batch, added up"),
    "naswot": Proxy("naswot", "how differently ReLUs answer to the clips of a batch, without labels", cnn_only=True),
    "parameters": Proxy("parameters", "trainable weights: what every proxy has to beat"),
    "synflow": Proxy("synflow", "how much flows through the weights, without data", cnn_only=True),
}


def check_proxy(name: str, space_kind: str | None = None) -> None:
    """Refuse an unknown proxy, and one without meaning for a kind of space.

    Raises:
        SettingsError: naming those that are accepted.
    """
    if name == AUTO:
        return
    if name not in PROXIES:
        raise SettingsError(unknown("zero-cost proxy", name, [*PROXIES, AUTO]))
    if space_kind is not None and "recurrent" in space_kind and PROXIES[name].cnn_only:
        raise SettingsError(_meaningless(name, "recurrent cells, whose products and tanh it cannot follow"))


def compute(name: str, network: nn.Module, batch: Batch, task: TaskSeam) -> float:
    """The proxy of one network, which is changed by it; -inf where the network cannot be told from a dead one.

    Raises:
        SettingsError: the proxy is unknown, or has no meaning for this network.
    """
    check_proxy(name)
    refuse_network(name, network)
    module = importlib.import_module(f"audionas.search.proxies.{PROXIES[name].module}")
    return cast(Compute, module.compute)(network, batch, task)


def refuse_network(name: str, network: nn.Module) -> None:
    """Refuse a proxy that has no meaning for a network.

    Raises:
        SettingsError: saying what in the network it cannot follow.
    """
    if not PROXIES[name].cnn_only:
        return
    if isinstance(network, FrameNetwork):
        raise SettingsError(_meaningless(name, "recurrent cells, whose products and tanh it cannot follow"))
    gates = sorted({type(module).__name__ for module in network.modules() if isinstance(module, GATES)})
    if name == "synflow" and gates:
        raise SettingsError(
            _meaningless(name, f"cells with {', '.join(gates)}, which are not linear for positive input")
        )
    if name == "naswot" and not any(isinstance(module, nn.ReLU) for module in network.modules()):
        raise SettingsError(_meaningless(name, "networks without ReLU"))


def _meaningless(name: str, why: str) -> str:
    others = " or ".join(each for each, proxy in PROXIES.items() if not proxy.cnn_only)
    return f"proxy {name!r} has no meaning for {why}; take {others}"


__all__ = ["AUTO", "GATES", "PROXIES", "Proxy", "check_proxy", "compute", "refuse_network", "suited_proxy"]
