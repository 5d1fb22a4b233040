"""The macro space: its decisions, what a genotype of it says, and what it refuses."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audionas.errors import GenotypeError, SettingsError
from audionas.spaces import CnnMacro, CnnMacroSpace, FrontEnd, load_search_space, space_from_settings
from audionas.spaces.genotype_file import load_genotype, save_genotype

CELLS = {"normal": [["skip_connect", 0], ["conv_1x5", 1]], "reduce": [["max_pool_3x3", 0], ["sep_conv_3x3", 1]]}
OPTIONS = {
    "n_cells": [1, 2],
    "reduction_at": [["1/2"], ["1/3", "2/3"], []],
    "pooling": ["mean", "attention"],
    "n_mels": [8, 16],
    "hop_ms": [5, 12.5],
    "spec_augment": [0, 0.25],
}


def space(**changes: Any) -> CnnMacroSpace:
    found = space_from_settings(
        {"kind": "cnn_macro", "cells": CELLS, "options": OPTIONS, **changes}, "tiny", "tiny.yaml"
    )
    assert isinstance(found, CnnMacroSpace)
    return found


def test_every_decision_is_text_and_the_size_is_the_product_of_the_options() -> None:
    assert space().choices() == {
        "n_cells": ("1", "2"),
        "reduction_at": ("1/2", "1/3+2/3", "none"),
        "pooling": ("mean", "attention"),
        "n_mels": ("8", "16"),
        "hop_ms": ("5", "12.5"),
        "spec_augment": ("0", "0.25"),
    }
    assert space().size() == 2 * 3 * 2 * 2 * 2 * 2


SAMPLE = {
    "n_cells": "2", "reduction_at": "1/3+2/3", "pooling": "attention", "n_mels": "16", "hop_ms": "12.5",
    "spec_augment": "0.25",
}  # fmt: skip


def test_a_genotype_says_everything_that_was_chosen() -> None:
    found = space(macro={"channels": 5}).genotype(SAMPLE)
    assert found.normal == (("skip_connect", 0), ("conv_1x5", 1))
    assert (found.normal_concat, found.reduce_concat) == ((2,), (2,))
    assert (found.macro.n_cells, found.macro.channels, found.macro.pooling) == (2, 5, "attention")
    assert found.macro.reduction_at == ("1/3", "2/3")
    assert found.front_end == FrontEnd(n_mels=16, hop_ms=12.5, spec_augment=0.25)


def test_sample_and_genotype_are_inverse() -> None:
    tiny = space()
    for seed in range(30):
        genotype = tiny.random(np.random.default_rng(seed))
        tiny.check(genotype)
        assert tiny.genotype(tiny.sample(genotype)) == genotype


def test_every_sample_is_another_genotype() -> None:
    tiny = space()
    hashes = {
        tiny.genotype({**SAMPLE, label: option}).hash for label, options in tiny.choices().items() for option in options
    }
    assert len(hashes) == 1 + sum(len(options) - 1 for options in tiny.choices().values())


def test_the_file_keeps_cells_macro_values_and_front_end(tmp_path: Path) -> None:
    genotype = space().genotype(SAMPLE)
    save_genotype(genotype, tmp_path / "genotype.json")
    assert load_genotype(tmp_path / "genotype.json") == genotype
    document = json.loads((tmp_path / "genotype.json").read_text())
    assert document["front_end"] == {"n_mels": 16, "hop_ms": 12.5, "spec_augment": 0.25}
    document["front_end"]["n_mels"] = 8
    (tmp_path / "genotype.json").write_text(json.dumps(document))
    with pytest.raises(GenotypeError, match="the hash does not fit"):
        load_genotype(tmp_path / "genotype.json")


def test_genotypes_of_other_spaces_have_no_front_end_in_their_file(tmp_path: Path) -> None:
    genotype = load_search_space("darts_cnn_small").random(np.random.default_rng(0))
    save_genotype(genotype, tmp_path / "genotype.json")
    document = json.loads((tmp_path / "genotype.json").read_text())
    assert "front_end" not in document
    assert set(document["macro"]) == {"n_cells", "channels", "stem_multiplier", "reduction_at"}


def test_the_yaml_is_read_back() -> None:
    settings = space().to_settings()
    assert space_from_settings(settings, "tiny", "again") == space()
    assert space_from_settings(settings, "tiny", "again").choices() == space().choices()


def test_front_ends_are_every_pair_of_mel_bands_and_hop() -> None:
    keys = [front_end.key for front_end in space().front_ends()]
    assert keys == ["n_mels 8, hop_ms 5", "n_mels 8, hop_ms 12.5", "n_mels 16, hop_ms 5", "n_mels 16, hop_ms 12.5"]
    assert [each.key for each in space(options={"n_cells": [1, 2], "spec_augment": [0, 0.5]}).front_ends()] == [""]


def test_every_front_end_that_a_genotype_asks_for_is_prepared() -> None:
    tiny = space()
    prepared = {front_end.key for front_end in tiny.front_ends()}
    for seed in range(20):
        found = tiny.random(np.random.default_rng(seed)).front_end
        assert found is not None
        assert found.key in prepared


@pytest.mark.parametrize(
    "options,match",
    [
        ({"depth": [1]}, "unknown key 'options.depth'"),
        ({"n_cells": [0, 2]}, "options: n_cells: got 0, must be at least 1"),
        ({"n_cells": [2, 2]}, "an option stands twice"),
        ({"pooling": ["mean", "last"]}, "pooling: got 'last'"),
        ({"reduction_at": [["3/2"]]}, "'3/2' must be a fraction from 0 to below 1"),
        ({"spec_augment": [1.5]}, "spec_augment: got 1.5"),
        ({"n_cells": [], "channels": [2]}, r"options.n_cells: got \[\], must be one option or more; leave the key out"),
        ({}, "nothing to choose; give options of one or more of: n_cells, channels, reduction_at, pooling, n_mels"),
    ],
)
def test_wrong_choices_are_refused(options: dict[str, Any], match: str) -> None:
    with pytest.raises(SettingsError, match=match):
        space(options=options)


def test_a_value_beside_its_options_is_refused_in_one_line() -> None:
    match = "^tiny.yaml: macro.channels: stands in options.channels too, which decides; remove one$"
    with pytest.raises(SettingsError, match=match):
        space(options={"n_cells": [1, 2], "channels": [2, 4]}, macro={"channels": 3})
    with pytest.raises(SettingsError, match=r"macro.n_cells: stands .*; macro.channels: stands"):
        space(options={"n_cells": [1, 2], "channels": [2, 4]}, macro={"n_cells": 3, "channels": 6})
    assert "n_cells" not in space(options={"n_cells": [1, 2]}).to_settings()["macro"]


def test_the_space_of_a_run_from_before_is_read_although_it_holds_both() -> None:
    dumped = CnnMacro().model_dump(mode="json")
    assert space(options={"n_cells": [1, 2]}, macro=dumped).choices() == {"n_cells": ("1", "2")}
    with pytest.raises(SettingsError, match=r"macro.n_cells: stands in options"):
        space(options={"n_cells": [1, 2]}, macro={**dumped, "n_cells": 7})


@pytest.mark.parametrize(
    "cells,match",
    [
        ({"normal": [["skip", 0], ["conv_1x5", 1]]}, "normal cell: unknown operation 'skip'"),
        ({"reduce": [["none", 0], ["conv_1x5", 1]]}, "reduce cell: unknown operation 'none'"),
        ({"normal": [["conv_1x5", 0]]}, "normal cell: node 2 has 1 edge"),
        ({"normal": [["conv_1x5", 0], ["conv_1x5", 2]]}, "normal cell: node 2 takes input 2, must be 0 to 1"),
    ],
)
def test_cells_that_no_network_could_be_built_of_are_refused(cells: dict[str, Any], match: str) -> None:
    with pytest.raises(SettingsError, match=match):
        space(cells={**CELLS, **cells})


def test_a_genotype_of_another_space_is_refused() -> None:
    tiny, found = space(), space().genotype(SAMPLE)
    with pytest.raises(GenotypeError, match="it is of no macro space"):
        tiny.check(replace(found, front_end=None))
    with pytest.raises(GenotypeError, match="n_mels: 24 is none of 8, 16"):
        tiny.check(replace(found, front_end=FrontEnd(n_mels=24, hop_ms=5, spec_augment=0)))
    with pytest.raises(GenotypeError, match="another normal cell"):
        tiny.check(replace(found, normal=(("skip_connect", 0), ("skip_connect", 1))))
    with pytest.raises(GenotypeError, match="other macro values, or a front-end that the space does not choose"):
        tiny.check(replace(found, macro=found.macro.model_copy(update={"channels": 7})))
