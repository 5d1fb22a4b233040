"""One suite for every data set of the table: labels, groups, order, and no way out of the root."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import shutil
from pathlib import Path
from types import ModuleType

import pytest

import audionas.datasets
from audionas.audio.clip_checks import check_clips
from audionas.audio.folds import outer_splits
from audionas.audio.manifest import Manifest
from audionas.datasets import DATASETS, Columns, recognise
from audionas.errors import AudionasError


def _corpora() -> ModuleType:
    """corpora.py beside this file, however pytest imports its tests."""
    spec = importlib.util.spec_from_file_location("corpora", Path(__file__).with_name("corpora.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CORPORA = _corpora().CORPORA
SUBSET_OF = {
    "esc10": "esc50",
    "iemocap_all": "iemocap",
    "iemocap_excited": "iemocap",
    "ravdess_all": "ravdess",
}


@pytest.fixture(params=sorted(DATASETS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "corpus"


@pytest.fixture
def expected(name: str, root: Path, write_tone) -> dict[str, tuple[str, str | None]]:
    return dict(CORPORA[name](root, write_tone))


def test_every_data_set_has_a_synthetic_corpus() -> None:
    assert sorted(CORPORA) == sorted(DATASETS)


def test_every_module_that_reads_is_in_the_table() -> None:
    tabled = {reader.__module__ for reader in DATASETS.values()}
    for module in pkgutil.iter_modules(audionas.datasets.__path__, "audionas.datasets."):
        has_reader = inspect.isfunction(getattr(importlib.import_module(module.name), "read", None))
        assert has_reader == (module.name in tabled), f"{module.name} has no line in DATASETS"


def test_the_guide_has_every_data_set_in_its_table() -> None:
    rows = (Path(__file__).parents[2] / "docs" / "guide" / "corpora.md").read_text(encoding="utf-8").splitlines()
    first_cells = [row.split("|")[1] for row in rows if row.startswith("| `") and "--dataset" not in row.split("|")[1]]
    assert sorted(name.strip(" `") for cell in first_cells for name in cell.split(",")) == sorted(DATASETS)


def test_labels_and_groups_are_the_corpus_s(name: str, root: Path, expected: dict[str, tuple[str, str | None]]) -> None:
    manifest = DATASETS[name](root, Columns())
    assert {clip.path: (clip.label, clip.group or None) for clip in manifest.clips} == expected
    assert manifest.labels == tuple(sorted({label for label, _ in expected.values()}))
    assert bool(manifest.group_source) == all(group for _, group in expected.values())


@pytest.mark.usefixtures("expected")
def test_the_manifest_passes_the_checks_and_survives_a_round_trip(name: str, root: Path, tmp_path: Path) -> None:
    manifest = DATASETS[name](root, Columns())
    check_clips(manifest)
    manifest.write(tmp_path / "out")
    assert Manifest.read(tmp_path / "out") == manifest
    if any(clip.fold for clip in manifest.clips):
        assert len(outer_splits(manifest)) >= 2
        assert manifest.fold_source


@pytest.mark.usefixtures("expected")
def test_the_order_does_not_depend_on_the_file_system(name: str, root: Path, tmp_path: Path) -> None:
    first = DATASETS[name](root, Columns())
    for path in sorted(root.rglob("*"), reverse=True):  # the same files, created in another order
        if path.is_file():
            target = tmp_path / "again" / path.relative_to(root)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    second = DATASETS[name](tmp_path / "again", Columns())
    assert first.clips == second.clips


@pytest.mark.usefixtures("expected")
def test_the_layout_is_recognised(name: str, root: Path) -> None:
    assert recognise(root) == SUBSET_OF.get(name, name)


@pytest.mark.usefixtures("expected")
def test_no_link_leads_out_of_the_root(name: str, root: Path, tmp_path: Path) -> None:
    inside = DATASETS[name](root, Columns()).clips[0].path
    shutil.move(root / inside, tmp_path / "elsewhere.wav")
    (root / inside).symlink_to(tmp_path / "elsewhere.wav")
    with pytest.raises(AudionasError, match="leads out of") as error:
        DATASETS[name](root, Columns())
    assert "\n" not in str(error.value)


@pytest.mark.usefixtures("expected")
def test_hidden_files_are_left_out(name: str, root: Path, write_tone) -> None:
    before = DATASETS[name](root, Columns())
    folder = (root / before.clips[0].path).parent
    (folder / "._ghost.wav").write_bytes(b"macOS")
    (folder / ".hidden").mkdir()
    write_tone(folder / ".hidden" / "x.wav")
    assert DATASETS[name](root, Columns()).clips == before.clips


@pytest.mark.usefixtures("expected")
def test_an_unknown_column_is_refused_with_those_known(name: str, root: Path) -> None:
    with pytest.raises(AudionasError, match=r"unknown column 'lable'.*known: ") as error:
        DATASETS[name](root, Columns(label="lable"))
    assert "\n" not in str(error.value)
