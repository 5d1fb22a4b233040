"""The schema of a strategy's YAML: the settings of each algorithm with types, defaults and ranges."""

from __future__ import annotations

import math
from typing import Any

from audionas.augmentations import WaveformAugmentation
from audionas.search.algorithms import ALGORITHMS, setting_defaults
from audionas.search.proxies import PROXIES
from audionas.search.setting_ranges import RANGES
from audionas.search.setting_texts import setting_texts
from audionas.search.strategy import PARTS, Strategy
from audionas.search.warm_start import COLD
from audionas.yaml_schemas.augmentation_schema import augmentation_schema
from audionas.yaml_schemas.record_schema import DIALECT, JsonObject, case_of, record_schema

_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string"}


def strategy_schema() -> JsonObject:
    """A file of a strategy: `algorithm` says which settings and parts there are."""
    schema, inside = record_schema(Strategy)
    properties = schema["properties"]
    told = "; ".join(f"{name}: {algorithm.summary}" for name, algorithm in ALGORITHMS.items())
    properties["algorithm"] = {"enum": list(ALGORITHMS), "description": told}
    properties["inner_folds"]["not"] = {"const": 1}
    augmentation = augmentation_schema()
    inside[WaveformAugmentation.__name__] = {key: value for key, value in augmentation.items() if key != "$defs"}
    inside[WaveformAugmentation.__name__].pop("$schema")
    properties["augment"]["anyOf"].append({"type": "string"})
    inside["WarmStart"]["properties"]["proxy"] = {"enum": [*PROXIES, "auto"], "default": "synflow"}
    title = "Search strategy of audionas"
    cases = [case_of("algorithm", name, {"properties": _properties(name)}) for name in ALGORITHMS]
    return {"$schema": DIALECT, "title": title, **schema, "allOf": cases, "$defs": inside}


def _properties(algorithm: str) -> JsonObject:
    """What the keys of a strategy may hold under an algorithm."""
    defaults, texts = setting_defaults(algorithm), setting_texts(algorithm)
    settings = {key: _setting(key, value, texts.get(key, "")) for key, value in defaults.items()}
    found: JsonObject = {
        "settings": {"type": "object", "properties": settings, "additionalProperties": False},
        "parts": _parts(ALGORITHMS[algorithm].kind),
    }
    if ALGORITHMS[algorithm].kind == "one-shot":
        found |= {"inner_folds": {"const": 0}, "warm_start": {"type": "null"}}
    else:
        found |= {"cost_weight": {"type": "null"}}
    return found | ({"warm_start": {"type": "null"}} if algorithm in COLD else {})


def _setting(key: str, default: Any, text: str) -> JsonObject:
    low, high, _ = RANGES.get(key, (-math.inf, math.inf, ""))
    bounds = {name: bound for name, bound in (("minimum", low), ("maximum", high)) if math.isfinite(bound)}
    is_number = type(default) in (int, float)
    told = {"description": text} if text else {}
    return {"type": _TYPES[type(default)], "default": default, **told, **(bounds if is_number else {})}


def _parts(kind: str) -> JsonObject:
    """Shares of the search clips: the first two parts need some, the third may be left out."""
    first, second, third = PARTS[kind]
    share, some = (
        {"type": "number", "minimum": 0, "maximum": 1},
        {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
    )
    learned = {"anyOf": [some, {"const": "dev"}]} if kind == "one-shot" else some
    names = {first: some, second: learned, third: {"anyOf": [share, {"const": "auto"}]}}
    return {"type": "object", "properties": names, "required": [first, second], "additionalProperties": False}
