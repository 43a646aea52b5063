"""The annotator as a person uses it, in a real browser."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT, toy_page

from pilah.page import format_labelled

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install 'pilah[test]'")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no browser is installed: apt-get install chromium")

QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]  # fmt: skip
TRAIN = "train=[data=own,context.iterations=25,tagger.folds=2,tagger.n_jobs=1,refit=false]"


class Server:
    """The annotator in a process of its own."""

    def __init__(self, folder: Path, model: Path, *arguments: str) -> None:
        command = [
            sys.executable,
            "-m",
            "pilah.annotate",
            str(folder),
            f"model={model}",
            f"output={folder.parent / 'kept'}",
            *arguments,
        ]
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        )
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().strip()
        assert self.address.startswith("http://127.0.0.1:")
        self.port = self.address.split(":")[2].split("/")[0]

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def start(model_dir: Path) -> Iterator[object]:
    running: list[Server] = []

    def begin(folder: Path, port: str = "0") -> Server:
        running.append(Server(folder, model_dir, f"port={port}", TRAIN))
        return running[-1]

    yield begin
    for server in running:
        server.kill()


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=QUIET)
        yield found
        found.close()


@pytest.fixture
def context(browser) -> Iterator[object]:  # type: ignore[no-untyped-def]
    """A browser with a fresh profile; at the end it must have asked this machine alone, and thrown no error."""
    found = browser.new_context(viewport={"width": 1280, "height": 800})
    found.set_default_timeout(8000)
    asked: list[str] = []
    errors: list[str] = []
    found.on("request", lambda request: asked.append(request.url))
    found.on("weberror", lambda error: errors.append(str(error.error)))
    yield found
    found.close()
    assert asked
    assert [url for url in asked if not url.startswith(("http://127.0.0.1:", "data:"))] == []
    assert errors == []


@pytest.fixture
def dumps(tmp_path: Path) -> Path:
    folder = tmp_path / "dumps"
    folder.mkdir()
    for seed in range(3):
        (folder / f"toy-{seed}.txt").write_text("\n".join(toy_page(800 + seed)[0]) + "\n", encoding="utf-8")
    return folder


def until(page, truth: str, seconds: float = 8) -> None:  # type: ignore[no-untyped-def]
    """Wait for an expression; the page's own policy forbids that playwright waits inside it."""
    deadline = time.monotonic() + seconds
    while not page.evaluate(truth):
        assert time.monotonic() < deadline, f"not true after {seconds} s: {truth}"
        time.sleep(0.01)


def opened(context, server, name="toy-1"):  # type: ignore[no-untyped-def]
    page = context.new_page()
    page.goto(f"{server.address}#{name}")
    until(page, f"doc && doc.name === '{name}'")
    return page


def line(page, number):  # type: ignore[no-untyped-def]
    return page.locator(f"#line{number}")


def saved(page) -> None:  # type: ignore[no-untyped-def]
    until(page, "doc.pending.size === 0 && !doc.saving && document.getElementById('status').textContent === 'saved'")


def labels_of(file: Path) -> list[str]:
    return [row.split("\t")[0] for row in file.read_text(encoding="utf-8").splitlines()]


def test_a_corrected_block_outlives_the_tab_and_the_server(context, start, dumps: Path) -> None:  # type: ignore[no-untyped-def]
    server = start(dumps)
    page = opened(context, server)
    line(page, 2).click()
    line(page, 5).click(modifiers=["Shift"])
    page.keyboard.press("k")
    saved(page)
    assert labels_of(dumps / "toy-1.tsv")[:7] == ["?", "?", "pick", "pick", "pick", "pick", "?"]
    page.reload()
    until(page, "doc !== null")
    assert [line(page, i).locator(".label").inner_text() for i in range(2, 6)] == ["pick"] * 4
    server.kill()
    page.close()
    again = opened(context, start(dumps))
    assert [line(again, i).locator(".label").inner_text() for i in range(2, 6)] == ["pick"] * 4
    assert [line(again, i).locator(".mark").inner_text() for i in range(2, 6)] == ["✓"] * 4
    assert "%" in line(again, 1).locator(".mark").inner_text()
    assert (dumps / "toy-1.txt").read_text(encoding="utf-8") == "\n".join(toy_page(801)[0]) + "\n"


