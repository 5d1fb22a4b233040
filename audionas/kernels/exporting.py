"""Whether a network is being exported to ONNX: then it computes in a form that ONNX has, with the same numbers.

ONNX knows no compiled kernels and no slice at the longest clip's end, and its loops over frames have bodies of their
own. Networks ask `is_exporting` at the few places where that matters.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from audionas.kernels.loader import torch_only

_is_exporting = False


@contextmanager
def exporting() -> Iterator[None]:
    """Within: networks are traced for ONNX. Attention goes step by step: torch's fast path has no ONNX form."""
    global _is_exporting
    before, _is_exporting = _is_exporting, True
    had_fast_path = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with torch_only():
            yield
    finally:
        _is_exporting = before
        torch.backends.mha.set_fastpath_enabled(had_fast_path)


def is_exporting() -> bool:
    """Whether networks are traced for ONNX."""
    return _is_exporting
