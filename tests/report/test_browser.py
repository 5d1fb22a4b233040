"""The page in headless Chromium: opens fast, answers to mouse and keyboard, fits every screen, runs no foreign text."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from math import exp, hypot
from pathlib import Path
from typing import Any

import pytest

from audionas.experiment.report_page import report_page
from audionas.ops import CNN_OPS
from audionas.report import write_report
from audionas.spaces.genotype_file import load_genotype
from tests.report.browser import CHROMIUM, DRIVER, MISSING, Browser, browser
from tests.report.many_trials import write_many_trials
from tests.report.moving_runs import CHANGED_AT, write_hostile_run, write_moving_search
from tests.report.retraining_folders import write_retraining
from tests.report.run_folders import write_nested, write_search

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not (CHROMIUM and DRIVER), reason=MISSING)]


@pytest.fixture(scope="module")
def tab() -> Iterator[Browser]:
    with browser() as found:
        yield found


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of 1,000 trials."""
    run = write_many_trials(tmp_path_factory.mktemp("many") / "run")
    began = time.monotonic()
    page = write_report(run)
    assert time.monotonic() - began < 20, "audionas report itself"
    return page


@pytest.fixture(scope="module")
def moving(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a one-shot search whose genotype changed, with its retraining."""
    run = write_moving_search(tmp_path_factory.mktemp("moving") / "run")
    write_retraining(run / "retrained")
    return write_report(run)


@pytest.fixture(scope="module")
def nested(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = write_nested(tmp_path_factory.mktemp("nested") / "run")
    write_retraining(run / "retrained", splits=("1", "2", "3"))
    return write_report(run)


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("several")
    write_retraining(write_search(folder / "first") / "retrained")
    write_many_trials(folder / "second", 30)
    return report_page(folder / "first", [folder / "second", folder / "gone"])


@pytest.fixture(params=["many", "moving", "nested", "several"])
def page(request: pytest.FixtureRequest) -> Path:
    found: Path = request.getfixturevalue(request.param)
    return found


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
def test_every_page_fits_its_screen_and_the_console_is_silent(
    tab: Browser, page: Path, width: int, is_dark: bool
) -> None:
    tab.open(page, width=width, is_dark=is_dark)
    tab.open_folds()
    time.sleep(0.05)  # charts draw themselves when they come to be seen
    assert tab.run("return document.documentElement.scrollWidth <= innerWidth")
    outside = "return [...document.querySelectorAll('section')].filter((s) => s.scrollWidth > s.clientWidth + 1).length"
    assert tab.run(outside) == 0
    assert tab.console() == []
    assert tab.run("return performance.getEntriesByType('resource').length") == 0, "nothing is fetched"


def test_pictures_are_dark_where_the_page_is(tab: Browser, moving: Path) -> None:
    found = "return getComputedStyle(document.querySelector(arguments[0]))[arguments[1]]"
    for is_dark, turned, paper in (
        (False, "none", "rgb(245, 246, 248)"),
        (True, "invert(0.88) hue-rotate(180deg)", "rgb(20, 23, 27)"),
    ):
        tab.open(moving, is_dark=is_dark)
        assert tab.run(found, "figure .scroll", "filter") == turned
        assert tab.run(found, "body", "backgroundColor") == paper


def test_a_page_of_a_thousand_trials_is_small_and_opens_in_two_seconds(tab: Browser, many: Path) -> None:
    assert many.stat().st_size < 10e6
    began = time.monotonic()
    tab.open(many)  # comes back when the page is loaded, its script done
    assert tab.count(".dot") == 980
    assert time.monotonic() - began < 2


def _dot(tab: Browser, number: int) -> tuple[float, float]:
    """Where in the window a trial's dot is."""
    return tab.middle(f'[data-trial="{number}"]')


def _finished(page: Path) -> dict[int, dict[str, Any]]:
    """Scores of the trials by the number that people see."""
    events = map(json.loads, (page.parent / "trials.jsonl").read_text().splitlines())
    return {event["number"] + 1: event["score"] for event in events if event["event"] == "finished" and event["score"]}


def _lonely(tab: Browser) -> int:
    """A trial whose dot has no other within 30 px."""
    read = (
        "[...document.querySelectorAll('.dot')].map((d) => [+d.dataset.trial, d.cx.baseVal.value, d.cy.baseVal.value])"
    )
    dots = tab.run(f"return {read}")
    return next(
        number for number, x, y in dots
        if all(number == other or hypot(x - u, y - v) > 30 for other, u, v in dots)
    )  # fmt: skip


def test_the_mouse_over_a_dot_tells_its_trial(tab: Browser, many: Path) -> None:
    tab.open(many)
    number = _lonely(tab)
    score = _finished(many)[number]
    assert tab.run("return document.querySelector('.tip').hidden")
    tab.move(*_dot(tab, number))
    text = tab.run("return document.querySelector('.tip').innerText")
    event = json.loads((many.parent / "trials.jsonl").read_text().splitlines()[2 * number - 2])
    for words in (
        f"Trial {number}", f"UA: {score['ua']:.3f}", f"WA: {score['wa']:.3f}", f"parameters: {score['parameters']:,}",
        "latency (ms)", "trained: 5 epochs", event["hash"][:12],
    ):  # fmt: skip
        assert words in text, words
    tab.move(2, 2)
    assert tab.run("return document.querySelector('.tip').hidden")


def test_a_click_on_a_dot_shows_its_genotype_and_the_json_is_that_of_the_trial(
    tab: Browser, many: Path, tmp_path: Path
) -> None:
    tab.open(many)
    number = _lonely(tab)
    tab.click(*_dot(tab, number))
    assert tab.text(".which") == f"Trial {number}"
    (tmp_path / "genotype.json").write_text(tab.text(".json"))
    genotype = load_genotype(tmp_path / "genotype.json")
    event = json.loads((many.parent / "trials.jsonl").read_text().splitlines()[2 * number - 2])
    assert genotype.hash == event["hash"]
    drawn = [text for text in tab.texts(".chosen svg text") if text in {*CNN_OPS}]
    assert drawn == [op for op, _ in (*genotype.normal, *genotype.reduce)]
    assert tab.texts(".chosen figure h3") == ["Normal cell", "Reduction cell"]


def test_the_json_is_copied_at_a_click(tab: Browser, many: Path) -> None:
    tab.open(many)
    tab.click(*tab.middle(".chosen button"))
    time.sleep(0.1)
    assert tab.text(".chosen button") == "Copied"


def test_the_keyboard_goes_from_trial_to_trial_and_enter_shows_one(tab: Browser, many: Path) -> None:
    tab.open(many)
    before = tab.text(".which")
    tab.press(".plot", "ARROW_LEFT", "ARROW_LEFT", "ENTER")
    after = tab.text(".which")
    order = sorted(_finished(many).items(), key=lambda pair: (pair[1]["parameters"], -pair[1]["ua"]))
    numbers = [number for number, _ in order]
    assert numbers.index(int(before.split()[1])) - numbers.index(int(after.split()[1])) == 2
    assert tab.run("return document.querySelector('.tip').innerText").startswith(after)


@pytest.mark.parametrize("cost", ["parameters", "macs_per_second", "latency_ms", "memory_mb"])
def test_the_front_is_that_of_the_two_that_are_shown(tab: Browser, many: Path, cost: str) -> None:
    tab.open(many)
    menu = ".controls label:nth-of-type(2) select"
    words = {"macs_per_second": "MACs per second", "latency_ms": "latency", "memory_mb": "memory"}
    names = tab.texts(f"{menu} option")
    place = next(i for i, name in enumerate(names) if name.startswith(words.get(cost, cost)))
    tab.set(menu, place, "change")
    shown = tab.run("return [...document.querySelectorAll('.dot.best')].map((d) => +d.dataset.trial)")
    points = {
        number: ({**score["costs"], "parameters": score["parameters"]}[cost], round(score["ua"], 5))
        for number, score in _finished(many).items()
    }
    front = {
        n for n, (x, y) in points.items()
        if not any(u <= x and v >= y and (u, v) != (x, y) for u, v in points.values())
    }  # fmt: skip
    assert {points[n] for n in shown} == {points[n] for n in front}


def test_the_slider_shows_each_epoch_s_cells_and_weights_and_marks_where_they_changed(
    tab: Browser, moving: Path
) -> None:
    tab.open(moving)
    lines = [json.loads(line) for line in (moving.parent / "epochs.jsonl").read_text().splitlines()]
    marks = tab.run("return [...document.querySelectorAll('.marks i')].map((mark) => mark.title)")
    assert marks == [f"changed at epoch {epoch + 1}" for epoch in CHANGED_AT]
    for index in (0, CHANGED_AT[0], len(lines) - 1):
        tab.set("input[type=range]", index, "input")
        assert tab.text(".where").startswith(f"Epoch {index + 1} of 20")
        drawn = tab.texts(".explorer .gallery figure:first-child svg text")
        assert [text.split()[0] for text in drawn if " 0." in text] == [
            op for op, _ in lines[index]["genotype"]["normal"]
        ]
        powers = [exp(alpha) for alpha in lines[index]["alphas"]["normal"][0]]
        shown = [float(text) for text in tab.texts("figure:first-child > .sideways tbody tr:first-child td")]
        assert shown == pytest.approx([power / sum(powers) for power in powers], abs=0.0051)
        assert tab.count("figure:first-child > .sideways .kept") == 8
    x, y = tab.middle("input[type=range]")
    width = tab.run("return document.querySelector('input[type=range]').clientWidth")
    tab.click(x - width / 2 + 4, y)
    assert tab.text(".where").startswith("Epoch 1 of 20"), "also by the mouse"
    assert tab.console() == []


def test_without_scripts_the_still_pictures_stand_there(tab: Browser, many: Path, moving: Path) -> None:
    shown = "return [...document.querySelectorAll('.still')].map((s) => getComputedStyle(s).display)"
    tab.open(moving)
    assert tab.run(shown) == ["none"]
    tab.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        for page, words in ((many, "UA against parameters"), (moving, "Normal cell: weights after epoch 20")):
            tab.open(page)
            tab.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
            assert tab.run(shown) == ["block"]
            assert words in tab.run("return document.querySelector('.still').innerText")
            assert tab.count(".explorer svg") > 0
            tab.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    finally:
        tab.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_html_and_script_in_labels_names_and_notes_is_text(tab: Browser, tmp_path: Path) -> None:
    run = write_hostile_run(tmp_path / "run")
    write_report(run)
    tab.open(run / "report.html")
    tab.open_folds()
    for number in tab.run("return [...document.querySelectorAll('.dot')].map((d) => +d.dataset.trial)"):
        tab.click(*_dot(tab, number))
    assert tab.run("return window.pwned === undefined")
    assert tab.count("img, iframe, object, embed, marquee") == 0
    assert tab.count("script:not([type])") == 1
    text = tab.run("return document.body.innerText")
    for words in ("<img src=x onerror=pwned=1>", "</script><script>pwned=1</script>", "<marquee>note</marquee>"):
        assert words in text, words
    assert tab.console() == []
