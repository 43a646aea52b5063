"""The HTML page as a person uses it, in a real browser: keys, hover, dark, phone, without script."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pilah.article import build_article
from pilah.explain import explain_for
from pilah.page import Page
from pilah.page_html import page_html
from pilah.tagger import LineTagger, TaggedLine

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install 'pilah[test]'")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no browser is installed: apt-get install chromium")

QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND",
]  # fmt: skip
HOSTILE = "</script><img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
DOUBTFUL = (3, 6, 9)


@pytest.fixture(scope="module")
def address(tagger: LineTagger, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A page on disk with lines 3, 6 and 9 doubtful and hostile text in line 3."""
    rows = [
        ("body", "title", "Warga Kampung Melati Bangun Jembatan Bambu"), ("body", "byline", "Penulis: Ratna Suminar"),
        *[("body", "paragraph", f"Warga mengatakan bahwa rencana itu disepakati dalam rapat desa ke-{k}.") for k in range(4)],
        ("latest", "heading", "Terkini"), ("latest", "bullet", "-"), ("latest", "headline", "Nelayan Teluk Sagara Panen Lebih Awal"),
        ("latest", "meta", "10:15 WIB"), ("popular", "heading", "Terpopuler"), ("popular", "headline", "Siswa SMP Tirtamulya Gelar Lomba Perahu"),
    ]  # fmt: skip
    page = Page.from_text("".join(text + "\n" for _, _, text in rows), "dump.txt")
    article = build_article(page, [TaggedLine(label, role, 0.99) for label, role, _ in rows])
    lines = [line._replace(confidence=0.6 if line.n in DOUBTFUL else 0.99) for line in article.lines]
    lines[2] = lines[2]._replace(text=HOSTILE)
    article = replace(article, lines=tuple(lines), explanations=explain_for(tagger, page.lines, False, whole=True))
    path: Path = tmp_path_factory.mktemp("page") / "dump.html"
    path.write_text(page_html(article), encoding="utf-8")
    return path.as_uri()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=QUIET)
        yield found
        found.close()


@pytest.fixture
def opened(browser: Any, address: str) -> Iterator[Any]:
    """Opens the page; at the end nothing but the page itself was asked for, and no error was thrown."""
    contexts: list[Any] = []
    asked: list[str] = []
    errors: list[str] = []

    def begin(**options: Any) -> Any:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
        context.set_default_timeout(8000)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text))
        page.goto(address)
        return page

    yield begin
    for context in contexts:
        context.close()
    assert set(asked) == {address}
    assert errors == []


def focused(page: Any) -> str:
    found: str = page.evaluate("document.activeElement.closest('.line')?.id ?? ''")
    return found


def test_keys_walk_through_the_doubtful_lines_and_round(opened: Any) -> None:
    page = opened()
    walked = []
    for key in "nnnnpp":
        page.keyboard.press(key)
        walked.append(focused(page))
    assert walked == ["L3", "L6", "L9", "L3", "L9", "L6"]
    page.keyboard.press("j")
    assert focused(page) == "L7"
    page.keyboard.press("k")
    page.keyboard.press("k")
    assert focused(page) == "L5"


def test_the_first_step_back_goes_to_the_last_doubtful_line(opened: Any) -> None:
    page = opened()
    page.keyboard.press("p")
    assert focused(page) == "L9"


def test_focus_shows_the_explanation_and_escape_hides_it(opened: Any) -> None:
    page = opened()
    panel = page.locator("#panel")
    assert not panel.is_visible()
    page.keyboard.press("n")
    assert panel.is_visible()
    assert "The decoder" in panel.inner_text()
    assert panel.text_content() == page.locator("#L3 .why").text_content()
    page.keyboard.press("Escape")
    assert not panel.is_visible()


def test_hover_shows_the_explanation_and_lights_the_place_in_the_article(opened: Any) -> None:
    page = opened()
    page.locator("#L4 .text").hover()
    assert page.locator("#panel").is_visible()
    assert page.locator("#article .lit").get_attribute("data-line") == "4"
    page.locator("h1").hover()
    page.locator("#panel").wait_for(state="hidden")
    assert page.locator(".lit").count() == 0


def test_enter_opens_the_explanation_in_its_line(opened: Any) -> None:
    page = opened()
    page.keyboard.press("n")
    page.keyboard.press("Enter")
    assert page.locator("#L3 .why").is_visible()
    assert not page.locator("#panel").is_visible()


def test_hostile_text_is_shown_and_not_run(opened: Any) -> None:
    page = opened()
    assert page.title() != "owned"
    assert page.locator("img").count() == 0
    assert page.locator("#L3 .text").inner_text() == HOSTILE


def contrast(page: Any, selector: str) -> float:
    """Of a text and the page behind it, as WCAG 2 computes it; the tint of a line is taken at its strongest."""
    found: float = page.evaluate(
        """selector => {
            const rgb = colour => colour.match(/[\\d.]+/g).slice(0, 3).map(Number);
            const light = c => { const [r, g, b] = c.map(v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
                                 return .2126 * r + .7152 * g + .0722 * b; };
            const element = document.querySelector(selector), line = element.closest('.line');
            let ground = rgb(getComputedStyle(document.body).backgroundColor);
            if (line) {
                const tint = getComputedStyle(line, '::before'), a = Number(tint.opacity), over = rgb(tint.backgroundColor);
                ground = ground.map((v, i) => v * (1 - a) + over[i] * a);
            }
            const [a, b] = [light(rgb(getComputedStyle(element).color)), light(ground)].sort((x, y) => y - x);
            return (a + .05) / (b + .05);
        }""",
        selector,
    )
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_can_be_read_in_light_and_dark(opened: Any, scheme: str) -> None:
    page = opened(color_scheme=scheme)
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(21, 23, 28)"
    assert dark == (scheme == "dark")
    labels = page.evaluate("[...new Set([...document.querySelectorAll('.line:not(.blank)')].map(x => x.classList[1]))]")
    selectors = [f".line.{c} {part}" for c in labels for part in (".tag", ".role", ".sure", ".text", ".n")]
    assert {
        s: round(contrast(page, s), 2) for s in [*selectors, ".doubts span", ".plus", ".minus"] if contrast(page, s) < 4.5
    } == {}


def test_a_phone_shows_one_column_without_scrolling_sideways(opened: Any) -> None:
    page = opened(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.locator("#article").bounding_box()["y"] > page.locator("#dump").bounding_box()["y"]
    page.locator("#next").tap()
    assert focused(page) == "L3"
    page.locator("#L3 summary").tap()
    assert page.locator("#L3 .why").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    box = page.locator("#next").bounding_box()
    assert box["height"] >= 40
    assert box["y"] + box["height"] <= 740  # within reach wherever one has scrolled to


def test_a_screen_reader_hears_labels_and_doubts_in_words(opened: Any) -> None:
    snapshot = opened().locator("main").aria_snapshot()
    for said in (
        'region "The dump, line by line"',
        'article "The rebuilt article"',
        "doubtful, 60%",
        "latest heading",
        "list",
    ):
        assert said in snapshot, snapshot


def test_without_script_explanations_still_open(opened: Any) -> None:
    page = opened(java_script_enabled=False)
    assert not page.locator("#L4 .why").is_visible()
    page.locator("#L4 summary").click()
    assert page.locator("#L4 .why").is_visible()
