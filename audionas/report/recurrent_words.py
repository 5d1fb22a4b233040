"""A recurrent network as one would tell a colleague: layers, states, which gates it has, what it remembers."""

from __future__ import annotations

from collections.abc import Mapping

from audionas.features import Extractor
from audionas.features.physical_units import frame_step_ms, frames_ms
from audionas.models.recurrent_context import NOTHING, frames_back
from audionas.quantities import count_text, ms_text
from audionas.report.op_words import counted_ops, in_words
from audionas.spaces import RecurrentGenotype
from audionas.spaces.recipe_node import OUTPUT, STATE, RecipeNode
from audionas.spaces.reference_recipes import REFERENCE_RECIPES, reference_recipe

_KNOWN = {
    "rnn": "a plain tanh cell (Elman)",
    "gru": "the GRU",
    "gru_reset_after": "the GRU as torch computes it",
    "lstm": "the LSTM",
    "lstm_nbnlp": "the LSTM with a tanh output gate, as in NAS-Bench-NLP",
}
_POOLINGS = {
    "attention": "The sum of the frames weighted by attention",
    "attention_query": "The sum of the frames weighted by attention with one learned query",
    "mean": "The mean over the frames",
    "max": "The maximum over the frames",
    "last": "The last frame",
    "statistics": "Mean and standard deviation over the frames",
}
_SIGMOID, _PRODUCT, _SUM, _BLEND = "activation_sigm", "elementwise_prod", "elementwise_sum", "blend"


def recurrent_sentences(genotype: RecurrentGenotype, extractor: Extractor | None) -> list[str]:
    """Everything but the costs, in the order in which one asks."""
    macro = genotype.macro
    direction = "in both directions" if macro.bidirectional else "forwards"
    states = count_text(genotype.n_states, "hidden state")
    nodes = count_text(len(genotype.nodes), "node")
    return [
        f"A recurrent network: {count_text(macro.n_layers, 'layer')} of {macro.hidden} units that "
        f"{'runs' if macro.n_layers == 1 else 'run'} {direction}.",
        f"Its cell has {states} and {nodes}: {counted_ops(node.op for node in genotype.nodes)}.",
        *gate_sentences(genotype),
        *_memory(genotype, extractor),
        *_emitted(genotype),
        f"{_POOLINGS[macro.pooling]} {'go' if macro.pooling == 'statistics' else 'goes'} to {_head(genotype)}.",
    ]


def gate_sentences(genotype: RecurrentGenotype) -> list[str]:
    """Whether the cell is a well-known one; else its gates, each kind told by what it is and not by its name.

    A gated product has a sigmoid among its factors; a blend g a + (1 - g) b is gated where g is a sigmoid. Nodes that
    no output needs are left out.
    """
    known = [name for name in REFERENCE_RECIPES if reference_recipe(name).recipe_hash == genotype.recipe_hash]
    if known:
        return [f"It is {_KNOWN[known[0]]}."]
    nodes = _needed(genotype)
    sentences = [*_products(nodes), *_blends(nodes)]
    return sentences or ["It has no gate: no product and no blend."]


def _needed(genotype: RecurrentGenotype) -> dict[str, RecipeNode]:
    """The nodes that an output depends on."""
    needed: dict[str, RecipeNode] = {}
    wanted = {node.name for node in genotype.nodes if OUTPUT.fullmatch(node.name)}
    for node in reversed(genotype.nodes):  # in topological order
        if node.name in wanted:
            needed[node.name] = node
            wanted.update(node.inputs)
    return dict(reversed(needed.items()))


def _products(nodes: Mapping[str, RecipeNode]) -> list[str]:
    products = [node for node in nodes.values() if node.op == _PRODUCT]
    if not products:
        return []
    gated = [node for node in products if any(_is_sigmoid(source, nodes) for source in node.inputs)]
    count = f"It has {in_words(len(products), 'product')}"
    if not gated:
        return [f"{count} of which no factor is a sigmoid: values are multiplied, nothing is gated."]
    sentences = [f"{count}, {_share(len(gated), len(products))}gated by a sigmoid."]
    states = (source for node in gated for source in node.inputs if STATE.fullmatch(source))
    for state in dict.fromkeys(states):
        own = [node.name for node in gated if state in node.inputs]
        new = nodes.get(state.replace("prev", "new"))
        adds = new is not None and new.op == _SUM and any(name in new.inputs for name in own)
        ending = f" and is a term of the sum {new.name}, LSTM-like" if adds and new is not None else ""
        sentences.append(f"A gated product scales the old state {state}{ending}.")
    return sentences


def _blends(nodes: Mapping[str, RecipeNode]) -> list[str]:
    blends = [node for node in nodes.values() if node.op == _BLEND]
    if not blends:
        return []
    gated = [node for node in blends if _is_sigmoid(node.inputs[0], nodes)]
    count = f"It has {in_words(len(blends), 'blend')}"
    if not gated:
        return [f"{count}, by a share that no sigmoid keeps between 0 and 1."]
    updates = [
        f"The new state {node.name} is a gated blend of the old state {state} with another value, GRU-like."
        for node in gated
        for state in dict.fromkeys(node.inputs[1:])
        if STATE.fullmatch(state) and node.name == state.replace("prev", "new")
    ]
    return [f"{count}, {_share(len(gated), len(blends))}gated by a sigmoid.", *updates]


def _is_sigmoid(source: str, nodes: Mapping[str, RecipeNode]) -> bool:
    return source in nodes and nodes[source].op == _SIGMOID


def _share(n_found: int, n_all: int) -> str:
    if n_found < n_all:
        return f"{n_found} of them "
    return "all " if n_all > 1 else ""


def _memory(genotype: RecurrentGenotype, extractor: Extractor | None) -> list[str]:
    back, macro = frames_back(genotype), genotype.macro
    step = None if extractor is None else frame_step_ms(extractor)
    every = f" It reads a frame every {ms_text(step)}." if step is not None else ""
    if back == NOTHING:
        return [f"What it gives at a frame does not depend on the input.{every}"]
    if back is None:
        what = "the whole clip" if macro.bidirectional else "that frame and all frames before it"
        return [f"What it gives at a frame can depend on {what}.{every}"]
    window = ""
    if extractor is not None and not macro.bidirectional:
        ms = frames_ms(extractor, 0, min(back, extractor.input_shape[2] - 1))
        window = f", {ms_text(ms)} of audio" if ms is not None else ""
    beside = f"the {count_text(back, 'frame')} before it" if back else ""
    if macro.bidirectional and back:
        beside = f"the {count_text(back, 'frame')} on either side of it"
    what = f"that frame and {beside}" if back else "that frame alone: it has no memory"
    return [f"What it gives at a frame can depend on {what}{window}.{every}"]


def _emitted(genotype: RecurrentGenotype) -> list[str]:
    if genotype.macro.emit == "h0":
        return []
    return ["A layer gives on both hidden states, h_new_0 and h_new_1, side by side."]


def _head(genotype: RecurrentGenotype) -> str:
    macro = genotype.macro
    width = macro.hidden * (2 if macro.bidirectional else 1) * (2 if macro.emit == "h0+h1" else 1)
    width *= 2 if macro.pooling == "statistics" else 1
    return "one linear layer" if width == macro.hidden else f"two linear layers, {macro.hidden} units between them"
