import json
import sys
import time
from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import configured, toy_pages
from omegaconf import OmegaConf
from test_markup import Seen

import pilah.model_file
from pilah.labels import LabelSet
from pilah.page import InputError
from pilah.tagger import LineTagger
from pilah.training.corpus import Dump
from pilah.training.report import FullReport, write_comparison
from pilah.training.report_page import run_page
from pilah.training.run import CompareRuns, evaluate, train

EVIL = "<script>alert('x')</script>\"><img src=http://example.org/x onerror=alert(1)>&amp;"
SECTIONS = ["scores", "confusion", "reliability", "body", "learning", "telling", "worst", "configuration"]


def dumps_of(count: int, first: int, name: str = "toy") -> list[Dump]:
    pages, tags = toy_pages(count, first)
    return [Dump(f"{name}-{i}", tuple(page), tuple(row)) for i, (page, row) in enumerate(zip(pages, tags, strict=True))]


@pytest.fixture(scope="module")
def results(tagger: LineTagger) -> Mapping[str, Any]:
    held = dumps_of(6, 600)
    wrong = [replace(d, tags=tuple(("pick", "headline") if i == 2 else t for i, t in enumerate(d.tags))) for d in held[:2]]
    return {"labelled": evaluate(tagger, [*held, *wrong]), "composed": evaluate(tagger, dumps_of(4, 700))}


def seen(tagger: LineTagger, results: Any, config: str = "seed: 1\n", **more: Any) -> Seen:
    return Seen(run_page(tagger, {}, results, config, **more))


def test_every_section_is_there_and_the_navigation_leads_to_it(tagger: LineTagger, results: Any) -> None:
    page = seen(tagger, results)
    assert [attributes["id"] for tag, attributes in page.tags if tag == "h2"] == SECTIONS
    assert [attributes["href"] for tag, attributes in page.tags if tag == "a"] == [f"#{name}" for name in SECTIONS]


def test_the_page_is_one_file_without_script_or_address(tagger: LineTagger, results: Any) -> None:
    page = seen(tagger, results)
    assert not {"script", "img", "link", "iframe", "object", "image"} & {tag for tag, _ in page.tags}
    addresses = [a[key] or "" for _, a in page.tags for key in ("href", "src", "xlink:href", "action") if key in a]
    assert addresses and all(address.startswith("#") for address in addresses)
    styles = "".join(page.text) + "".join(a.get("style") or "" for _, a in page.tags)
    assert "@import" not in styles and "url(http" not in styles and "prefers-color-scheme: dark" in styles


def test_nothing_of_a_dump_its_name_its_set_or_the_configuration_becomes_markup(tagger: LineTagger) -> None:
    (clean,) = dumps_of(1, 800)
    lines = tuple(EVIL if i == 2 else line for i, line in enumerate(clean.lines))
    tags = tuple(("latest", "headline") if i == 2 else tag for i, tag in enumerate(clean.tags))
    page = seen(tagger, {EVIL: evaluate(tagger, [Dump(EVIL, lines, tags)])}, f"note: {EVIL}\n")
    assert not {"script", "img"} & {tag for tag, _ in page.tags}
    assert not any(key.startswith("on") for _, attributes in page.tags for key in attributes)
    text = "".join(page.text)
    assert f"note: {EVIL}\n" in text and text.count(EVIL) > 5


def test_scores_stand_on_the_page_as_they_are_in_the_table(tagger: LineTagger, results: Any) -> None:
    text = "|".join(seen(tagger, results).text)
    for name, (_, _, scores) in results.items():
        figures = (scores.macro_f1, scores.body_f1, scores.block_f1, scores.exact_dumps, scores.accuracy)
        assert "|".join([name, str(scores.dumps), str(scores.lines), *(f"{value:.3f}" for value in figures)]) in text