def test_hands_and_keys_do_what_the_page_says(context, start, dumps: Path) -> None:  # type: ignore[no-untyped-def]
    page = opened(context, start(dumps), "toy-0")
    tsv = dumps / "toy-0.tsv"
    size = len(toy_page(800)[0])
    line(page, 1).hover()
    page.mouse.down()
    line(page, 3).hover()
    page.mouse.up()
    page.keyboard.press("p")  # the dragged lines
    saved(page)
    assert labels_of(tsv)[:5] == ["?", "popular", "popular", "popular", "?"]
    page.keyboard.press("u")
    until(page, "doc.redo.length === 1")
    saved(page)
    assert set(labels_of(tsv)) == {"?"}
    page.keyboard.press("Control+y")
    saved(page)
    line(page, 1).click()
    page.keyboard.press("h")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("2")  # the second role of a block: headline
    saved(page)
    rows = [row.split("\t")[:2] for row in tsv.read_text(encoding="utf-8").splitlines()]
    assert rows[1:4] == [["popular", "heading"], ["popular", "headline"], ["popular", "."]]
    line(page, 2).dblclick()  # the block around it
    page.keyboard.press("l")
    saved(page)
    assert labels_of(tsv)[:5] == ["?", "latest", "latest", "latest", "?"]
    page.keyboard.press("Delete")
    saved(page)
    assert set(labels_of(tsv)) == {"?"}
    page.get_by_role("button", name="All checked").click()
    saved(page)
    assert "?" not in labels_of(tsv) and len(labels_of(tsv)) == size
    assert page.locator("#progress").inner_text() == "1 of 3 dumps checked"
    page.keyboard.press("g")
    until(page, "doc.name !== 'toy-0'")


def test_two_tabs_do_not_overwrite_each_other(context, start, dumps: Path) -> None:  # type: ignore[no-untyped-def]
    server = start(dumps)
    one, two = opened(context, server), opened(context, server)
    one.bring_to_front()
    line(one, 0).click()
    one.keyboard.press("r")
    saved(one)
    two.bring_to_front()
    line(two, 1).click()
    two.keyboard.press("l")
    two.get_by_role("alert").wait_for()
    assert labels_of(dumps / "toy-1.tsv")[:2] == ["related", "?"]
    assert line(two, 0).locator(".label").inner_text() == "related"  # what the other tab saved is shown
    two.get_by_role("button", name="Put my 1 line over it").click()
    saved(two)
    assert labels_of(dumps / "toy-1.tsv")[:2] == ["related", "latest"]
    one.bring_to_front()
    line(one, 1).click()
    one.keyboard.press("p")
    one.get_by_role("button", name="Keep what is there").click()
    line(one, 2).click()
    one.keyboard.press("b")
    saved(one)
    assert labels_of(dumps / "toy-1.tsv")[:3] == ["related", "latest", "body"]


def test_a_late_answer_does_not_replace_the_dump_that_was_asked_for_after_it(context, start, dumps: Path) -> None:  # type: ignore[no-untyped-def]
    page = opened(context, start(dumps), "toy-0")
    held: list = []
    page.route("**/api/dump/toy-1", lambda route: held.append(route))
    page.click('button[data-name="toy-1"]')
    page.click('button[data-name="toy-2"]')
    until(page, "document.getElementById('name').textContent === 'toy-2'")
    with page.expect_response("**/api/dump/toy-1"):
        held[0].continue_()
    page.wait_for_timeout(200)
    assert page.text_content("#name") == "toy-2"


def test_what_was_corrected_while_the_server_was_dead_is_saved_when_it_is_back(context, start, dumps: Path) -> None:  # type: ignore[no-untyped-def]
    server = start(dumps)
    page = opened(context, server)
    server.kill()
    line(page, 0).click()
    page.keyboard.press("k")
    page.get_by_text("the server cannot be reached").wait_for()
    page.close()  # without being asked whether to
    page = opened(context, start(dumps, server.port))
    saved(page)
    assert labels_of(dumps / "toy-1.tsv")[0] == "pick"


