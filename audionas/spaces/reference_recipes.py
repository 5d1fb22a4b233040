"""Recipes of well-known cells, by name.

Source: the NAS-Bench-NLP release for `rnn`, `gru` (reset gate before the product) and `lstm_nbnlp` (whose
output gate is a tanh); `lstm` and `gru_reset_after` compute what torch's LSTM and GRU compute.
"""

from __future__ import annotations

from typing import Any

from audionas.errors import SettingsError, unknown
from audionas.spaces.recurrent_genotype import RecurrentGenotype

Recipe = dict[str, dict[str, Any]]


def _node(op: str, *inputs: str) -> dict[str, Any]:
    return {"op": op, "input": list(inputs)}


def _gate(name: str, activation: str) -> Recipe:
    return {name: _node("linear", "x", "h_prev_0"), f"{name}_act": _node(f"activation_{activation}", name)}


def _lstm(output_gate: str) -> Recipe:
    return {
        **_gate("i", "tanh"),
        **_gate("j", "sigm"),
        **_gate("f", "sigm"),
        **_gate("o", output_gate),
        "kept": _node("elementwise_prod", "f_act", "h_prev_1"),
        "added": _node("elementwise_prod", "i_act", "j_act"),
        "h_new_1": _node("elementwise_sum", "kept", "added"),
        "h_new_1_act": _node("activation_tanh", "h_new_1"),
        "h_new_0": _node("elementwise_prod", "h_new_1_act", "o_act"),
    }


REFERENCE_RECIPES: dict[str, Recipe] = {
    "rnn": {"f": _node("linear", "x", "h_prev_0"), "h_new_0": _node("activation_tanh", "f")},
    "gru": {
        **_gate("r", "sigm"),
        **_gate("z", "sigm"),
        "rh": _node("elementwise_prod", "r_act", "h_prev_0"),
        "h_tilde": _node("linear", "x", "rh"),
        "h_tilde_act": _node("activation_tanh", "h_tilde"),
        "h_new_0": _node("blend", "z_act", "h_prev_0", "h_tilde_act"),
    },
    "gru_reset_after": {
        **_gate("r", "sigm"),
        **_gate("z", "sigm"),
        "nx": _node("linear", "x"),
        "nh": _node("linear", "h_prev_0"),
        "rnh": _node("elementwise_prod", "r_act", "nh"),
        "n": _node("elementwise_sum", "nx", "rnh"),
        "n_act": _node("activation_tanh", "n"),
        "h_new_0": _node("blend", "z_act", "h_prev_0", "n_act"),
    },
    "lstm": _lstm("sigm"),
    "lstm_nbnlp": _lstm("tanh"),
}


def reference_recipe(name: str) -> RecurrentGenotype:
    """The genotype of a reference recipe.

    Raises:
        SettingsError: the name is unknown.
    """
    if name not in REFERENCE_RECIPES:
        raise SettingsError(unknown("recipe", name, REFERENCE_RECIPES))
    return RecurrentGenotype.from_recipe(REFERENCE_RECIPES[name], name)
