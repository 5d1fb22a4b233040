"""Starting files: `check` accepts each as it is, and names, kinds and places that cannot be are refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from audionas.errors import RunError, SettingsError
from audionas.experiment.checking import check_file
from audionas.search.algorithms import ALGORITHMS, setting_defaults
from audionas.search.strategy import load_strategy
from audionas.spaces import SPACES, load_search_space
from audionas.starting_files import starting_text, write_starting_file
from audionas.yaml_schemas import SCHEMAS


@pytest.mark.parametrize("kind", SPACES)
def test_a_space_of_every_kind_is_accepted(kind: str, tmp_path: Path) -> None:
    file = write_starting_file("space", f"my_{kind}", kind, out=tmp_path / f"my_{kind}.yaml")
    assert check_file(file).errors == ()
    assert load_search_space(file).kind == kind
    assert load_search_space(file).size() > 1
    given = yaml.safe_load(file.read_text())
    assert not list(Draft202012Validator(SCHEMAS["space"]()).iter_errors(given))
    named = set(SPACES[kind].model_fields) - {"name"}
    assert {key for key in named if f"{key}:" in file.read_text()} == named, "a key is neither set nor commented"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_strategy_of_every_algorithm_is_accepted(algorithm: str, tmp_path: Path) -> None:
    file = write_starting_file("strategy", f"my-{algorithm}", None, algorithm, tmp_path / f"my-{algorithm}.yaml")
    assert check_file(file).errors == ()
    strategy = load_strategy(file)
    assert strategy.algorithm == algorithm
    assert set(strategy.settings) == set(setting_defaults(algorithm))
    given = yaml.safe_load(file.read_text())
    assert not list(Draft202012Validator(SCHEMAS["strategy"]()).iter_errors(given))


def test_lines_are_not_too_long_and_tell_what_the_file_is() -> None:
    texts = [starting_text("space", "mine", kind, None) for kind in SPACES]
    texts += [starting_text("strategy", "mine", None, algorithm) for algorithm in ALGORITHMS]
    for text in texts:
        assert text.startswith("# mine: say here what it is for.\n")
        assert "audionas search" in text
        assert max(map(len, text.splitlines())) <= 120


def test_the_comments_of_a_recipe_and_of_alpha_reach_may_be_opened(tmp_path: Path) -> None:
    text = starting_text("strategy", "opened", None, "darts")
    opened = text.replace("# alpha_reach:", "alpha_reach:").replace("# recipe:", "recipe:")
    (tmp_path / "opened.yaml").write_text(opened)
    assert check_file(tmp_path / "opened.yaml").errors == ()
    assert load_strategy(tmp_path / "opened.yaml").alpha_reach == 3.0


def test_a_file_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("mine")
    with pytest.raises(RunError, match=r"mine.yaml: there is a file already; choose another name, or remove it"):
        write_starting_file("space", "mine", out=file)
    assert file.read_text() == "mine"


def test_without_out_the_file_lies_in_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert write_starting_file("space", "mine") == Path("mine.yaml")
    assert (tmp_path / "mine.yaml").is_file()


@pytest.mark.parametrize(("words", "message"), [
    (("spice", "mine", None, None), r"unknown starting file 'spice' \(did you mean 'space'\?\); known: space"),
    (("space", "My Space", None, None), r"name 'My Space': must be small letters, digits, _ and -"),
    (("space", "../mine", None, None), r"name '../mine': must be small letters"),
    (("space", "", None, None), r"name '': must be small letters"),
    (("space", "darts_cnn", None, None), r"name 'darts_cnn': is a shipped space, which would be taken in its place"),
    (("strategy", "random", None, None), r"name 'random': is a shipped strategy"),
    (("space", "mine", "cnn_sell", None), r"--kind: unknown kind 'cnn_sell' \(did you mean 'cnn_cell'\?\)"),
    (("strategy", "mine", None, "darst"), r"--algorithm: unknown algorithm 'darst' \(did you mean 'darts'\?\)"),
    (("space", "mine", None, "darts"), r"--algorithm: is for a strategy; a space has a --kind"),
    (("strategy", "mine", "cnn_cell", None), r"--kind: is for a space; a strategy has an --algorithm"),
])  # fmt: skip
def test_names_kinds_and_algorithms_that_are_none_are_refused(
    words: tuple[str, str, str | None, str | None], message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        starting_text(*words)


def test_the_file_has_the_name_of_what_it_holds(tmp_path: Path) -> None:
    for name in ("other.yaml", "mine.txt"):
        with pytest.raises(SettingsError, match=r"must end in mine.yaml, since the name of a space is that"):
            write_starting_file("space", "mine", out=tmp_path / name)
