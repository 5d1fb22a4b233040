"""Verdict, margins, gap and skips of an epoch's record, and the sentences about them."""

from __future__ import annotations

from typing import Any

import pytest

from audionas.spaces.decision import decision_of, decision_sentence, decisions_sentence


def _epoch(normal: list[float], reduce: list[float], **more: Any) -> dict[str, Any]:
    edges = [["skip_connect", 0], ["sep_conv_3x3", 1]]
    scores = {"supernet_ua": 0.75, "network_ua": 0.5, "scored_on": "monitor"}
    genotype = {"normal": edges, "reduce": [["sep_conv_3x3", 0], ["sep_conv_3x3", 1]]}
    return {"epoch": 7, "margins": {"normal": normal, "reduce": reduce}, "genotype": genotype, **scores, **more}


@pytest.mark.parametrize(
    "normal,reduce,verdict,median",
    [
        ([0.01, 0.01], [0.019, 0.5], "undecided", 0.0145),
        ([0.01, 0.03], [0.01, 0.03], "decided", 0.02),
        ([0.3, 0.2], [0.0, 0.1], "decided", 0.15),
    ],
)
def test_a_search_is_undecided_when_the_median_margin_is_below_two_hundredths(
    normal: list[float], reduce: list[float], verdict: str, median: float
) -> None:
    found = decision_of(_epoch(normal, reduce))
    assert found["verdict"] == verdict
    assert found["margin_median"] == pytest.approx(median)
    assert found["margin_min"] == min(*normal, *reduce)


def test_the_gap_and_the_skips_are_those_of_the_epoch() -> None:
    found = decision_of(_epoch([0.1, 0.2], [0.3, 0.4]))
    assert found["epoch"] == 7
    assert found["discretisation_gap"] == pytest.approx(0.25)
    assert found["cells"]["normal"]["skips"] == 1
    assert found["cells"]["normal"]["skip_share"] == 0.5
    assert found["cells"]["reduce"]["skips"] == 0
    assert found["cells"]["reduce"]["margin_median"] == pytest.approx(0.35)
    assert decision_of(_epoch([0.1, 0.2], [0.3, 0.4], network_ua=None))["discretisation_gap"] is None


def test_an_undecided_search_is_told_in_one_sentence_with_what_to_do() -> None:
    sentence = decision_sentence(decision_of(_epoch([0.001, 0.001], [0.003, 0.003])))
    assert sentence.startswith("undecided: the kept operations were hardly preferred")
    for words in ("0.002", "below 0.02", "another seed may give another cell", "compare with random architectures"):
        assert words in sentence


def test_a_decided_search_without_restarts_says_what_is_not_known() -> None:
    sentence = decision_sentence(decision_of(_epoch([0.2, 0.2], [0.2, 0.2])))
    assert sentence.startswith("decided, by its margins")
    assert "not known without --restarts" in sentence


def test_firm_margins_do_not_hide_that_restarts_disagree() -> None:
    restarts = {"n": 3, "different_genotypes": 3, "agreement": 0.1, "agreement_by_chance": 0.12}
    sentence = decision_sentence({**decision_of(_epoch([0.2, 0.2], [0.2, 0.2])), "restarts": restarts})
    assert "3 restarts found 3 different genotypes, which share 10% of their edges (12% by chance)" in sentence
    assert sentence.endswith("no more than random genotypes")


def test_restarts_of_a_search_by_trials_have_no_verdict() -> None:
    restarts = {"n": 2, "different_genotypes": 1, "agreement": None}
    assert decision_sentence({"restarts": restarts}) == "restarts: 2 restarts found 1 different genotype"


def test_several_searches_are_counted() -> None:
    firm, weak = decision_of(_epoch([0.2] * 2, [0.2] * 2)), decision_of(_epoch([0.001] * 2, [0.001] * 2))
    sentence = decisions_sentence([firm, weak, weak])
    assert sentence.startswith("undecided: 2 of 3 searches (median margins to the runner-up 0.001 to 0.200)")
    assert "compare" not in decisions_sentence([firm, firm])
    restarts = {"n": 2, "different_genotypes": 2, "agreement": 0.25, "agreement_by_chance": 0.1}
    sentence = decisions_sentence(
        [{**firm, "restarts": restarts}, {**weak, "restarts": {**restarts, "agreement": 0.5}}]
    )
    assert sentence.endswith("restarts of a split share 25% to 50% of their edges (10% by chance)")
