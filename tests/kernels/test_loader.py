"""Compiled kernels are built once, kept, and decided for once; without a compiler there is one line and the twin."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from audionas.errors import SettingsError
from audionas.kernels import kernel_path, library, loader, tell_of_kernels, torch_only, use_kernels


@pytest.fixture(autouse=True)
def undecided(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AUDIONAS_KERNELS", "auto")
    _forget()
    yield
    _forget()


@pytest.fixture
def fast_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is compiled here is never run: no optimisation, in a third of the time."""
    monkeypatch.setattr(loader, "CFLAGS", ("-O0", *loader.CFLAGS[1:]))


@pytest.mark.slow
@pytest.mark.usefixtures("fast_compiler")
def test_kernels_are_compiled_once_and_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AUDIONAS_KERNELS_FOLDER", str(tmp_path))
    said: list[str] = []
    assert use_kernels(None, said.append) == "compiled"
    assert said == ["kernels: compiling them for this machine (once, about half a minute)"]
    kept = list(tmp_path.glob("*.so"))
    assert len(kept) == 1
    assert not list(tmp_path.glob("build-*"))
    made = kept[0].stat().st_mtime_ns
    _forget()
    assert use_kernels(None, said.append) == "compiled"
    assert (len(said), kept[0].stat().st_mtime_ns) == (1, made)
    assert os.environ["AUDIONAS_KERNELS"] == "compiled", "children decide the same"


@pytest.mark.slow
@pytest.mark.usefixtures("fast_compiler")
def test_a_library_that_was_cut_is_built_anew(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AUDIONAS_KERNELS_FOLDER", str(tmp_path))
    assert use_kernels(None, print) == "compiled"
    (kept,) = tmp_path.glob("*.so")
    whole = kept.stat().st_size
    kept.unlink()  # it is mapped here
    kept.write_bytes(b"\x7fELF" + bytes(5000))
    _forget()
    said: list[str] = []
    assert use_kernels(None, said.append) == "compiled"
    assert (len(said), kept.stat().st_size) == (1, whole)


def test_without_a_compiler_one_line_says_so_and_torch_is_taken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AUDIONAS_KERNELS_FOLDER", str(tmp_path))
    monkeypatch.setenv("CXX", "no-such-compiler")
    said: list[str] = []
    assert use_kernels(None, said.append) == "torch"
    assert kernel_path() == "torch"
    assert len(said) == 1
    assert said[0].startswith("kernels: not compiled (there is no compiler 'no-such-compiler'); plain torch is taken")


def test_compiled_kernels_that_cannot_be_had_are_refused_in_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AUDIONAS_KERNELS_FOLDER", str(tmp_path))
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(SettingsError, match=r"cannot be compiled here \(.*\); install a C\+\+ compiler"):
        use_kernels("compiled", print)


def test_another_path_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIONAS_KERNELS", "cuda")
    with pytest.raises(SettingsError, match="AUDIONAS_KERNELS: got 'cuda'; accepted: auto, compiled, torch"):
        kernel_path()


def test_torch_alone_can_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIONAS_KERNELS", "torch")
    assert (kernel_path(), library()) == ("torch", None)


def test_who_is_named_hears_of_what_is_decided_on_the_way(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AUDIONAS_KERNELS_FOLDER", str(tmp_path))
    monkeypatch.setenv("CXX", "no-such-compiler")
    monkeypatch.setattr(loader, "_say", None)
    said: list[str] = []
    tell_of_kernels(said.append)
    assert library() is None
    assert len(said) == 1


def test_within_torch_only_there_are_no_kernels() -> None:
    with torch_only():
        assert library() is None


@pytest.mark.parametrize("flushed", [True, False])
def test_every_thread_flushes_denormals_as_its_caller_does(flushed: bool) -> None:
    kernels = library()
    if kernels is None:
        pytest.skip("no compiler")
    values = torch.full((4,), torch.finfo(torch.float32).tiny)
    torch.set_flush_denormal(flushed)
    try:
        kernels.audionas_halve(4, ctypes.c_void_p(values.data_ptr()))
    finally:
        torch.set_flush_denormal(False)
    assert values.view(torch.int32).tolist() == ([0] * 4 if flushed else [1 << 22] * 4)


def _forget() -> None:
    loader._decided = None
    loader._loaded.clear()
