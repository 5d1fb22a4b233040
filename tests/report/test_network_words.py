"""What is said of a network is true of it: handmade genotypes, each with the sentences that must and must not stand."""

from __future__ import annotations

import pytest

from audionas.errors import SettingsError
from audionas.features import Extractor, extractor_from_settings
from audionas.models import build_model, n_parameters
from audionas.models.macs import n_macs
from audionas.models.meter import Place
from audionas.report.network_words import describe
from audionas.spaces import BaselineGenotype, CnnGenotype, CnnMacro, FrontEnd, RecurrentGenotype, RecurrentMacro
from audionas.spaces.reference_recipes import REFERENCE_RECIPES, reference_recipe

NORMAL = (("sep_conv_3x3", 0), ("sep_conv_3x3", 1), ("sep_conv_5x5", 2), ("skip_connect", 0))
REDUCE = (("max_pool_3x3", 0), ("max_pool_3x3", 1), ("skip_connect", 2), ("max_pool_3x3", 1))


def cnn(
    normal: tuple = NORMAL, reduce: tuple = REDUCE, front_end: FrontEnd | None = None, **macro: object
) -> CnnGenotype:
    values = CnnMacro.model_validate({"n_cells": 3, "channels": 4, "reduction_at": ["1/3", "2/3"], **macro})
    return CnnGenotype(normal, (2, 3), reduce, (2, 3), 2, values, front_end=front_end)


def features(**settings: object) -> Extractor:
    given = {"extractor": "log_mel", "sample_rate_hz": 8000, "length_s": 1.0, "n_mels": 32, "hop_ms": 20.0, **settings}
    return extractor_from_settings(given, "test").resolve(8000, [1.0])


def words(genotype: object, **settings: object) -> str:
    return describe(genotype, Place(features(**settings), 5)).paragraph  # type: ignore[arg-type]


def test_depth_cells_and_reductions_of_a_cnn() -> None:
    text = words(cnn())
    assert "a 3x3 stem and 3 cells with 4 channels a node; the 2nd and 3rd are reduction cells" in text
    # 2 outputs of 4 * 2 * 2 channels; 32 x 51 halved twice, rounded up
    assert (
        "From an input of 1 x 32 x 51 (channels x features x frames) it makes a last feature map of 32 x 8 x 13."
        in text
    )
    assert "no cell reduces its input" in words(cnn(reduction_at=[]))
    assert "with 1 channel a node; the 1st is a reduction cell: it halves" in words(
        cnn(channels=1, reduction_at=["0/1"])
    )


def test_operations_are_counted_and_the_longest_way_followed() -> None:
    text = words(cnn())
    assert (
        "The normal cell adds up 4 operations in 2 nodes: two separable 3x3 convolutions, one separable 5x5 "
        "convolution and one skip connection; its longest way has 2 operations in a row." in text
    )
    assert "The reduction cell adds up 4 operations in 2 nodes: three 3x3 maximum pools and one skip conn" in text
    side_by_side = (("conv_1x9", 0), ("conv_1x9", 1), ("conv_1x9", 0), ("conv_1x9", 1))
    assert "four 1x9 convolutions; its longest way has 1 operation in a row" in words(cnn(side_by_side))


def test_a_cell_that_the_network_does_not_hold_is_not_told() -> None:
    text = words(cnn(reduction_at=[]))
    assert "reduction cell" not in text
    assert "Most of the normal cell's 4 operations are separable convolutions (3)." in text
    only_reductions = words(cnn(n_cells=2, reduction_at=["0/1", "1/2"]))
    assert "normal cell" not in only_reductions
    assert "Most of the reduction cell's 4 operations are pools (3)." in only_reductions


def test_what_dominates_and_the_share_of_skips() -> None:
    assert "No kind is more than half of the two cells' 8 operations." in words(cnn())  # 3 and 3 of 8
    assert "Skip connections are 1 of the normal cell's 4 operations (25 %)." in words(cnn())
    no_skip = NORMAL[:3] + (("sep_conv_3x3", 1),)
    text = words(cnn(no_skip, reduce=no_skip))
    assert "Most of the two cells' 8 operations are separable convolutions (8)." in text
    assert "The normal cell has no skip connection." in text


