"""How sure a retrained score is, in words: interval, p against chance, and why no claim about speakers is possible.

Runs of before these were computed have none of it; every text is then empty or `not computed`.
"""

from __future__ import annotations

from audionas.quantities import p_text
from audionas.report.quantities import interval_text
from audionas.report.run_files import JsonObject
from audionas.statistics.chance import NOT_ABOVE
from audionas.training.measures import Measure

NOT_COMPUTED = "not computed"


def is_above_chance(scores: JsonObject) -> bool:
    """Whether nothing says that it is not."""
    return scores.get("verdict") != NOT_ABOVE


def chance_text(scores: JsonObject) -> str:
    """The p against chance.

    >>> chance_text({"chance": {"p": 0.312}}), chance_text({})
    ('0.31', 'not computed')
    """
    return p_text(scores["chance"]["p"]) if scores.get("chance") else NOT_COMPUTED


def interval_words(scores: JsonObject, main: str = "ua") -> str:
    """The interval of the main score (its key) for a sentence, with a separator after it; empty where there is none."""
    bounds = scores.get(f"{main}_interval")
    return f"95 % interval {interval_text(bounds)}; " if bounds else ""


def claim_sentences(scores: JsonObject) -> list[str]:
    """Why no claim about speakers is possible, as a sentence, where there is a reason."""
    return [_sentence(str(scores["claim"]))] if scores.get("claim") else []


def evidence_note(scores: JsonObject, main: Measure, second: Measure) -> str:
    """What the interval and the p are, for the foot of a table."""
    if not scores.get("chance"):
        return ""
    found = scores["chance"]
    return (
        f"{_sentence(str(scores.get('interval', '')))} p: {main.name} against chance, {found['how']}, "
        f"{found['permutations']:,} permutations; above 0.05 the score is not above chance, whatever {second.name} is."
    )


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
