"""A recurrent genotype on the page: its recipe drawn and in words, and what stands around it."""

from __future__ import annotations

from collections.abc import Mapping

from audionas.quantities import count_text
from audionas.records import validate
from audionas.report.blocks import Block, Facts, Gallery, Notes, Pictures
from audionas.report.parameter_counts import Parts, parts_text
from audionas.report.quantities import plain
from audionas.report.recipes import MOST_DRAWN, draw_recipe, recipe_in_words
from audionas.spaces import RecurrentGenotype, RecurrentMacro

RECIPE_CAPTION = (
    "x is the frame, h_prev_i a hidden state after the frame before, h_new_i the same state after this one. An arrow "
    "has the colour of what it comes from; lines that cross without a dot do not touch. g, a, b: the order of a "
    "blend's inputs."
)
POOLINGS = {
    "attention": "attention over frames",
    "attention_query": "attention over frames with one learned query",
    "mean": "mean over frames",
    "max": "maximum over frames",
    "last": "the last frame",
    "statistics": "mean and standard deviation over frames",
}


def recurrent_genotype(document: Mapping[str, object]) -> RecurrentGenotype | None:
    """The genotype of a genotype file's document, or None if it is of another kind.

    Raises:
        GenotypeError: its recipe is damaged.
        SettingsError: its macro values are.
    """
    recipe = document.get("recipe")
    if not isinstance(recipe, Mapping):
        return None
    macro = validate(RecurrentMacro, document.get("macro") or {}, "genotype.json: macro")
    return RecurrentGenotype.from_recipe(recipe, "genotype.json").within(macro, str(document.get("space") or ""))


def recipe_blocks(
    pictures: Pictures, where: str, genotype: RecurrentGenotype, parts: Parts, chosen: str = ""
) -> list[Block]:
    """The picture of a recipe with its nodes in words, and the facts below it.

    Args:
        where: ends the picture's title.
        chosen: what the catalogue calls the recipe.
    """
    words = tuple(recipe_in_words(genotype.to_recipe()))
    facts = Facts(tuple(recipe_facts(genotype, parts, chosen)))
    title = f"Recurrent cell{where}"
    if len(genotype.nodes) > MOST_DRAWN:
        return [Notes((f"{title}: {len(genotype.nodes)} nodes, too many to draw.", *words)), facts]
    return [Gallery((pictures.make(title, draw_recipe(genotype), lines=words),)), facts]


def recipe_facts(genotype: RecurrentGenotype, parts: Parts, chosen: str = "") -> list[tuple[str, str]]:
    """What a recurrent network is beside its recipe, as names and values."""
    macro = genotype.macro
    states = count_text(genotype.n_states, "hidden state")
    rows = [
        ("recipe", f"{count_text(len(genotype.nodes), 'node')}, {states}"),
        ("recurrent layers", f"{macro.n_layers}, {macro.hidden} units wide"),
        ("directions", "both, forward and backward" if macro.bidirectional else "forward only"),
        ("a layer gives on", "h_new_0" if macro.emit == "h0" else "h_new_0 and h_new_1 side by side"),
        ("pooling", POOLINGS.get(macro.pooling, macro.pooling)),
        ("parameters", parts_text(parts)),
    ]
    if chosen:
        rows.insert(1, ("recipe of the catalogue", chosen))
    if macro.drop_connect:
        rows.append(("DropConnect", plain(macro.drop_connect)))
    if macro.channels != "stack":
        rows.append(("channels of a frame", "learned average (layers of an encoder)"))
    return [*rows, ("genotype", genotype.hash[:12])]
