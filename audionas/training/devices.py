"""Names of devices: cpu, cuda, cuda:N; and GPUs that processes are dealt."""

from __future__ import annotations

import os

import torch

from audionas.errors import SettingsError

VISIBLE = "CUDA_VISIBLE_DEVICES"


def cards_of(device: str) -> list[str]:
    """What `CUDA_VISIBLE_DEVICES` is for each GPU that processes are dealt: of `cuda` all if there are several."""
    n = torch.cuda.device_count() if device == "cuda" else 0
    named = [each.strip() for each in os.environ.get(VISIBLE, "").split(",") if each.strip()]
    return (named or [str(k) for k in range(n)])[:n] if n > 1 else []


def gpu_index(device: str) -> int | None:
    """Number of the GPU that a device names, or None for the CPU.

    Raises:
        SettingsError: the device is none of cpu, cuda, cuda:N, or does not exist here.
    """
    if device == "cpu":
        return None
    if device != "cuda" and not (device.startswith("cuda:") and device[5:].isdigit()):
        raise SettingsError(f"--device: got {device!r}; accepted: cpu, cuda, cuda:N")
    index = int(device[5:]) if ":" in device else 0
    if not torch.cuda.is_available() or index >= torch.cuda.device_count():
        raise SettingsError(f"--device: {device!r} is not available here ({torch.cuda.device_count()} GPUs); use cpu")
    return index
