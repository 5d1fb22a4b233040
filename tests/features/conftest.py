"""Fixtures of encoders: small random ones on disk, and the real ones where the shared data are."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

SHARED = Path(__file__).parents[3] / "shared" / "data" / "encoders"


@pytest.fixture(scope="session")
def on_disk() -> ModuleType:
    """encoders_on_disk.py beside this file, however pytest imports its tests."""
    spec = importlib.util.spec_from_file_location("encoders_on_disk", Path(__file__).with_name("encoders_on_disk.py"))
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def real_encoders() -> Path:
    """The folder of real encoders; a test that needs it is left out where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("needs the shared data: encoders")
    return SHARED


@pytest.fixture(scope="session")
def reference(real_encoders: Path) -> dict[str, np.ndarray]:
    """What the real encoders give on the sample's 03a01Fa.flac, by other programs; see the folder's README."""
    with np.load(real_encoders / "reference_03a01Fa.npz") as arrays:
        return dict(arrays)


@pytest.fixture(scope="session")
def noise() -> np.ndarray:
    """1.2 s at 16 kHz of noise that becomes louder: (19200,), float32."""
    rng = np.random.default_rng(3)
    return (rng.normal(size=19_200) * np.linspace(0.01, 0.1, 19_200)).astype(np.float32)