def test_the_receptive_field_is_told_in_frames_rows_milliseconds_and_hertz() -> None:
    one = (("conv_1x5", 0), ("skip_connect", 1))
    macro = CnnMacro(n_cells=1, channels=4, reduction_at=())
    genotype = CnnGenotype(one, (2,), one, (2,), 2, macro)
    text = words(genotype)
    # Stem 3 and 1x5: 7 frames, 6 hops of 20 ms and a window of 25; 3 of 32 bands
    assert (
        "(32 x 51 positions, features x frames) reads 7 of 51 frames (145 ms of audio) by 3 of 32 mel bands (0 to"
        in text
    )
    assert "4,000 Hz at the highest)" in text
    without = describe(genotype).paragraph
    assert "reads 7 frames by 3 features of an input that is large enough." in without
    assert "Hz" not in without
    assert "parameters" not in without
    whole = words(genotype, n_mels=2, length_s=0.1)
    assert "reads all 6 frames (100 ms of audio) by all 2 mel bands (0 to 4,000 Hz)" in whole


def test_cepstra_and_bins_have_their_own_names() -> None:
    cell = (("conv_1x5", 0), ("skip_connect", 1))
    genotype = CnnGenotype(cell, (2,), cell, (2,), 2, CnnMacro(n_cells=1, channels=4, reduction_at=()))
    mfcc = features(extractor="mfcc", n_mfcc=13)
    assert "by 3 of 13 cepstral coefficients, each of the whole band." in describe(genotype, Place(mfcc, 2)).paragraph
    settings = {"extractor": "spectrogram", "sample_rate_hz": 8000, "length_s": 1.0, "n_fft": 400, "bins": 50}
    spectrogram = extractor_from_settings(settings, "test")
    text = describe(genotype, Place(spectrogram, 2)).paragraph
    # 20 Hz a bin: bins 0 to 1, 23 to 25, 48 to 49
    assert (
        "3 of 50 frequency bins (0 to 30 Hz at its lowest row, 450 to 510 Hz at the middle one, 950 to 990 Hz" in text
    )


def test_gates_of_squeeze_excitation_are_told_apart() -> None:
    gated = NORMAL[:3] + (("squeeze_excitation", 0),)
    assert "Its squeeze-excitation gates, not counted there, read the whole map." in words(cnn(gated))
    assert "read all frames so far" in words(cnn(gated, causal=True))
    assert "squeeze-excitation gates" not in words(cnn())


def test_a_causal_network_is_told_with_its_delay() -> None:
    text = words(cnn(causal=True))
    assert "and no frame after its own." in text
    assert "It is causal: nothing before the pooling reads a later frame; algorithmic delay" in text
    assert "It is not causal: its convolutions read later frames too." in words(cnn())


@pytest.mark.parametrize(
    ("pooling", "start"),
    [
        ("mean", "The mean over features and frames of the last map goes to one linear layer."),
        ("max", "The mean over features and then the maximum over frames of the last map goes"),
        ("statistics", "The mean over features and then mean and standard deviation over frames of the last map goes"),
        ("attention", "The mean over features of the last map, its frames weighted by attention, goes"),
    ],
)
def test_the_pooling_of_a_cnn_is_told(pooling: str, start: str) -> None:
    assert start in describe(cnn(pooling=pooling)).paragraph


def test_the_front_end_of_a_macro_network_is_told() -> None:
    chosen = FrontEnd(n_mels=40, hop_ms=8.0, spec_augment=0.1)
    text = describe(cnn(front_end=chosen)).paragraph
    assert "chosen with it: 40 mel bands, a hop of 8 ms and SpecAugment masks of up to 10 % in training." in text
    assert "chosen with it: no SpecAugment." in describe(cnn(front_end=FrontEnd(spec_augment=0.0))).paragraph
    assert "front-end" not in describe(cnn()).paragraph


