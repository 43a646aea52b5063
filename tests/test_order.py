"""The order of times and counts: what falls, what rises, and what tells nothing."""

from __future__ import annotations

import re

import numpy as np
import pytest
from conftest import toy_pages
from hypothesis import given
from hypothesis import strategies as st

from pilah.features import FACTS
from pilah.order import ABOVE, FIGURES, RUNS, figures, runs
from pilah.tagger import LineTagger


def numbers(tagger: LineTagger, *lines: str) -> list[tuple[int, bool]]:
    """How many numbers of each line count, and whether what it says is less than what the line before says."""
    _, facts, widths, *_ = tagger.scorer_.score(lines)
    found = figures(lines, facts, widths)
    return [
        (int(row["many"]), bool(row["value"] < before["value"])) for before, row in zip([found[0], *found], found, strict=False)
    ]


def ordered(
    rows: list[str], timed: bool = True, opens: tuple[int, ...] = (), lengths: list[int] | None = None
) -> dict[str, list[int]]:
    """The runs of lines of which every one that holds a number shows a time, or none does."""
    facts = np.zeros((len(rows), len(FACTS)), np.float32)
    facts[:, FACTS.index("a digit")] = [any(c.isdigit() for c in row) for row in rows]
    found = figures(rows, facts, np.array([len(row) for row in rows], np.float32))
    opening = np.isin(np.arange(len(rows)), opens)
    many = runs(found, np.full(len(rows), timed), opening, [len(rows)] if lengths is None else lengths)
    return {name: values.astype(int).tolist() for name, values in zip(RUNS, many, strict=True) if values.any()}


@pytest.mark.parametrize(
    ("line", "many"),
    [
        ("21.48", 2),
        ("Senin, 12/05/2025 07:15 WIB", 5),
        ("2 menit lalu", 1),
        ("Dibaca 93.804 kali", 1),  # thousands are one number
        ("1,234,567 views", 1),
        ("12.05.2025", 3),
        ("7", 0),  # a rank
        ("- 7", 0),
        ("2. Jangan lupa sarapan", 0),
        ("9.804 views", 0),  # nobody can tell
        ("Warga Kampung Melati", 0),
        ("Rapat desa pada 12 Mei 2025 menyepakati pembangunan jembatan bambu di Kali Wening", 0),  # too long for a time
    ],
)
def test_short_lines_with_numbers_have_figures_and_ranks_have_none(line: str, many: int, tagger: LineTagger) -> None:
    assert numbers(tagger, line)[0][0] == many


def test_figures_are_compared_number_by_number(tagger: LineTagger) -> None:
    # 21:48 -> 21:15 falls, -> 9:59 falls (as numbers, not as texts), -> 12/05 07:15 has other numbers but is more in its first
    assert [less for _, less in numbers(tagger, "21:48", "21:15", "9:59", "12/05 07:15")] == [False, True, True, False]
    assert [less for _, less in numbers(tagger, "193.804 views", "Dibaca 9.805", "Dibaca 9.804")] == [False, True, True]


def test_dates_that_fall_are_counted_from_three_lines_above_the_first_to_the_last() -> None:
    rows = ["Kolom", "Artikel", "Daftar", "Judul", "21.48", "Satu", "21.15", "Dua", "20.37", "Tiga"]
    assert ABOVE == 3
    assert ordered(rows) == {"dates fall": [0, 2, 2, 2, 2, 2, 2, 2, 2, 0]}  # 21.48 > 21.15 > 20.37: two steps


def test_steps_the_other_way_count_three_times() -> None:
    # four down, one up: 4 - 3 * 1 = 1 is no run; five down, one up: 2
    assert ordered(["20.50", "20.40", "20.30", "21.00", "20.20", "20.10"]) == {}
    assert set(ordered(["20.50", "20.40", "20.30", "21.00", "20.20", "20.10", "19.00"])) == {"dates fall"}
    assert set(ordered(["20.10", "20.20", "20.30"])) == {"dates rise"}


def test_ages_are_compared_within_their_unit() -> None:
    assert ordered(["20 detik", "58 detik", "7 menit", "9 menit", "9 menit"]) == {"ages rise": [2] * 5}
    assert ordered(["9 menit", "7 menit", "3 menit"]) == {"ages fall": [2] * 3}


def test_counts_that_fall_are_a_ranking_and_counts_that_rise_tell_nothing() -> None:
    falling = ["Dibaca 93.804 kali", "Dibaca 47.790 kali", "Dibaca 9.190 kali"]
    assert ordered(falling) == {"counts fall": [2] * 3} == ordered(falling, timed=False)  # no age is that high
    assert ordered(falling[::-1]) == {}


def test_a_list_ends_where_a_block_opens_a_page_ends_or_nothing_comes_for_long() -> None:
    falling = ["20.50", "20.40", "20.30"]
    assert ordered(falling) == {"dates fall": [2, 2, 2]}
    assert ordered(falling, opens=(1,)) == {}
    assert ordered(falling, lengths=[1, 0, 2]) == {}
    assert ordered([*falling[:2], *["Judul"] * 6, falling[2]]) == {}
    assert ordered([*falling[:2], "12 Mei 2025, 20.30"]) == {}  # another kind of date


LINES = st.lists(
    st.sampled_from(["21.48", "20.15", "9.05", "2 menit", "7 menit", "3.100 views", "Judul", "1", "12 Mei 2025"]), max_size=12
)


@given(st.lists(LINES, max_size=4), st.booleans())
def test_runs_are_those_of_each_page_alone(pages: list[list[str]], timed: bool) -> None:
    flat, lengths = [line for page in pages for line in page], [len(page) for page in pages]
    together = ordered(flat, timed, lengths=lengths)
    for name in RUNS:
        alone = [steps for page in pages for steps in ordered(page, timed).get(name, [0] * len(page))]
        assert together.get(name, [0] * len(flat)) == alone


NUMBER = re.compile(r"[0-9]{1,3}(?:[.,][0-9]{3})+(?![0-9])|[0-9]+")


@given(st.lists(st.text(st.sampled_from("0123456789.,:/ )-ab\u0660年"), max_size=30), min_size=1, max_size=8))
def test_numbers_are_those_that_a_pattern_finds(rows: list[str]) -> None:
    facts = np.zeros((len(rows), len(FACTS)), np.float32)
    facts[:, FACTS.index("a digit")] = 1
    found = figures(rows, facts, np.ones(len(rows), np.float32))
    for row, line in zip(found, rows, strict=True):
        numbers = [int(re.sub("[.,]", "", text)) for text in NUMBER.findall(line.replace("\u0660", "0"))]
        ranked = len(numbers) == 1 and bool(re.match(r".{0,2}(?<![0-9])[0-9]{1,2}[.)]", line.replace("\u0660", "0")))
        assert row["many"] == (0 if ranked else min(len(numbers), 5))
        capped = [min(number, 2047 if place else (1 << 19) - 1) for place, number in enumerate((numbers + [0] * 5)[:5])]
        if max([0, *numbers]) < 10**8:
            assert row["value"] == sum(number << 44 - 11 * place for place, number in enumerate(capped))


def test_pages_without_lines_have_no_figures() -> None:
    assert not len(figures([], np.zeros((0, len(FACTS)), np.float32), np.zeros(0, np.float32)))
    assert runs(np.zeros(0, FIGURES), np.zeros(0, bool), np.zeros(0, bool), []).shape == (len(RUNS), 0)


def test_toy_pages_have_times(tagger: LineTagger) -> None:
    flat = [line for page in toy_pages(4)[0] for line in page]
    assert any(many == 2 for many, _ in numbers(tagger, *flat))
