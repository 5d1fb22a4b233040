"""Whether Triton kernels run on a device: a card that is new enough, Triton, and a small case that agrees with torch.

A kernel's file is loaded when it is first used; Triton is no dependency of ours. `AUDIONAS_KERNELS=torch` turns them
off. On a CPU they run under Triton's interpreter alone (`TRITON_INTERPRET=1`), as tests have it.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

import torch
from torch import Tensor

from audionas.errors import SettingsError
from audionas.kernels.loader import VARIABLE, asked_path, is_torch_only, tell

LEAST_CAPABILITY = (8, 0)
_found: dict[tuple[str, torch.device], bool] = {}


def serves(device: torch.device, what: str, fault: Callable[[torch.device], str]) -> bool:
    """Whether kernels may be used now; `fault` tries them at their first use and says what is wrong with them.

    Raises:
        SettingsError: $AUDIONAS_KERNELS=triton asks for them and they cannot be had.
    """
    if device.type == "meta" or is_torch_only() or asked_path() == "torch":
        return False
    if device.type != "cuda" and not (device.type == "cpu" and is_interpreting()):
        return False
    key = what, device
    if key not in _found:
        _found[key] = True  # while they are tried
        _found[key] = _is_right(device, what, fault)
    return _found[key]


def is_interpreting() -> bool:
    """Whether kernels run on the CPU, slowly, for tests."""
    return os.environ.get("TRITON_INTERPRET") == "1"


@cache
def kernels(module: str) -> Any:
    """The kernels in a file of this folder."""
    return importlib.import_module(f"audionas.kernels.{module}")


@lru_cache(maxsize=1024)
def constant(values: tuple[float, ...], device: torch.device) -> Tensor:
    """Numbers (n,) float32 that stay on the device."""
    with torch.inference_mode(False):
        return torch.tensor(values, device=device)


def _is_right(device: torch.device, what: str, fault: Callable[[torch.device], str]) -> bool:
    reason = _missing(device)
    is_here = not reason
    if is_here:
        try:
            reason = fault(device)
        except Exception as why:  # noqa: BLE001  whatever a compiler says of a card that nobody has tried
            reason = str(why).strip().splitlines()[0] if str(why).strip() else type(why).__name__
    if reason and asked_path() == "triton":
        raise SettingsError(f"{VARIABLE}=triton: kernels of {what} do not run here ({reason}); take auto or torch")
    if reason:
        tell(f"{what}: Triton's kernels are not taken ({reason}); plain torch is, which is slower")
    return not reason


def _missing(device: torch.device) -> str:
    if importlib.util.find_spec("triton") is None:
        return "Triton is not installed"
    if device.type == "cuda" and torch.cuda.get_device_capability(device) < LEAST_CAPABILITY:
        return "the card's compute capability is below 8.0"
    return ""
