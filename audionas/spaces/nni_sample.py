"""Samples as NNI gives them: label of a decision -> the option that was taken, all text, as one JSON object.

They are what NNI's strategies propose and freeze a model space to, and what `trials.jsonl` keeps of each trial. A
sample alone is no genotype: it is one within the space that its labels are of.
"""

from __future__ import annotations

from typing import Any

from audionas.errors import GenotypeError, unknown
from audionas.spaces import Genotype, SearchSpace

SHOWN = 80


def to_nni_sample(genotype: Genotype, space: SearchSpace) -> dict[str, str]:
    """The sample of a space whose genotype this is, up to isomorphism.

    Raises:
        GenotypeError: the space does not contain it.
    """
    return dict(space.sample(genotype))  # type: ignore[arg-type]


def from_nni_sample(document: Any, space: SearchSpace, where: str = "sample") -> Genotype:
    """The genotype of a sample.

    Raises:
        GenotypeError: with all faults: no JSON object of texts, a label that the space has not or that is missing, or
            an option that is none of the label's.
    """
    if not isinstance(document, dict):
        raise GenotypeError(
            f"{where}: not a sample: expected an object of label: option, got {type(document).__name__}"
        )
    faults = sample_faults(document, space)
    if faults:
        raise GenotypeError(f"{where}: not a sample of space {space.name!r}: {'; '.join(faults)}")
    return space.genotype(document)


def sample_faults(document: dict[str, Any], space: SearchSpace) -> list[str]:
    """Everything that is wrong with a sample."""
    choices = space.choices()
    faults = [unknown("decision", _short(label), choices) for label in document if label not in choices]
    missing = [label for label in choices if label not in document]
    if missing:
        faults.append(f"no option for {', '.join(missing)}")
    for label, option in document.items():
        if label in choices and option not in choices[label]:
            faults.append(f"{label}: got {_short(option)!r}; accepted: {', '.join(choices[label])}")
    return faults


def is_sample_document(value: Any) -> bool:
    """Whether a JSON document looks like a sample: an object of texts alone.

    >>> is_sample_document({"normal_n0_in": "0+1"}), is_sample_document({"kind": "cnn_cell", "cells": {}})
    (True, False)
    """
    return isinstance(value, dict) and bool(value) and all(isinstance(option, str) for option in value.values())


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
