import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest

pytest.importorskip("matplotlib")

from pilah.training.evaluate import Scores
from pilah.training.findings import BodyPoint, Reliability
from pilah.training.plots import body_diagram, learning_diagram, reliability_diagram, runs_diagram

ROW = Reliability((0.6, 0.93), (1.0, 0.5), (1, 2), 0.4)
POINTS = [BodyPoint(-2.0, float("nan"), 0.0), BodyPoint(0.0, 1.0, 0.5), BodyPoint(2.0, 0.8, 1.0)]


def scored(value: float) -> Scores:
    return Scores(1, 1, value, value, value, value, value, {})


def drawn() -> dict[str, ET.Element]:
    curve = [(n, {"satu": scored(n / 400), "dua": scored(n / 500)}) for n in (50, 200)]
    return {
        "reliability": reliability_diagram({"satu": ROW, "dua": ROW}),
        "body": body_diagram({"satu": POINTS, "dua": POINTS}, 0.0),
        "learning": learning_diagram(curve),
        "runs": runs_diagram(["0: decoder=argmax", "1: decoder=viterbi"], {"satu": [0.5, 0.6], "dua": [float("nan"), 0.7]}),
    }


@pytest.fixture(scope="module")
def plots() -> dict[str, ET.Element]:
    return drawn()


def words(svg: ET.Element) -> list[str]:
    return ["".join(text.itertext()) for text in svg.iter("text")]


def test_text_stays_text_and_every_series_is_named(plots: dict[str, ET.Element]) -> None:
    for svg in plots.values():
        assert {"satu", "dua"} <= set(words(svg))
    assert {"confidence", "share right"} <= set(words(plots["reliability"]))
    assert {"50", "200", "dumps trained on"} <= set(words(plots["learning"]))
    assert {"0: decoder=argmax", "1: decoder=viterbi"} <= set(words(plots["runs"]))


def test_the_configured_bias_is_marked_and_others_are_written_beside_the_curve(plots: dict[str, ET.Element]) -> None:
    assert {"body_bias=0", "+2"} <= set(words(plots["body"]))
    assert "+0" not in words(plots["body"])


def test_colours_are_the_page_s_own(plots: dict[str, ET.Element]) -> None:
    for svg in plots.values():
        text = ET.tostring(svg, "unicode")
        assert "var(--series-1)" in text and "var(--series-2)" in text and "currentColor" in text
        assert "#0100a" not in text and "#01010" not in text


def test_no_two_plots_share_an_id_and_every_reference_leads_somewhere(plots: dict[str, ET.Element]) -> None:
    ids = [element.get("id") for svg in plots.values() for element in svg.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    for svg in plots.values():
        here = {element.get("id") for element in svg.iter()}
        assert all(element.get("href", "#")[1:] in here for element in svg.iter("use"))


def test_the_same_figures_give_the_same_plot(plots: dict[str, ET.Element]) -> None:
    for name, svg in drawn().items():
        assert ET.tostring(svg) == ET.tostring(plots[name])


def test_names_are_neither_formulas_nor_markup() -> None:
    svg = reliability_diagram({"$x^2$ <b>&\x07": ROW})
    assert "$x^2$ <b>&\N{REPLACEMENT CHARACTER}" in words(svg)


def test_matplotlib_is_imported_when_a_plot_is_drawn_and_not_before() -> None:
    code = "import sys, pilah.training.report; sys.exit(any(name.startswith('matplotlib') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
