"""How tensors reach the compiled kernels: as pointers and sizes, if they are such as the kernels know."""

from __future__ import annotations

import ctypes
from collections.abc import MutableMapping, Sequence

import torch
from torch import Tensor
from torch.utils.weak import WeakIdKeyDictionary

from audionas.kernels.loader import library

_NAMES = {torch.float32: "float", torch.float64: "double"}


def is_native(tensors: Sequence[Tensor]) -> bool:
    """Whether the compiled kernels take these: there are kernels, and all are float32 or all float64, on the CPU.

    Tensors without values (meta) are taken as those of the CPU would be, so that what is kept can be counted.
    """
    dtype, device = tensors[0].dtype, tensors[0].device.type
    return (
        dtype in _NAMES
        and device in ("cpu", "meta")
        and all(each.device.type == device and each.dtype == dtype for each in tensors)
        and all(type(each) in (Tensor, torch.nn.Parameter) for each in tensors)
        and library() is not None
    )


def call(name: str, dtype: torch.dtype, *arguments: object) -> None:
    """Call `audionas_<name>_<float or double>`. A tensor is passed as its pointer, tensors as an array of pointers,
    None as a null pointer, and a sequence of integers as an array of int64. Of tensors without values nothing is done.
    """
    if any(_has_no_values(each) for each in arguments):
        return
    native = library()
    assert native is not None
    function = getattr(native, f"audionas_{name}_{_NAMES[dtype]}")
    function.restype = None
    function(*map(_argument, arguments))


def _has_no_values(value: object) -> bool:
    given = value if isinstance(value, list | tuple) else [value]
    return any(isinstance(each, Tensor) and each.is_meta for each in given)


def _argument(value: object) -> object:
    if value is None or isinstance(value, Tensor):
        return _pointer(value)
    if isinstance(value, float):
        return ctypes.c_double(value)
    if isinstance(value, int):
        return ctypes.c_int64(value)
    if isinstance(value, Sequence) and all(isinstance(each, int) for each in value):
        return (ctypes.c_int64 * len(value))(*value)
    if isinstance(value, Sequence):
        return (ctypes.c_void_p * len(value))(*map(_pointer, value))
    return value


def _pointer(tensor: Tensor | None) -> ctypes.c_void_p:
    return ctypes.c_void_p(None if tensor is None else tensor.data_ptr())


def whole_planes(tensor: Tensor) -> Tensor:
    """The tensor, (batch, channels, features, frames), copied unless each sample lies in one piece, as kernels need."""
    return tensor if tensor.shape[0] == 0 or tensor[0].is_contiguous() else tensor.contiguous()


def strides(tensors: Sequence[Tensor]) -> list[int]:
    """Numbers from one sample to the next, of each tensor."""
    return [each.stride(0) for each in tensors]


Moments = tuple[Tensor, Tensor]
"""Mean and biased variance over batch, features and frames, (channels,) float64 each."""

_known: MutableMapping[Tensor, tuple[int, Moments]] = WeakIdKeyDictionary()


def remember(tensor: Tensor, moments: Moments) -> None:
    """Keep the moments of a tensor while it lives and is not written to: terms are summed in more nodes than one."""
    _known[tensor] = (tensor._version, moments)


def moments(tensors: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Mean and biased variance over batch, features and frames, (tensors, channels) float64 each, by the kernels."""
    found = {k: _known[each][1] for k, each in enumerate(tensors) if _is_known(each)}
    missing = [k for k in range(len(tensors)) if k not in found]
    if missing:
        computed = _computed([tensors[k] for k in missing])
        for k, own in zip(missing, zip(*computed, strict=True), strict=True):
            found[k] = own
            remember(tensors[k], own)
    means, variances = zip(*(found[k] for k in range(len(tensors))), strict=True)
    return torch.stack(means), torch.stack(variances)


def _is_known(tensor: Tensor) -> bool:
    return tensor in _known and _known[tensor][0] == tensor._version


def _computed(tensors: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    planes = [whole_planes(each.detach()) for each in tensors]
    batch, channels, features, frames = planes[0].shape
    mean = torch.empty(len(planes), channels, dtype=torch.float64)
    variance = torch.empty_like(mean)
    sizes = [batch, len(planes), channels, features * frames, torch.get_num_threads()]
    call("moments", planes[0].dtype, sizes, planes, strides(planes), mean, variance)
    return mean, variance