def test_costs_are_those_of_the_network_built() -> None:
    extractor = features()
    network = build_model(cnn(), input_shape=extractor.input_shape, n_classes=5)
    macs = n_macs(network, extractor.input_shape) / 1.02 / 1e6  # the length is rounded to whole frames
    text = words(cnn())
    assert f"{n_parameters(network):,} parameters for 5 outputs" in text
    assert "million MACs per second of audio" in text
    told = float(text.split(" million MACs")[0].rsplit(" ", 1)[1])
    assert told == pytest.approx(macs, rel=0.03)


def test_layers_width_directions_and_memory_of_a_recurrent_network() -> None:
    macro = RecurrentMacro(n_layers=2, hidden=16, pooling="mean")
    text = words(reference_recipe("lstm").within(macro))
    assert text.startswith("A recurrent network: 2 layers of 16 units that run in both directions.")
    assert (
        "Its cell has 2 hidden states and 13 nodes: four linear nodes, three products, three sigmoids, two tanh" in text
    )
    assert "What it gives at a frame can depend on the whole clip. It reads a frame every 20 ms." in text
    assert "The mean over the frames goes to two linear layers, 16 units between them." in text
    assert "It is not causal: its backward direction reads later frames." in text


def test_a_forward_network_reads_no_later_frame_and_may_be_causal() -> None:
    forwards = RecurrentMacro(n_layers=1, hidden=16, bidirectional=False, pooling="last")
    text = words(reference_recipe("gru").within(forwards))
    assert "1 layer of 16 units that runs forwards." in text
    assert "can depend on that frame and all frames before it" in text
    assert "The last frame goes to one linear layer." in text
    assert "It runs forwards only: nothing before the pooling reads a later frame." in text
    causal = RecurrentMacro(hidden=16, bidirectional=False, causal=True)
    assert "It is causal: nothing before the pooling" in words(reference_recipe("gru").within(causal))


def node(op: str, *inputs: str) -> dict[str, object]:
    return {"op": op, "input": list(inputs)}


def recurrent(recipe: dict[str, dict[str, object]], **macro: object) -> RecurrentGenotype:
    return RecurrentGenotype.from_recipe(recipe).within(RecurrentMacro.model_validate(macro))


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("rnn", "It is a plain tanh cell (Elman)."),
        ("gru", "It is the GRU."),
        ("gru_reset_after", "It is the GRU as torch computes it."),
        ("lstm", "It is the LSTM."),
        ("lstm_nbnlp", "It is the LSTM with a tanh output gate, as in NAS-Bench-NLP."),
    ],
)
def test_a_well_known_cell_is_recognised_whatever_its_nodes_are_called(name: str, sentence: str) -> None:
    recipe = REFERENCE_RECIPES[name]
    other = {key: key if key.startswith("h_new") else f"node_{key}" for key in recipe}
    other["h_new_1_act"] = "squashed"
    renamed = {
        other[key]: {"op": value["op"], "input": [other.get(source, source) for source in value["input"]]}
        for key, value in recipe.items()
    }
    assert sentence in describe(RecurrentGenotype.from_recipe(renamed)).paragraph


def test_a_forget_gate_in_a_sum_is_lstm_like_and_a_bare_product_is_no_gate() -> None:
    recipe = {
        "f": node("linear", "x", "h_prev_0"),
        "gate": node("activation_sigm", "f"),
        "kept": node("elementwise_prod", "gate", "h_prev_1"),
        "new": node("linear", "x"),
        "h_new_1": node("elementwise_sum", "kept", "new"),
        "h_new_0": node("elementwise_prod", "h_new_1", "new"),
    }
    text = describe(recurrent(recipe)).paragraph
    assert "It has two products, 1 of them gated by a sigmoid." in text
    assert "A gated product scales the old state h_prev_1 and is a term of the sum h_new_1, LSTM-like." in text
    ungated = recipe | {"gate": node("activation_tanh", "f")}
    text = describe(recurrent(ungated)).paragraph
    assert "two products of which no factor is a sigmoid: values are multiplied, nothing is gated." in text
    assert "LSTM-like" not in text


