"""`audionas export`: there and back, and nothing that is read is run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from audionas.experiment.export import FORMATS
from audionas.spaces.darts_text import from_darts_text, to_darts_text
from audionas.spaces.genotype_file import load_genotype, save_genotype
from audionas.spaces.reference_recipes import reference_recipe
from tests.cli.running import refused, run
from tests.spaces.genotypes import DARTS_V2

GENOTYPE = from_darts_text(DARTS_V2)


def test_a_genotype_comes_back_from_darts_text(tmp_path: Path) -> None:
    save_genotype(GENOTYPE, tmp_path / "g.json", {"labels": ["Ärger, groß"]})
    assert run("export", "g.json", "--to", "darts", cwd=tmp_path).out == to_darts_text(GENOTYPE) + "\n"
    assert run("export", "g.json", "--out", "g.txt", cwd=tmp_path).out == "g.txt\n"
    assert run("export", "g.txt", "--to", "genotype", "--out", "back.json", cwd=tmp_path).code == 0
    assert load_genotype(tmp_path / "back.json").hash == GENOTYPE.hash


def test_provenance_is_kept_in_json(tmp_path: Path) -> None:
    save_genotype(GENOTYPE, tmp_path / "g.json", {"labels": ["Ärger, groß"]})
    found = run("export", "g.json", "--to", "genotype", cwd=tmp_path)
    assert json.loads(found.out)["provenance"] == {"labels": ["Ärger, groß"]}


@pytest.mark.parametrize(
    "name,content,words",
    [
        ("none.json", None, "none.json: no such genotype file"),
        ("g.json", "[]", "expected a JSON object"),
        ("g.txt", "__import__('os').mkdir('executed')", "not DARTS text"),
        ("g.txt", b"\xff\xfe", "not a text file"),
        ("g.txt", "x" * 1_000_001, "larger than 1000000 bytes"),
    ],
)
def test_what_is_no_genotype_is_one_line_and_never_run(
    tmp_path: Path, name: str, content: str | bytes | None, words: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    assert words in refused("export", name, cwd=tmp_path)
    assert not (tmp_path / "executed").exists()


def test_an_unknown_format_suggests_the_nearest(tmp_path: Path) -> None:
    save_genotype(GENOTYPE, tmp_path / "g.json")
    line = refused("export", "g.json", "--to", "dart", cwd=tmp_path)
    words = "unknown export format 'dart' (did you mean 'darts'?); known: darts, genotype, maps, "
    assert line == words + "nas-bench-nlp, pdf, png, svg"


def test_an_output_that_is_a_folder_or_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    save_genotype(GENOTYPE, tmp_path / "g.json")
    assert "is a folder; name a file" in refused("export", "g.json", "--out", ".", cwd=tmp_path)
    assert "cannot write" in refused("export", "g.json", "--out", "g.json/x.txt", cwd=tmp_path)


def test_a_recurrent_genotype_is_exported_as_a_bare_recipe_and_comes_back(tmp_path: Path) -> None:
    genotype = reference_recipe("gru")
    save_genotype(genotype, tmp_path / "g.json")
    assert run("export", "g.json", "--to", "nas-bench-nlp", "--out", "recipe.json", cwd=tmp_path).code == 0
    assert json.loads((tmp_path / "recipe.json").read_text()) == genotype.to_recipe()
    assert load_genotype(tmp_path / "recipe.json") == genotype
    line = refused("export", "g.json", "--to", "darts", cwd=tmp_path)
    assert line == "g.json: holds a recurrent recipe, which format 'darts' cannot hold; use --to nas-bench-nlp"


def test_without_a_format_the_kind_of_the_genotype_decides(tmp_path: Path) -> None:
    save_genotype(reference_recipe("gru"), tmp_path / "gru.json")
    save_genotype(GENOTYPE, tmp_path / "cnn.json")
    assert json.loads(run("export", "gru.json", cwd=tmp_path).out) == reference_recipe("gru").to_recipe()
    assert run("export", "cnn.json", cwd=tmp_path).out == to_darts_text(GENOTYPE) + "\n"


def test_the_help_names_every_format() -> None:
    text = run("export", "--help").out
    assert all(name in text for name in FORMATS)


def test_a_picture_is_a_file_beside_the_genotype_and_never_goes_to_the_terminal(tmp_path: Path) -> None:
    save_genotype(GENOTYPE, tmp_path / "g.json")
    found = run("export", "g.json", "--to", "pdf", "--width-mm", "120", cwd=tmp_path)
    assert (found.code, found.out) == (0, "g.pdf\n")
    assert (tmp_path / "g.pdf").read_bytes().startswith(b"%PDF")
    assert json.loads(run("export", "g.json", "--to", "png", "--dpi", "72", "--json", cwd=tmp_path).out) == {
        "out": "g.png", "text": None
    }  # fmt: skip
    assert "less than 5 points" in refused("export", "g.json", "--to", "pdf", "--width-mm", "30", cwd=tmp_path)


def test_options_of_pictures_need_a_picture(tmp_path: Path) -> None:
    for words in (("--fold", "1"), ("--width-mm", "86"), ("--dpi", "300")):
        assert refused("export", "g.json", *words, cwd=tmp_path) == f"{words[0]}: is for --to svg, png, pdf"


def test_maps_need_a_clip_and_a_picture_and_a_clip_needs_maps(tmp_path: Path) -> None:
    words = "--to maps: needs --clip AUDIO_FILE and --out FILE.png or FILE.svg"
    assert refused("export", "run", "--to", "maps", cwd=tmp_path) == words
    assert refused("export", "run", "--to", "darts", "--clip", "a.wav", cwd=tmp_path) == "--clip: is for --to maps"
    assert "no such run folder" in refused(
        "export", "run", "--to", "maps", "--clip", "a.wav", "--out", "a.svg", cwd=tmp_path
    )
    assert refused("export", "run", "--to", "mops", cwd=tmp_path).startswith(
        "unknown export format 'mops' (did you mean 'maps'?)"
    )
