"""What a comparison refuses before it begins."""

from __future__ import annotations

import pytest

from audionas.comparisons.plan import CompareRequest, make_plan
from audionas.errors import SettingsError
from audionas.spaces import load_search_space


def test_architectures_on_different_features_are_not_compared() -> None:
    with pytest.raises(SettingsError, match="space 'cnn_macro' of kind 'cnn_macro': its architectures differ in their"):
        make_plan(CompareRequest(space="cnn_macro"), load_search_space("cnn_macro"))
