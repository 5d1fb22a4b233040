"""The state of an export: on within it, and as before after it, whatever happens."""

from __future__ import annotations

import pytest
import torch

from audionas.kernels.exporting import exporting, is_exporting
from audionas.kernels.loader import is_torch_only


def test_it_ends_with_the_block_also_by_an_error() -> None:
    before = torch.backends.mha.get_fastpath_enabled()
    with exporting():
        assert is_exporting()
        assert is_torch_only()
        assert not torch.backends.mha.get_fastpath_enabled()
    with pytest.raises(ValueError, match="why"), exporting():
        raise ValueError("why")
    assert not is_exporting()
    assert not is_torch_only()
    assert torch.backends.mha.get_fastpath_enabled() == before
