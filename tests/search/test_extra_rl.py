"""The extra `rl` is looked for without importing it, and asked for in one line where it is missing or another one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from audionas.errors import SettingsError
from audionas.search import extra_rl, load_strategy
from audionas.search.algorithms import builder
from audionas.spaces import load_search_space
from tests.cli.running import refused


def installed(patch: pytest.MonkeyPatch, **versions: str) -> None:
    patch.setattr(extra_rl, "_version", versions.get)


@pytest.mark.parametrize(
    ("versions", "words"),
    [
        ({}, "tianshou and gym not installed"),
        ({"tianshou": "0.5.1"}, "gym not installed"),
        ({"tianshou": "2.0.1", "gym": "0.26.2"}, r"tianshou 2\.0\.1 is installed, NNI needs 0\.5\.x"),
    ],
)
def test_what_is_missing_is_named_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch, versions: dict[str, str], words: str
) -> None:
    installed(monkeypatch, **versions)
    line = rf"algorithm 'policy_gradient': {words}; install it with: pip install 'audionas\[rl\]'"
    strategy = load_strategy("policy_gradient")  # which can be read and checked all the same
    for ask in (lambda: strategy.for_space(load_search_space("darts_cnn")), lambda: builder("policy_gradient")(seed=0)):
        with pytest.raises(SettingsError, match=line):
            ask()
    assert not extra_rl.is_installed()


def test_the_versions_of_the_extra_are_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, tianshou="0.5.1", gym="0.26.2")
    extra_rl.check("policy_gradient")
    assert extra_rl.is_installed()


def test_other_algorithms_need_no_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch)
    for name in ("enas", "random"):
        load_strategy(name).for_space(load_search_space("darts_cnn"))


def test_without_the_extra_a_search_ends_in_one_line_before_anything_is_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    installed(monkeypatch)
    monkeypatch.setenv("AUDIONAS_CACHE", str(tmp_path / "cache"))
    line = refused("search", "--strategy", "policy_gradient", "--out", tmp_path / "run")
    assert "pip install 'audionas[rl]'" in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.skipif(not extra_rl.is_installed(), reason="the extra rl is not installed")
def test_the_extra_is_imported_only_when_it_is_asked_for_and_says_nothing() -> None:
    code = (
        "import sys\nfrom audionas.search.nni_quiet import import_nni\nimport_nni()\n"
        "assert 'tianshou' not in sys.modules and 'gym' not in sys.modules\n"
        "from audionas.search.algorithms import builder\nbuilder('policy_gradient')(seed=0)\n"
        "assert 'tianshou' in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
