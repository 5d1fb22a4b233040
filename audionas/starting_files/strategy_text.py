"""The starting file of a strategy, made of the algorithm's own signature: every setting with default and range."""

from __future__ import annotations

import json
import math
from textwrap import wrap
from typing import Any

from audionas import shipped
from audionas.errors import SettingsError, unknown
from audionas.search.algorithms import ALGORITHMS, setting_defaults
from audionas.search.setting_ranges import RANGES
from audionas.search.setting_texts import setting_texts
from audionas.search.strategy import Budget

_WIDTH = 36  # where comments begin


def strategy_text(name: str, algorithm: str) -> str:
    """The text of a strategy of an algorithm, with the budget of the shipped one.

    Raises:
        SettingsError: there is no such algorithm.
    """
    if algorithm not in ALGORITHMS:
        raise SettingsError(f"--algorithm: {unknown('algorithm', algorithm, ALGORITHMS)}")
    like = _shipped(algorithm)
    lines = [
        f"# {name}: say here what it is for.",
        f"# {algorithm}: {ALGORITHMS[algorithm].summary}.",
        f"# Run: audionas search my_folder --strategy {name}.yaml",
        "# All keys: strategies/README.md. For an editor: audionas schema strategy --out strategy.schema.json, and",
        "# then as the first line of this file: # yaml-language-server: $schema=strategy.schema.json",
        f"# For spaces of kind {', '.join(ALGORITHMS[algorithm].spaces)}.",
        f"algorithm: {algorithm}",
        _line("batch_size: 16", "clips of a step"),
        *_parts(algorithm, like),
        *_settings(algorithm, like),
        *_evaluation(algorithm, like),
        _line("class_weighting: balanced", "or none, or sampler"),
        *_recipe(algorithm),
        *_budget(algorithm, like),
    ]
    return "\n".join(lines) + "\n"


def _shipped(algorithm: str) -> dict[str, Any]:
    """The settings of the first shipped strategy of the same algorithm."""
    found = (shipped.read("strategies", name)[1] for name in shipped.names("strategies"))
    return next(settings for settings in found if settings["algorithm"] == algorithm)


def _parts(algorithm: str, like: dict[str, Any]) -> list[str]:
    told = "Shares of the clips searched on, whole groups"
    more = "; monitor: auto from 8 groups on" if ALGORITHMS[algorithm].kind == "one-shot" else ""
    return [f"# {told}{more}.", f"parts: {_flow(like['parts'])}"]


def _settings(algorithm: str, like: dict[str, Any]) -> list[str]:
    """Every setting below a comment with its meaning, default and range."""
    defaults, texts = setting_defaults(algorithm), setting_texts(algorithm)
    if not defaults:
        return ["# The algorithm has no settings."]
    lines, given = ["# Left out, each has its default.", "settings:"], like.get("settings") or {}
    for key, default in defaults.items():
        range_words = RANGES.get(key, (-math.inf, math.inf, ""))[2]
        told = f"default {_flow(default)}" + (f", {range_words}" if range_words else "")
        meaning = texts.get(key, "").rstrip(".")
        comment = f"{meaning[:1].upper()}{meaning[1:]} ({told})." if meaning else f"{told[:1].upper()}{told[1:]}."
        lines += wrap(comment, 116, initial_indent="  # ", subsequent_indent="  #   ")
        lines.append(f"  {key}: {_flow(given.get(key, default))}")
    return lines


def _evaluation(algorithm: str, like: dict[str, Any]) -> list[str]:
    if ALGORITHMS[algorithm].kind == "one-shot":
        if evolves(algorithm):
            return []
        return ["# alpha_reach: 3.0  # on small corpora: raises arc_learning_rate until steps x rate reaches it"]
    return [
        "# What decides between trials: balanced_loss, loss or ua.",
        f"objective: {like.get('objective', 'balanced_loss')}",
        "# So many of the best trials are trained anew before the winner is named; 0: off.",
        f"retest: {like.get('retest', 5)}",
        "# 2 or more: each trial is trained without one of so many grouped folds at a time.",
        "inner_folds: 0",
    ]


def evolves(algorithm: str) -> bool:
    """Whether alphas decide nothing, but an evolution or a controller does."""
    return "arc_learning_rate" not in setting_defaults(algorithm)


def _recipe(algorithm: str) -> list[str]:
    more = "" if ALGORITHMS[algorithm].kind == "one-shot" else ", drop_path: 0.0"
    return [
        "# How weights are trained; left out, as the space's kind has it (SGD for CNN cells, Adam for recurrent ones).",
        f"# recipe: {{optimiser: sgd, learning_rate: 0.025, min_learning_rate: 0.001, weight_decay: 3.0e-4{more}}}",
        "# augment: speech  # copies of training clips: a name or a YAML file (extra augment)",
    ]


def _budget(algorithm: str, like: dict[str, Any]) -> list[str]:
    given = {**Budget().model_dump(), **(like.get("budget") or {})}
    if ALGORITHMS[algorithm].kind == "one-shot":
        return [_line(f"budget: {{epochs: {given['epochs']}}}", "of the supernet")]
    return [_line(f"budget: {{trials: {given['trials']}, epochs: {given['epochs']}}}", "epochs of each trial")]


def _line(text: str, comment: str) -> str:
    return f"{text.ljust(_WIDTH)}  # {comment}"


def _flow(value: Any) -> str:
    """A value as YAML on one line; a number with an exponent has a dot, or YAML reads text."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, float):
        text = repr(value)
        return text.replace("e", ".0e") if "e" in text and "." not in text else text
    return value if isinstance(value, str) else json.dumps(value)
