"""A growing `.npy`: numpy reads it, and a torn end is overwritten."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from audionas.features import flat_file


def test_numpy_loads_what_was_appended(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    flat_file.create(path)
    assert np.load(path).shape == (0,)
    n_values = flat_file.append(path, 0, [np.arange(6, dtype=np.float32).reshape(1, 2, 3)])
    n_values = flat_file.append(path, n_values, [np.full((2,), 9, np.float32), np.full((1,), 8, np.float32)])
    assert n_values == 9
    loaded = np.load(path, mmap_mode="r")
    assert loaded.dtype == np.float32
    assert loaded.tolist() == [0, 1, 2, 3, 4, 5, 9, 9, 8]
    assert flat_file.view(path, 7).tolist() == [0, 1, 2, 3, 4, 5, 9]


def test_what_a_killed_append_left_behind_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    flat_file.create(path)
    flat_file.append(path, 0, [np.ones(4, np.float32)])
    with path.open("ab") as stream:
        stream.write(b"torn!")
    assert flat_file.append(path, 4, [np.zeros(2, np.float32)]) == 6
    assert np.load(path).tolist() == [1, 1, 1, 1, 0, 0]
    assert path.stat().st_size == flat_file.HEADER_BYTES + 24


def test_a_view_stays_as_it_was_when_the_file_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    flat_file.create(path)
    flat_file.append(path, 0, [np.ones(4, np.float32)])
    view = flat_file.view(path, 4)
    flat_file.create(path)
    assert view.tolist() == [1, 1, 1, 1]


def test_damage_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    assert not flat_file.is_whole(path, 0)
    flat_file.create(path)
    flat_file.append(path, 0, [np.ones(4, np.float32)])
    assert flat_file.is_whole(path, 4)
    assert not flat_file.is_whole(path, 5)
    path.write_bytes(b"x" * 200)
    assert not flat_file.is_whole(path, 4)
    assert flat_file.view(path, 0).shape == (0,)


def test_half_precision_takes_half_the_bytes_and_is_no_other_dtype(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    flat_file.create(path, "float16")
    assert flat_file.append(path, 0, [np.array([0.5, 65_504, 0.1], np.float32)], "float16") == 3
    assert path.stat().st_size == flat_file.HEADER_BYTES + 6
    assert np.load(path).dtype == np.float16
    assert flat_file.view(path, 3, "float16").tolist() == [0.5, 65_504, float(np.float16(0.1))]
    assert flat_file.is_whole(path, 3, "float16")
    assert not flat_file.is_whole(path, 4, "float16")
    assert not flat_file.is_whole(path, 1, "float32")
