"""What to say when a genotype is retrained with other features than its search had."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audionas.features import EXTRACTORS, PRESETS, Extractor, extractor_from_settings, load_features

_FITTED = "auto"


def features_change(searched: Mapping[str, Any] | None, retrained: Mapping[str, Any], name: str) -> str | None:
    """A warning where the settings of a search are not those of the features `name`; else None.

    Both settings are resolved; what a corpus fits (rate, length, hop) may differ between splits and is not compared.
    """
    if searched is None:
        return None
    settings = load_features(name).settings()
    searched = {**_defaults(searched), **searched}  # an older audionas says nothing of settings that came since
    changed = [key for key in _given(settings) if searched.get(key) != retrained[key]]
    if not changed:
        return None
    if searched.get("extractor") != retrained["extractor"]:
        changed = []
    before = _described(searched, changed)
    after = f"{name}{_values(retrained, changed)}"
    return f"searched on {before}, retrained on {after}: the genotype was chosen for other features"


def _defaults(searched: Mapping[str, Any]) -> dict[str, Any]:
    extractor = EXTRACTORS.get(str(searched.get("extractor")))
    fields = extractor.model_fields if extractor else {}
    return {key: field.default for key, field in fields.items() if not field.is_required()}


def _described(searched: Mapping[str, Any], changed: list[str]) -> str:
    """The preset whose settings these are, else the extractor's name; with the settings that changed."""
    name = next((name for name, preset in PRESETS.items() if _is_of(searched, preset)), None)
    return f"{name or searched.get('extractor')}{_values(searched, changed)}"


def _is_of(searched: Mapping[str, Any], preset: Mapping[str, Any]) -> bool:
    asked: Extractor = extractor_from_settings(dict(preset), "features")
    settings = asked.settings()
    return all(searched.get(key) == settings[key] for key in _given(settings))


def _given(settings: Mapping[str, Any]) -> list[str]:
    """The settings that no corpus fits; the hop is fitted where a clip of any length has so many frames."""
    fits_hop = settings["length_s"] == _FITTED and settings.get("frames") and settings.get("frames_by") == "length"
    return [key for key, value in settings.items() if value != _FITTED and not (key == "hop_ms" and fits_hop)]


def _values(settings: Mapping[str, Any], keys: list[str]) -> str:
    given = [f"{key} {settings[key]}" for key in keys if settings.get(key) is not None]
    return f" ({', '.join(given)})" if given else ""
