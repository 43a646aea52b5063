"""Outputs on a terminal: the same content as in a pipe, in colour and aligned, and safe to look at."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from test_article import FULL, article_of
from test_explain import LINES

from pilah.explain import explain_for
from pilah.render import FORMATS, LABEL_NAMES, explained
from pilah.render_terminal import colour_wanted, coloured
from pilah.tagger import LineTagger

ESCAPES = re.compile(r"\x1b\[[\d;]*m")


@pytest.fixture(autouse=True)
def a_terminal_with_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)


def plain(drawn: str) -> str:
    return ESCAPES.sub("", drawn).replace("\xa0", " ")  # marks do not break


class Stream(io.StringIO):
    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


def test_colour_is_for_terminals_whose_user_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert colour_wanted(Stream(True))
    assert not colour_wanted(Stream(False))
    assert not colour_wanted(None)
    monkeypatch.setenv("NO_COLOR", "1")
    assert not colour_wanted(Stream(True))
    monkeypatch.setenv("NO_COLOR", "")  # empty means not set
    assert colour_wanted(Stream(True))
    monkeypatch.setenv("TERM", "dumb")
    assert not colour_wanted(Stream(True))


def test_every_line_of_the_dump_is_one_row_and_the_columns_stand_below_each_other() -> None:
    article = article_of(
        ("body", "title", "雨が降る Tirtamulya"), ("related", "subheading", "x" * 300), ("popular", ".", "ujung")
    )
    drawn = coloured(article, "labels", 60)
    rows = plain(drawn).splitlines()
    assert ESCAPES.search(drawn)
    assert rows == [
        "1 body    title      ? 50%  雨が降る Tirtamulya",
        "2 related subheading ? 51%  " + "x" * 31 + "…",
        "3 popular .          ? 52%  ujung",
    ]
    assert [cell_len(row) for row in rows][1] == 60


def test_only_doubtful_lines_are_marked() -> None:
    article = article_of(*[("body", "paragraph", f"Hujan hari ke-{k}.") for k in range(45)])  # sure by 0.50 ... 0.94
    rows = plain(coloured(article, "labels", 80)).splitlines()
    assert ["? " in row for row in rows] == [line.confidence < 0.9 for line in article.lines]
    shown = plain(coloured(article, "text", 80))
    assert "Hujan hari ke-39.  ? 89% body, line 40" in shown
    assert "Hujan hari ke-40.\n" in shown
    assert "40 of 45 lines are doubtful" in shown


def test_the_text_holds_what_it_holds_in_a_pipe() -> None:
    """Apart from what is said of doubtful lines and the rules under titles, the words are the same and in the same order."""
    sure = replace(FULL, lines=tuple(line._replace(confidence=1.0) for line in FULL.lines))
    piped = re.sub(r"^[=-]+$", "", FORMATS["text"][1](sure), flags=re.MULTILINE)
    for label, name in LABEL_NAMES.items():
        piped = piped.replace(f"[{name}]", f"{name} [{label}]")
    piped = re.sub(r"\((\d\d[:.]\d\d[^)]*)\)", r"\1", piped)
    assert plain(coloured(sure, "text", 100)).split() == piped.split()


@given(st.text(st.characters(), max_size=60), st.sampled_from(["text", "labels"]))
def test_a_dump_cannot_steer_the_terminal(text: str, output: str) -> None:
    rows = [
        ("body", "title", text.replace("\n", " ")),
        ("related", "heading", text.replace("\n", " ")),
        ("related", "headline", "x" + text),
    ]
    drawn = plain(coloured(article_of(*((a, b, c.replace("\n", " ")) for a, b, c in rows)), output, 70))
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", drawn)
    drawn.encode()


def test_brackets_in_a_dump_are_no_markup() -> None:
    article = article_of(("body", "title", "[red]Merah[/red] [link=x]"), ("related", "headline", "[bold]Tebal"))
    assert "[red]Merah[/red] [link=x]" in plain(coloured(article, "text", 80))
    assert "[bold]Tebal" in plain(coloured(article, "labels", 80))


def test_no_row_of_the_text_is_wider_than_the_terminal() -> None:
    long = "Jembatan bambu sepanjang empat puluh meter di Kampung Melati diresmikan warga. " * 3
    article = article_of(
        ("body", "title", long), ("body", "paragraph", long), ("related", "heading", long), ("related", "headline", long)
    )
    assert max(cell_len(row) for row in plain(coloured(article, "text", 50)).splitlines()) <= 50


@pytest.mark.parametrize("output", ["json", "markdown", "body", "html"])
def test_other_outputs_are_the_same_everywhere(output: str) -> None:
    assert coloured(FULL, output) == FORMATS[output][1](FULL)


def test_explanations_follow_the_article(tagger: LineTagger) -> None:
    lines = LINES
    found = explain_for(tagger, lines, 3)
    article = replace(article_of(*[("body", "paragraph", line) for line in lines]), explanations=found)
    rows = explained(found[0])
    assert rows[0].startswith(f"Line 3: {found[0].label} {found[0].role}, ")
    assert max(map(len, rows)) <= 100
    assert FORMATS["text"][1](article).endswith("\n".join(rows) + "\n")
    drawn = coloured(article, "text", 100)
    assert "\n".join(rows) in plain(drawn)
    assert re.search(r"\x1b\[32m\+\d", drawn)


def test_nothing_heavy_is_read_where_it_is_not_asked_for() -> None:
    say = "import sys, pilah.batch; print([m for m in sys.modules if m.split('.')[0] == 'rich' or m in ('pilah.explain', 'pilah.page_html')])"
    assert subprocess.run([sys.executable, "-c", say], capture_output=True, check=True, text=True).stdout == "[]\n"


def on_a_terminal(arguments: list[str], env: dict[str, str]) -> str:
    """What `predict.py` shows on a terminal of its own."""
    ours, theirs = pty.openpty()
    command = [sys.executable, str(ROOT / "predict.py"), *arguments]
    done = subprocess.Popen(
        command, stdout=theirs, stderr=subprocess.DEVNULL, cwd=ROOT, env={**os.environ, "COLUMNS": "90", **env}
    )
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 65536):
            shown += piece
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    assert done.wait(60) == 0
    return shown.decode().replace("\r\n", "\n")


def test_predict_is_coloured_on_a_terminal_alone(model_dir: Path, tmp_path: Path) -> None:
    dump = tmp_path / "dump.txt"
    dump.write_text("\n".join(LINES) + "\n", encoding="utf-8")
    arguments = [str(dump), f"model={model_dir}", "output=labels"]
    piped = subprocess.run(
        [sys.executable, str(ROOT / "predict.py"), *arguments], cwd=ROOT, capture_output=True, check=True, text=True
    ).stdout
    assert len(piped.splitlines()) == len(LINES)
    assert all(row.count("\t") == 2 for row in piped.splitlines())
    assert on_a_terminal(arguments, {"NO_COLOR": "1"}).split() == piped.split()  # the terminal itself may turn tabs into spaces
    shown = on_a_terminal([*arguments[:2], "output=text"], {"NO_COLOR": "", "TERM": "xterm-256color"})
    assert ESCAPES.search(shown)
    assert LINES[0] in plain(shown).replace("\n", " ")