def test_a_gated_state_outside_of_a_sum_is_not_lstm_like() -> None:
    recipe = {
        "r": node("linear", "x", "h_prev_0"),
        "gate": node("activation_sigm", "r"),
        "scaled": node("elementwise_prod", "gate", "h_prev_0"),
        "h_new_0": node("linear", "x", "scaled"),
    }
    text = describe(recurrent(recipe)).paragraph
    assert "It has one product, gated by a sigmoid. A gated product scales the old state h_prev_0. " in text


def test_a_blend_is_gru_like_only_where_a_sigmoid_blends_the_old_state_into_its_own_new_one() -> None:
    recipe = {
        "z": node("linear", "x", "h_prev_0"),
        "gate": node("activation_sigm", "z"),
        "new": node("linear", "x"),
        "h_new_0": node("blend", "gate", "new", "h_prev_0"),
    }
    text = describe(recurrent(recipe)).paragraph
    assert "It has one blend, gated by a sigmoid." in text
    assert "The new state h_new_0 is a gated blend of the old state h_prev_0 with another value, GRU-like." in text
    loose = recipe | {"h_new_0": node("blend", "z", "new", "h_prev_0")}
    text = describe(recurrent(loose)).paragraph
    assert "one blend, by a share that no sigmoid keeps between 0 and 1." in text
    assert "GRU-like" not in text


def test_nodes_that_no_output_needs_make_no_gates() -> None:
    recipe = {
        "a": node("linear", "x", "h_prev_0"),
        "h_new_0": node("activation_tanh", "a"),
        "unused": node("activation_sigm", "a"),
        "idle": node("elementwise_prod", "unused", "h_prev_0"),
    }
    assert "gated" not in describe(recurrent(recipe)).paragraph


def test_a_memory_that_ends_is_told_in_frames_and_milliseconds() -> None:
    recipe = {"h_new_1": node("linear", "x"), "h_new_0": node("linear", "x", "h_prev_1")}
    forwards = words(recurrent(recipe, bidirectional=False, n_layers=2, hidden=4))
    # 2 frames back: 3 windows of 25 ms, 20 ms apart
    assert "can depend on that frame and the 2 frames before it, 65 ms of audio." in forwards
    both = words(recurrent(recipe, n_layers=2, hidden=4))
    assert "can depend on that frame and the 2 frames on either side of it." in both
    alone = {"h_new_0": node("linear", "x"), "h_new_1": node("linear", "h_prev_0")}
    assert "that frame alone: it has no memory." in words(recurrent(alone, hidden=4))
    blind = {"h_new_0": node("linear", "h_prev_0"), "h_new_1": node("linear", "x")}
    assert "does not depend on the input." in words(recurrent(blind, hidden=4))


def test_both_states_are_given_on_side_by_side() -> None:
    text = describe(
        reference_recipe("lstm").within(RecurrentMacro(emit="h0+h1", hidden=8, bidirectional=False))
    ).paragraph
    assert "A layer gives on both hidden states, h_new_0 and h_new_1, side by side." in text
    assert "two linear layers, 8 units between them" in text  # 16 values are pooled


def test_a_hand_made_system_is_told_with_its_paper_and_what_was_set() -> None:
    text = words(BaselineGenotype.of("plain_cnn", {"channels": [8, 8]}))
    assert text.startswith("A hand-made system, plain_cnn, of no paper: four blocks of 3x3 convolution")
    assert "Set for it: channels 8, 8, in place of what that describes." in text
    network = build_model(
        BaselineGenotype.of("plain_cnn", {"channels": [8, 8]}), input_shape=features().input_shape, n_classes=5
    )
    assert f"{n_parameters(network):,} parameters for 5 outputs" in text
    of_a_paper = describe(BaselineGenotype("cnn_lstm")).paragraph
    assert "after Satt, Rozenberg, Hoory 2017" in of_a_paper
    assert "Set for it" not in of_a_paper


def test_an_unknown_hand_made_system_is_an_error() -> None:
    with pytest.raises(SettingsError, match="unknown baseline 'nothing_like_it'"):
        describe(BaselineGenotype("nothing_like_it"))
