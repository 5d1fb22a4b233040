"""`audionas export`: there and back, and nothing that is read is run."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from audionas.experiment.export import FORMATS
from audionas.spaces import load_search_space
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
    known = "darts, genotype, maps, nas-bench-nlp, nni-sample, onnx, pdf, png, svg"
    assert line == f"unknown export format 'dart' (did you mean 'darts'?); known: {known}"


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
    for words in (("--width-mm", "86"), ("--dpi", "300")):
        assert refused("export", "g.json", *words, cwd=tmp_path) == f"{words[0]}: is for --to svg, png, pdf"
    assert refused("export", "g.json", "--fold", "1", cwd=tmp_path) == "--fold: is for --to svg, png, pdf, onnx"


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


def test_a_genotype_comes_back_from_a_sample_of_nni(tmp_path: Path) -> None:
    genotype = load_search_space("darts_cnn_small").random(np.random.default_rng(0))
    save_genotype(genotype, tmp_path / "g.json")
    assert run("export", "g.json", "--to", "nni-sample", "--out", "sample.json", cwd=tmp_path).code == 0
    sample = json.loads((tmp_path / "sample.json").read_text())
    assert sample["normal_n0_in"] == "0+1"
    words = ("export", "sample.json", "--space", "darts_cnn_small", "--to", "genotype", "--out", "back.json")
    assert run(*words, cwd=tmp_path).code == 0
    assert load_genotype(tmp_path / "back.json") == genotype


def test_a_sample_needs_its_space(tmp_path: Path) -> None:
    (tmp_path / "sample.json").write_text('{"normal_n0_in": "0+1"}')
    save_genotype(reference_recipe("gru"), tmp_path / "gru.json")
    line = refused("export", "sample.json", "--to", "genotype", cwd=tmp_path)
    assert line == "sample.json: a sample of NNI; name its space: --space NAME or PATH.yaml"
    assert "no option for normal_n0_op0" in refused("export", "sample.json", "--space", "darts_cnn_small", cwd=tmp_path)
    assert refused("export", "gru.json", "--to", "nni-sample", cwd=tmp_path).startswith("gru.json: of which space?")
    line = refused("export", "gru.json", "--to", "nni-sample", "--space", "darts_cnn_small", cwd=tmp_path)
    assert "holds no CNN cells" in line


def test_an_option_of_another_format_is_refused(tmp_path: Path) -> None:
    for words, line in (
        (("--to", "darts", "--fold", "1"), "--fold: is for --to svg, png, pdf, onnx"),
        (("--ensemble",), "--ensemble: is for --to onnx"),
        (("--to", "onnx", "--space", "x"), "--space: is for --to genotype, darts, nas-bench-nlp, nni-sample"),
    ):
        assert refused("export", "run", *words, cwd=tmp_path) == line
    assert "no such run folder" in refused("export", "run", "--to", "onnx", cwd=tmp_path)
