"""In which numbers a network is trained: all in float32, or products in half as many bits (mixed precision).

Mixed: weights, their moments and the statistics of batch norm stay float32, as do softmax and losses. bfloat16 has the
range of float32 and needs no scaling of the loss; float16 does, which waits for the GPU at every step.
"""

from __future__ import annotations

import torch

from audionas.errors import SettingsError
from audionas.training.devices import gpu_index

PRECISIONS = {"32": "32-true", "16": "16-mixed", "bf16": "bf16-mixed"}  # on the command line, of Lightning
BF16_CAPABILITY = (8, 0)  # of a card that computes with bfloat16


def usual_precision(device: str) -> str:
    """`bf16` on a GPU that has it, `16` on an older one, `32` on the CPU.

    Raises:
        SettingsError: the device does not exist here.
    """
    index = gpu_index(device)
    if index is None:
        return "32"
    return "bf16" if torch.cuda.get_device_capability(index) >= BF16_CAPABILITY else "16"


def checked_precision(asked: str | None, device: str) -> str:
    """The precision asked for, else the usual one of the device.

    Raises:
        SettingsError: it is unknown, or not for this device.
    """
    if asked is None:
        return usual_precision(device)
    if asked not in PRECISIONS:
        raise SettingsError(f"--precision: got {asked!r}; accepted: {', '.join(PRECISIONS)}")
    index = gpu_index(device)
    if asked == "16" and index is None:
        raise SettingsError("--precision 16: is for GPUs; on the CPU use 32, or bf16")
    if asked == "bf16" and index is not None and torch.cuda.get_device_capability(index) < BF16_CAPABILITY:
        raise SettingsError(
            f"--precision bf16: {device!r} does not have it (its compute capability is below 8.0); use 16"
        )
    return asked


def precision_of_record(asked: object, device: str) -> str:
    """What a run.json says; of one from before it did: 16 on a GPU, 32 on the CPU."""
    return str(asked) if asked else "32" if device == "cpu" else "16"