def test_the_button_trains_and_shows_before_and_after(context, start, dumps: Path) -> None:  # type: ignore[no-untyped-def]
    for seed in range(3):
        (dumps / f"done-{seed}.tsv").write_text(format_labelled(*toy_page(900 + seed)), encoding="utf-8")
    page = opened(context, start(dumps))
    page.get_by_role("button", name="Train with the corrections").click()
    page.get_by_role("button", name="Use this model").wait_for(timeout=30000)
    assert "Learned from 2 dumps; the scores are those on 1 dump" in page.locator("#training-text").inner_text()
    scores = page.locator("#scores td").all_inner_texts()
    assert scores[0] == "lines right" and len(scores) == 12
    assert all(0 <= float(score) <= 1 for i, score in enumerate(scores) if i % 3)
    page.route("**/api/dumps", lambda route: route.abort())
    page.get_by_role("button", name="Use this model").click()
    page.get_by_text("In use now").wait_for()
    assert (dumps.parent / "kept" / "card.json").is_file()
    page.get_by_text("the list of dumps is not up to date").wait_for()
    page.unroute("**/api/dumps")
    until(page, "document.getElementById('status').textContent === '' && entries.every((entry) => entry.lines >= 0)")


def test_text_from_a_page_is_shown_and_never_run(context, start, dumps: Path) -> None:  # type: ignore[no-untyped-def]
    (dumps / "x.txt").write_text(
        "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>\n", encoding="utf-8"
    )
    page = opened(context, start(dumps), "x")
    assert line(page, 0).locator(".text").inner_text().startswith("<img")
    assert page.title().startswith("x ")


MEASURE = """async ([first, last, key]) => {
  select(first, last, false);
  const start = performance.now();
  document.getElementById("lines").dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const painted = performance.now() - start;
  while (doc.pending.size || doc.saving) await new Promise((done) => setTimeout(done, 1));
  return [painted, performance.now() - start];
}"""


def test_a_long_dump_and_a_full_folder_work_and_their_figures_are_printed(context, start, tmp_path: Path, capsys) -> None:  # type: ignore[no-untyped-def]
    folder = tmp_path / "many"
    folder.mkdir()
    pages = ["\n".join(toy_page(seed)[0]) + "\n" for seed in range(100)]
    for i in range(1999):
        (folder / f"page-{i:04}.txt").write_text(pages[i % 100], encoding="utf-8")
    long = ("\n".join(pages).split("\n") * 5)[:5000]
    (folder / "long.txt").write_text("\n".join(long) + "\n", encoding="utf-8")
    began = time.perf_counter()
    server = start(folder)
    up = time.perf_counter() - began
    page = context.new_page()
    began = time.perf_counter()
    page.goto(server.address)
    until(page, "doc !== null && doc.items.length > 0")
    first = time.perf_counter() - began
    assert page.locator("#dumps li").count() == 2000
    until(page, "document.getElementById('progress').textContent === '0 of 2000 dumps checked'", 40)
    listed = time.perf_counter() - began
    began = time.perf_counter()
    page.evaluate("location.hash = 'long'")
    until(page, "doc.name === 'long'")
    long_open = time.perf_counter() - began
    assert page.locator("#lines li").count() == 5000
    single = [page.evaluate(MEASURE, [i, i, "rl"[i % 2]]) for i in range(100, 4900, 400)]
    block = [page.evaluate(MEASURE, [2000, 2499, key]) for key in "kpk"]
    assert labels_of(folder / "long.tsv")[2000:2500] == ["pick"] * 500
    with capsys.disabled():
        print(
            f"\nannotator: 2,000 dumps: server up {up:.2f} s, first page {first:.2f} s, all read after {listed:.1f} s; "
            f"5,000 lines: opened {1000 * long_open:.0f} ms, a correction drawn {middle(single, 0):.0f} ms, saved {middle(single, 1):.0f} ms, "
            f"500 lines at once drawn {middle(block, 0):.0f} ms, saved {middle(block, 1):.0f} ms"
        )


def middle(rows: list[list[float]], column: int) -> float:
    return sorted(row[column] for row in rows)[len(rows) // 2]
