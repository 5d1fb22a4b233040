"""Names of devices: cpu, cuda, cuda:N."""

from __future__ import annotations

import torch

from audionas.errors import SettingsError


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