def test_the_gain_over_the_shipped_model_is_shown(
    tagger: LineTagger, results: Any, model_dir: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    (tmp_path / "default").symlink_to(model_dir)
    monkeypatch.setattr(pilah.model_file, "SHIPPED", tmp_path)
    dumps, tagged, scores = results["labelled"]
    better = {"labelled": (dumps, tagged, replace(scores, macro_f1=scores.macro_f1 + 0.025))}
    page = seen(tagger, better)
    text = "|".join(page.text)
    assert f"the shipped model|{scores.macro_f1:.3f}| (+0.025)|{scores.body_f1:.3f}|" in text
    assert sum(attributes.get("class") == "up" for _, attributes in page.tags) == 1


def test_a_mistake_is_shown_with_its_neighbours(tagger: LineTagger, results: Any) -> None:
    text = "|".join(seen(tagger, results).text)
    dumps, tagged, _ = results["labelled"]
    assert tagged[6][2].label == "body"
    rows = [f"{i + 1}|{dumps[6].labels[i]}|{tagged[6][i].label}|{dumps[6].lines[i]}" for i in range(5)]
    assert f"toy-0, line 3: pick taken for body, confidence {tagged[6][2].confidence:.2f}|" in text
    assert "|".join(rows) in text


def test_at_most_so_many_mistakes_are_shown(tagger: LineTagger, results: Any) -> None:
    assert "".join(seen(tagger, results, worst=1).text).count("taken for body, confidence") == 1


def test_without_matplotlib_the_page_says_so_and_keeps_the_figures(tagger: LineTagger, results: Any, monkeypatch: Any) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    page = seen(tagger, results)
    text = "".join(page.text)
    assert "svg" not in {tag for tag, _ in page.tags}
    assert text.count("matplotlib is not installed (pip install 'pilah[report]')") == 2  # reliability and body
    assert "expected calibration error" in text and "+0 (configured)" in text


def test_with_matplotlib_each_plot_has_a_name_for_those_who_cannot_see_it(tagger: LineTagger, results: Any) -> None:
    pytest.importorskip("matplotlib")
    plots = [attributes for tag, attributes in seen(tagger, results).tags if tag == "svg"]
    assert len(plots) == 2 and all(plot["role"] == "img" and plot["aria-label"] for plot in plots)


def test_a_learning_curve_is_drawn_where_it_was_measured_and_else_the_page_says_how(tagger: LineTagger, results: Any) -> None:
    off, scores = seen(tagger, results), results["labelled"][2]
    assert "report=curve" in "".join(off.text)
    on = seen(tagger, results, curve=[(15, {"labelled": replace(scores, macro_f1=0.321)}), (30, {"labelled": scores})])
    assert "report=curve" not in "".join(on.text) and "15|0.321|" in "|".join(on.text)
    assert sum(tag == "figure" for tag, _ in on.tags) == sum(tag == "figure" for tag, _ in off.tags) + 1


def test_a_run_without_any_labelled_dump_has_a_page_too(tagger: LineTagger) -> None:
    assert "There was no labelled dump to measure this model on." in "".join(seen(tagger, {}).text)


def test_a_label_set_without_a_body_has_no_curve_of_it(tagger: LineTagger, results: Any) -> None:
    bare = copy(tagger)
    bare.labels = LabelSet("bare", tagger.labels.names, tagger.labels.roles, body=None)
    assert "No label of this run is the article's body, or no line has it." in "".join(seen(bare, results).text)


def test_the_report_writes_the_page_in_seconds(tagger: LineTagger, results: Any, tmp_path: Path) -> None:
    start = time.perf_counter()
    FullReport().write(tmp_path, tagger, results, "seed: 1\n")
    assert (tmp_path / "report.html").stat().st_size < 2_000_000
    assert time.perf_counter() - start < 30  # takes about one


def test_a_run_leaves_the_page_beside_its_scores(trained: Path) -> None:
    page, scores = (
        Seen((trained / "run" / "report.html").read_bytes()),
        json.loads((trained / "run" / "scores.json").read_text()),
    )
    assert "|".join(["labelled", "3", str(scores["labelled"]["lines"]), f"{scores['labelled']['macro_f1']:.3f}"]) in "|".join(
        page.text
    )
    assert (trained / "run" / "config.yaml").read_text() in "".join(page.text)


def test_a_learning_curve_is_a_choice_that_is_off_by_default() -> None:
    assert configured().report.learning_curve == []
    assert list(configured("report=curve").report.learning_curve) == [0.1, 0.25, 0.5]
    assert configured("report=curve").report.worst == configured().report.worst


@pytest.mark.parametrize("wrong", ["[2]", "[0]", "[half]"])
def test_a_share_that_is_none_is_refused_before_anything_is_trained(wrong: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"report.learning_curve holds shares of the dumps, above 0 and at most 1, not \["):
        train(configured(f"report.learning_curve={wrong}", f"output={tmp_path}/model"))
    assert list(tmp_path.iterdir()) == []


def test_the_curve_of_a_run_ends_in_the_run_itself(small_data: Path, tmp_path: Path) -> None:
    cfg = configured(
        "data=small", f"data.folder={small_data}", "data.dumps=24", "data.validation=8", f"evaluate.dirs=[{small_data}/labelled]",
        "refit=false", "tagger.folds=2", "tagger.n_jobs=1", f"output={tmp_path}/model", "features.chars.ngram_max=3",
        "context.iterations=5", "report.learning_curve=[1,0.5,0.5]",
    )  # fmt: skip
    score = train(cfg)
    text = "|".join(Seen((tmp_path / "model" / "report.html").read_bytes()).text)
    table = text.split("dumps|labelled|composed|")[1].split("Most telling")[0].split("|")
    assert (table[0], table[3], table[4]) == ("12", "24", f"{score:.3f}")


def scores(value: float) -> dict[str, Any]:
    figures = dict.fromkeys(("macro_f1", "accuracy", "body_f1", "block_f1", "exact_dumps"), value)
    return {"labelled": {"dumps": 3, "lines": 60, **figures, "per_label": {"body": value, "pick": value / 2}}}


def test_runs_are_compared_best_first_with_links_to_those_that_have_a_page(tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "report.html").write_text("x")
    found = Seen(write_comparison(tmp_path, [("0", EVIL, scores(0.5)), ("1", "decoder=viterbi", scores(0.75))]).read_bytes())
    text = "|".join(found.text)
    assert "1|: decoder=viterbi|3|60|0.750|0.750|0.750|0.750|0.750|" in text
    assert text.index("1|: decoder=viterbi|3|60") < text.index(f"0: {EVIL}|3|60")
    assert [a["href"] for tag, a in found.tags if tag == "a" and not (a["href"] or "").startswith("#")] == ["1/report.html"]
    assert not {"script", "img"} & {tag for tag, _ in found.tags}
    assert f"run|body|pick|1: decoder=viterbi|0.750|0.375|0: {EVIL}|0.500|0.250|" in text


def test_a_sweep_leaves_the_page_beside_its_runs(tmp_path: Path, capsys: Any) -> None:
    for name, value in (("0", 0.5), ("1", 0.75)):
        (tmp_path / name / ".hydra").mkdir(parents=True)
        (tmp_path / name / ".hydra" / "overrides.yaml").write_text(f"- data=small\n- seed={name}\n")
        (tmp_path / name / "scores.json").write_text(json.dumps(scores(value)))
    CompareRuns().on_multirun_end(OmegaConf.create({"hydra": {"sweep": {"dir": str(tmp_path)}}}))
    text = "|".join(Seen((tmp_path / "report.html").read_bytes()).text)
    assert "|2 runs compared|All of them with |data=small|" in text
    assert text.index("1: seed=1|3|60|0.750") < text.index("0: seed=0|3|60|0.500")
    assert f"compared in {tmp_path}/report.html" in capsys.readouterr().err.replace("\n", "")
