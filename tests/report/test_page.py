"""The page as a whole: self-contained, safe with hostile labels, complete, and calm about what is missing."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pytest

from audionas.errors import AudionasError, RunError
from audionas.report import write_report
from tests.report.retraining_folders import write_retraining
from tests.report.run_folders import write_search

PageOf = Callable[[Path], str]
VOID = {"meta", "link", "br", "path", "use", "rect", "image", "circle"}


class _Page(HTMLParser):
    """Texts, tags, ids and addresses of a page; complains of a tag that is not closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: set[str] = set()
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href")]
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture(scope="module")
def whole_page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of a finished search with its retraining, pictures drawn."""
    run = write_search(tmp_path_factory.mktemp("whole") / "run")
    write_retraining(run / "retrained")
    return write_report(run).read_text(encoding="utf-8")


@pytest.mark.usefixtures("words_of")
def test_the_page_lies_in_the_run_or_where_asked(search_run: Path, tmp_path: Path) -> None:
    assert write_report(search_run) == search_run / "report.html"
    assert write_report(search_run, tmp_path / "else.html").read_text().startswith("<!DOCTYPE html>")


def test_the_page_needs_nothing_from_outside(whole_page: str) -> None:
    page = _Page(whole_page)
    assert all(address.startswith(("#", "data:")) for address in page.addresses)
    assert "default-src 'none'" in whole_page
    assert not page.tags & {"img", "iframe", "object"}
    assert not re.search(r"url\((?!#)|@import", whole_page)


def test_the_only_script_is_the_page_s_own_allowed_by_its_hash(
    whole_page: str, runs: SimpleNamespace, tmp_path: Path, words_of: PageOf
) -> None:
    (text,) = re.findall(r"<script>(.*?)</script>", whole_page, flags=re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src data:; script-src 'sha256-{digest}'"
    )
    assert f'content="{policy}"' in unescape(whole_page)
    assert set(re.findall(r"<script[^>]*>", whole_page)) == {"<script>", '<script type="application/json">'}
    bare = words_of(runs.retraining(tmp_path / "run"))
    assert "<script" not in bare, "a page on which nothing moves has none"
    assert "script-src" not in bare


def test_no_id_stands_twice_and_every_link_leads_somewhere(whole_page: str) -> None:
    page = _Page(whole_page)
    assert len(page.ids) == len(set(page.ids))
    assert {address[1:] for address in page.addresses if address.startswith("#")} <= set(page.ids)


def test_labels_with_html_are_shown_as_text(runs: SimpleNamespace, tmp_path: Path, page_of: PageOf) -> None:
    labels = ["<script>alert(1)</script>", '"quoted", a & b', "très fâché", "$x$"]
    run = runs.search(tmp_path / "run", labels=labels)
    runs.retraining(run / "retrained", labels=labels)
    html = page_of(run)
    page = _Page(html)
    assert "<script>alert" not in html
    for label in labels:
        assert label in page.texts


def test_every_part_of_a_whole_run_is_there(runs: SimpleNamespace, whole_page: str) -> None:
    page = _Page(whole_page)
    text = " ".join(" ".join(page.texts).split())
    for words in (
        "Normal cell", "Reduction cell", "Pooled scores", "Beside plain systems", "majority class", "duration only",
        "Recall of each class", "Confusion matrix", "Per fold", "Per seed", "Training loss", "Losses of the supernet",
        "UA during the search", "Entropy of the alphas", "weights over the epochs", "3.20 = steps × learning rate",
        "clips that the search used, so optimistic", "10 speakers", "4,321",
        "audionas search runs/emodb4 --exclude-fold 1 --seed 0 --out runs/first", "audionas retrain 'runs/my run'",
        "2.13.0", "class 'sadness' has no clips in the alphas part", "1 min 4 s", *runs.labels,
    ):  # fmt: skip
        assert words in text, words


@pytest.mark.parametrize("n_nodes, skips, alarms", [(4, 2, False), (4, 3, True), (2, 1, False), (2, 2, True)])
def test_skips_raise_an_alarm_above_a_quarter_of_the_normal_cell(
    runs: SimpleNamespace, tmp_path: Path, words_of: PageOf, n_nodes: int, skips: int, alarms: bool
) -> None:
    html = words_of(runs.search(tmp_path / "run", n_nodes=n_nodes, skips=skips))
    assert (f"{skips} skip connections among the {2 * n_nodes} edges of the normal cell" in html) == alarms


def test_the_headline_confusion_leaves_out_seen_folds(runs: SimpleNamespace, tmp_path: Path, page_of: PageOf) -> None:
    run = runs.search(tmp_path / "run")
    runs.retraining(run / "retrained", splits=("1", "2"), seen=("2",), skill=1.0)
    html = page_of(run)
    picture = html.split("<h3>Confusion matrix</h3>")[1].split("</svg>")[0]
    # 6 clips a class in the clean fold, three seeds, all right: 18 on the diagonal; both folds would give 36.
    assert picture.count(">18</text>") == 4
    assert ">36</text>" not in picture
    assert "summed over the headline&#39;s test folds and 3 seeds: every clip counts 3 times" in html


def test_a_running_search_shows_its_cells_as_not_final(runs: SimpleNamespace, tmp_path: Path, words_of: PageOf) -> None:
    run = runs.search(tmp_path / "run", status="running", n_epochs=3, has_genotype=False)
    html = words_of(run)
    assert "The cells as of epoch 3, not final" in html
    assert "is not finished (after 3 of 20 epochs)" in html


def test_a_search_that_has_just_begun_has_a_page(runs: SimpleNamespace, tmp_path: Path, words_of: PageOf) -> None:
    run = runs.search(tmp_path / "run", status="running", n_epochs=0, has_genotype=False)
    assert "after 0 of 20 epochs" in words_of(run)


def test_a_bare_run_record_is_enough(tmp_path: Path, words_of: PageOf) -> None:
    for kind in ("search", "nested_search", "retrain"):
        folder = tmp_path / kind
        folder.mkdir()
        (folder / "run.json").write_text(json.dumps({"kind": kind, "status": "running"}))
        assert "<h1>" in words_of(folder)


def test_a_nested_search_shows_the_cells_of_each_fold(runs: SimpleNamespace, tmp_path: Path, words_of: PageOf) -> None:
    run = runs.nested(tmp_path / "run")
    runs.retraining(run / "retrained", splits=("1", "2", "3"))
    html = words_of(run)
    for fold in "123":
        assert f"Normal cell, searched without fold {fold}" in html
        assert f"<summary>Split {fold}</summary>" in html
    _Page(html)


def test_a_multi_trial_search_shows_its_trials(runs: SimpleNamespace, tmp_path: Path, words_of: PageOf) -> None:
    html = words_of(runs.trials(tmp_path / "run"))
    assert "Trials by UA (12 done, 1 failed, 1 running)" in html
    assert "UA against parameters" in html
    assert "failed: loss is not finite at step 12" in html


def test_a_retraining_alone_draws_the_genotype_that_it_used(
    runs: SimpleNamespace, tmp_path: Path, words_of: PageOf
) -> None:
    search = runs.search(tmp_path / "search")
    genotypes = {"1": str(search / "genotype.json"), "2": str(search / "genotype.json")}
    html = words_of(runs.retraining(tmp_path / "run", splits=("1", "2"), genotypes=genotypes))
    assert html.count("<h3>Normal cell</h3>") == 1
    moved = words_of(runs.retraining(tmp_path / "moved", genotypes={"1": "/gone/genotype.json"}))
    assert "Normal cell" not in moved


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no such run folder"):
        write_report(tmp_path / "gone")
    with pytest.raises(RunError, match=r"no run here \(run.json is missing\)"):
        write_report(tmp_path)


@pytest.mark.parametrize(
    "record, message",
    [
        ('{"kind": "serach"}', r"unknown kind of run 'serach' \(did you mean 'search'\?\)"),
        ("[1]", "not a run record: expected a JSON object, got list"),
        ("{", "not valid JSON"),
    ],
)
def test_a_damaged_record_is_one_clear_error(tmp_path: Path, record: str, message: str) -> None:
    (tmp_path / "run.json").write_text(record)
    with pytest.raises(AudionasError, match=message):
        write_report(tmp_path)


def test_a_folder_of_runs_names_them(tmp_path: Path) -> None:
    (tmp_path / "frames" / "masked").mkdir(parents=True)
    (tmp_path / "frames" / "masked" / "run.json").write_text('{"kind": "retrain"}')
    with pytest.raises(RunError, match=r"frames: no run here \(run.json is missing\); runs inside it: masked$"):
        write_report(tmp_path / "frames")
