"""When a result says nothing about speakers, and why."""

from __future__ import annotations

from dataclasses import replace

from audionas.statistics.claims import why_no_claim
from audionas.statistics.evidence import evidence
from audionas.statistics.system import System
from tests.statistics.systems import predictions, toy


def test_six_groups_allow_a_claim_and_five_do_not() -> None:
    assert why_no_claim(toy(n_groups=6)) is None
    assert why_no_claim(toy(n_groups=5)) == (
        "no claim about speakers is possible from 5 groups: it takes 6 (the smallest p of 5 is 0.0625)"
    )


def test_unknown_speakers_allow_none() -> None:
    found = why_no_claim(replace(toy(n_groups=20), are_groups_known=False))
    assert found == "no claim about speakers is possible: they are not known, each file is its own group"


def test_clips_that_are_their_own_groups_allow_none() -> None:
    truth = [0, 1] * 10
    system = System("x", (predictions(truth, [f"s{i}" for i in range(20)], truth, 2),))
    assert why_no_claim(system) == "no claim about speakers is possible: each clip is its own group"


def test_the_evidence_of_a_score_is_named_after_it() -> None:
    found = evidence(toy(n_groups=10, skill=0.6))
    assert set(found) == {"ua_interval", "interval", "n_groups", "chance", "verdict", "claim"}
    assert set(found["chance"]) == {"p", "permutations", "how"}
    assert (found["n_groups"], found["verdict"], found["claim"]) == (10, "above chance", None)
