"""What the search space says of trials: the genotype of the best so far, and how a catalogue's recipes did on text."""

from __future__ import annotations

from collections.abc import Mapping

from audionas.errors import AudionasError
from audionas.report.run_files import JsonObject, SearchRun
from audionas.report.trials import best_first, trial_lines
from audionas.spaces import RecurrentCatalogueSpace, SearchSpace, space_from_settings
from audionas.spaces.genotype_file import genotype_document


def best_so_far(search: SearchRun) -> tuple[int, JsonObject] | None:
    """Number (from 1) and genotype document of the best trial as yet; None without one or without a known space."""
    space = search_space(search)
    lines = best_first(trial_lines(search.trials), search.objective)
    if space is None or not lines or lines[0].value(search.objective) is None:
        return None
    sample = next(
        event["sample"]
        for event in search.trials
        if event.get("event") == "proposed" and event["number"] == lines[0].number
    )
    try:
        return lines[0].shown, genotype_document(space.genotype(sample))
    except (AudionasError, KeyError):  # a sample of another space: the page does without
        return None


def text_losses(search: SearchRun) -> dict[str, float]:
    """Of a catalogue with published losses: each recipe's loss as a language model, best first."""
    space = search_space(search)
    if not isinstance(space, RecurrentCatalogueSpace):
        return {}
    losses = {name: loss for name, loss in space.text_losses().items() if loss is not None}
    return dict(sorted(losses.items(), key=lambda pair: pair[1]))


def text_loss_text(recipe: str, losses: Mapping[str, float]) -> str:
    """A recipe's loss on text with its rank among those that have one, or nothing.

    >>> text_loss_text("r7", {"r3": 4.9, "r7": 5.25}), text_loss_text("r8", {"r3": 4.9})
    ('5.250 (rank 2 of 2)', '')
    """
    if recipe not in losses:
        return ""
    return f"{losses[recipe]:.3f} (rank {list(losses).index(recipe) + 1} of {len(losses)})"


def chosen_recipe(search: SearchRun, genotype_hash: str) -> str:
    """What the catalogue calls a genotype, with its loss on text; empty if no trial was of it."""
    lines = [line for line in trial_lines(search.trials) if line.recipe and line.genotype_hash == genotype_hash]
    if not lines:
        return ""
    text = text_loss_text(lines[0].recipe, text_losses(search)).removesuffix(")")
    return f"{lines[0].recipe}, loss on text {text} recipes that have one)" if text else lines[0].recipe


def chosen_settings(search: SearchRun) -> dict[int, str]:
    """Of a search over settings of a hand-made system: what each trial chose, by its number."""
    if search.space.get("kind") != "baseline":
        return {}
    proposed = [event for event in search.trials if event.get("event") == "proposed"]
    return {
        event["number"]: ", ".join(f"{key} {value}" for key, value in (event.get("sample") or {}).items())
        for event in proposed
    }


def search_space(search: SearchRun) -> SearchSpace | None:
    """The space of a search, if its settings are there and this version reads them."""
    try:
        return space_from_settings(search.space, str(search.run.get("space", "space")), "space.yaml")
    except AudionasError:
        return None
