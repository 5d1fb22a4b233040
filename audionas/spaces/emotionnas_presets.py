"""EmotionNAS's wav2vec branch (Sun et al. 2022, Table 4): three recurrent cells that have its published sizes.

The paper gives 0.36M parameters at (L=1, h=128) and 2.23M at (L=2, h=256), and no cell. With nx inputs from x, nh
from nodes of hidden size and b linear nodes, a cell of input width i has nx i h + nh h^2 + b h parameters; with
D = 512, 4 classes and attention weights not counted, few (nx, nh, b) give both sizes. These are three of them, one
for each way to run a cell. The wiring is ours: two states, and the rules of the NAS-Bench-NLP generator.
"""

from __future__ import annotations

from typing import Any

from audionas.errors import SettingsError, unknown
from audionas.spaces.recurrent_genotype import RecurrentGenotype, RecurrentMacro

Recipe = dict[str, dict[str, Any]]


def _node(op: str, *inputs: str) -> dict[str, Any]:
    return {"op": op, "input": list(inputs)}


_READS_ALL = ("x", "h_prev_0", "h_prev_1")

_BIDIRECTIONAL: Recipe = {  # nx 1, nh 6, b 3; head 2h -> h -> 4
    "candidate": _node("linear", *_READS_ALL),
    "candidate_act": _node("activation_tanh", "candidate"),
    "gate": _node("linear", "candidate_act", "h_prev_0"),
    "gate_act": _node("activation_sigm", "gate"),
    "mixed": _node("linear", "candidate_act", "h_prev_1"),
    "mixed_act": _node("activation_tanh", "mixed"),
    "h_new_0": _node("blend", "gate_act", "candidate_act", "mixed_act"),
    "h_new_1": _node("elementwise_sum", "h_new_0", "mixed_act"),
}

_TWO_GATES: Recipe = {
    "candidate": _node("linear", *_READS_ALL),
    "candidate_act": _node("activation_tanh", "candidate"),
    "gate": _node("linear", *_READS_ALL),
    "gate_act": _node("activation_sigm", "gate"),
    "upper": _node("linear", "candidate_act", "gate_act", "h_prev_0"),
    "upper_act": _node("activation_tanh", "upper"),
    "lower": _node("linear", "candidate_act", "gate_act", "h_prev_1"),
    "lower_act": _node("activation_tanh", "lower"),
    "joined": _node("linear", "upper_act", "lower_act"),
}

_UNIDIRECTIONAL: Recipe = {  # nx 2, nh 14, b 6; head h -> 4
    **_TWO_GATES,
    "joined_act": _node("activation_sigm", "joined"),
    "last": _node("linear", "gate_act", "joined_act"),
    "h_new_0": _node("activation_tanh", "last"),
    "h_new_1": _node("blend", "joined_act", "upper_act", "lower_act"),
}

_BOTH_STATES: Recipe = {  # nx 2, nh 12, b 5; both states passed on, head 2h -> h -> 4
    **_TWO_GATES,
    "h_new_0": _node("activation_tanh", "joined"),
    "h_new_1": _node("blend", "gate_act", "upper_act", "lower_act"),
}

_TABLE_4_BEST = RecurrentMacro(n_layers=2, hidden=256)

EMOTIONNAS_PRESETS: dict[str, RecurrentGenotype] = {
    "bidirectional": RecurrentGenotype.from_recipe(_BIDIRECTIONAL).within(_TABLE_4_BEST, "emotionnas"),
    "unidirectional": RecurrentGenotype.from_recipe(_UNIDIRECTIONAL).within(
        _TABLE_4_BEST.model_copy(update={"bidirectional": False}), "emotionnas"
    ),
    "unidirectional_both_states": RecurrentGenotype.from_recipe(_BOTH_STATES).within(
        _TABLE_4_BEST.model_copy(update={"bidirectional": False, "emit": "h0+h1"}), "emotionnas"
    ),
}


def emotionnas_preset(name: str, n_layers: int = 2, hidden: int = 256) -> RecurrentGenotype:
    """A preset at a size of Table 4; by default the paper's best, L = 2 and h = 256.

    Raises:
        SettingsError: the name is unknown.
    """
    if name not in EMOTIONNAS_PRESETS:
        raise SettingsError(unknown("EmotionNAS preset", name, EMOTIONNAS_PRESETS))
    preset = EMOTIONNAS_PRESETS[name]
    return preset.within(preset.macro.model_copy(update={"n_layers": n_layers, "hidden": hidden}), preset.space)
