"""Loops over words and lines: what `pilah.features` finds in the kinds of characters, and adds up over the words of each line."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pilah import features
from pilah.hashed import KIND
from pilah.kernels.compiled import compiled

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
# What is compiled is kept as long as this file stays as it is, so what it hangs on stands here, and is compared with where it comes from.
_WIDTHS = np.array([3, 8, 15, 22, 30, 40, 52, 66, 82, 100, 125, 160, 220, 320, 500], np.float32)
_COUNTS = np.array([1, 2, 3, 5, 8, 12, 18, 30, 60], np.float32)
_FACTS = 54
_NAMES = (
    "chars", "width", "letters", "upper", "digits", "capital", "stop", "colon", "comma", "mark", "rank", "time", "date",
    "quote", "open_paren", "close_paren", "bar", "ellipsis", "number",
)  # fmt: skip
_ATTRIBUTES = len(_NAMES)
(_CHARS, _WIDTH, _LETTERS, _UPPER, _DIGITS, _CAPITAL, _STOP, _COLON, _COMMA, _MARK, _RANK, _TIME, _DATE, _QUOTE, _OPEN_PAREN,
 _CLOSE_PAREN, _BAR, _ELLIPSIS, _NUMBER) = range(_ATTRIBUTES)  # fmt: skip
_KINDS = {
    name: np.uint32(2 << i)
    for i, name in enumerate(
        ("letter", "digit", "decimal", "letter or digit", "upper", "accent", "wide", "stop", "comma", "colon", "dot", "dots", "quote",
         "bar", "opener", "closer", "open paren", "close paren")
    )
}  # fmt: skip
_BITS = tuple(
    _KINDS[name]
    for name in ("wide", "letter", "upper", "digit", "comma", "opener", "closer", "dot", "dots", "stop", "colon", "quote", "bar",
                 "open paren", "close paren")
)  # fmt: skip
_NO_MARK = _KINDS["letter"] | _KINDS["digit"] | _KINDS["accent"]
_MOST, _HALF, _NEARLY, _QUARTER = np.float32(0.85), np.float32(0.5), np.float32(0.9), np.float32(0.25)
if (features.ATTRIBUTES, len(features.FACTS), KIND) != (_NAMES, _FACTS, _KINDS) or any(
    not np.array_equal(*pair) for pair in ((_WIDTHS, features.WIDTHS), (_COUNTS, features.COUNTS))
):
    raise ImportError("the loops over lines are not those of pilah.features")


@compiled
def attributes(kinds: NDArray[np.uint32], starts: Ints, stops: Ints, found: Floats) -> None:
    """Write what `features.attribute_rows` finds in the kinds of the characters of each word."""
    wide, letter, upper, digit, comma, opener, closer, dot, dots, stop, colon, quote, bar, open_paren, close_paren = _BITS
    for word in range(len(starts)):
        first, last, row = starts[word], stops[word] - 1, found[word]
        every, many = np.uint32(0), np.zeros(5, np.int64)
        for i in range(first, last + 1):
            kind = kinds[i]
            every |= kind
            many[0] += (kind & wide) != 0
            many[1] += (kind & letter) != 0
            many[2] += (kind & upper) != 0
            many[3] += (kind & digit) != 0
            many[4] += (kind & comma) != 0
        row[_CHARS] = last + 2 - first
        row[_WIDTH] = row[_CHARS] + np.float32(1.5) * many[0]
        row[_LETTERS], row[_UPPER], row[_DIGITS], row[_COMMA] = many[1], many[2], many[3], many[4]
        row[_COLON], row[_CLOSE_PAREN] = (kinds[last] & colon) != 0, (kinds[last] & close_paren) != 0
        row[_OPEN_PAREN] = (kinds[first] & open_paren) != 0
        while first <= last and kinds[first] & opener:
            first += 1
        row[_CAPITAL] = first <= last and (kinds[first] & upper) != 0
        while last >= starts[word] and kinds[last] & closer:
            last -= 1
        three = last >= starts[word] + 2 and (kinds[last] & kinds[last - 1] & kinds[last - 2] & dot) != 0
        row[_ELLIPSIS] = three or (kinds[last] & dots) != 0
        row[_STOP] = (kinds[last] & stop) != 0 and row[_ELLIPSIS] == 0
        row[_MARK] = (every & _NO_MARK) == 0
        row[_QUOTE], row[_BAR] = (every & quote) != 0, (every & bar) != 0


@compiled
def _facts(total: Floats, first: Floats, last: Floats, words: int, row: Floats) -> None:
    """`features.line_facts` of one line."""
    at = 0
    for i in range(len(_WIDTHS)):
        row[at + i] = total[_WIDTH] > _WIDTHS[i]
    at += len(_WIDTHS)
    for i in range(len(_COUNTS)):
        row[at + i] = words > _COUNTS[i]
    at += len(_COUNTS)
    capital = total[_CAPITAL] / max(np.float32(words) - total[_MARK], np.float32(1))
    letters, upper, width = total[_LETTERS], total[_UPPER], total[_WIDTH]
    inside = total[_STOP] - last[_STOP]
    time, date, mark, rank = total[_TIME] > 0, total[_DATE] > 0, first[_MARK] > 0, first[_RANK] > 0
    row[at], row[at + 1], row[at + 2], row[at + 3] = last[_STOP] > 0, last[_COLON] > 0, last[_COMMA] > 0, last[_ELLIPSIS] > 0
    row[at + 4], row[at + 5], row[at + 6], row[at + 7] = inside > 0, inside > 2, total[_COMMA] > 0, total[_COMMA] > 2
    row[at + 8], row[at + 9], row[at + 10], row[at + 11] = mark, mark and words == 1, rank, rank and words == 1
    row[at + 12] = mark and last[_RANK] > 0 and words == 2
    row[at + 13], row[at + 14] = capital > _MOST, _HALF < capital <= _MOST
    row[at + 15] = first[_CAPITAL] > 0
    row[at + 16], row[at + 17] = upper > _NEARLY * letters and letters > 3, upper == 0 and letters > 3
    row[at + 18], row[at + 19] = total[_DIGITS] > 0, total[_DIGITS] > _QUARTER * total[_CHARS]
    row[at + 20], row[at + 21], row[at + 22] = time, date, (time or date) and width < 45
    row[at + 23], row[at + 24] = total[_QUOTE] > 0, first[_QUOTE] > 0
    row[at + 25], row[at + 26] = first[_OPEN_PAREN] > 0 and last[_CLOSE_PAREN] > 0, total[_OPEN_PAREN] > 0
    row[at + 27], row[at + 28], row[at + 29] = total[_BAR] > 0, words == 1, letters == 0


@compiled
def line_sums(
    rows: NDArray[np.int32], ends: Ints, table: Floats, firsts: Floats, seconds: Floats, lasts: Floats
) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """`features.WordTable.add_up` and `features.line_facts`: sums, placed columns, facts, widths and numbers."""
    many, width = len(ends) - 1, table.shape[1]
    sums, placed = np.zeros((many, width - _ATTRIBUTES), np.float32), np.zeros((many, firsts.shape[1]), np.float32)
    facts = np.zeros((many, _FACTS), np.float32)
    widths, numbers = np.zeros(many, np.float32), np.zeros(many, np.float32)
    total, none = np.empty(width, np.float32), np.zeros(_ATTRIBUTES, np.float32)
    for line in range(many):
        start, words = ends[line], ends[line + 1] - ends[line]
        for column in range(width):
            total[column] = 0
        for i in range(start, start + words):
            row = table[rows[i]]
            for column in range(width):
                total[column] += row[column]
        for column in range(_ATTRIBUTES, width):
            sums[line, column - _ATTRIBUTES] = total[column]
        widths[line] = total[_WIDTH]
        first, last = none, none
        if words:
            first, last = table[rows[start], :_ATTRIBUTES], table[rows[start + words - 1], :_ATTRIBUTES]
            for column in range(placed.shape[1]):
                placed[line, column] = firsts[rows[start], column]
        if words > 1:  # a lone word is its line's first alone
            for column in range(placed.shape[1]):
                placed[line, column] += seconds[rows[start + 1], column]
                placed[line, column] += lasts[rows[start + words - 1], column]
        _facts(total, first, last, words, facts[line])
        numbers[line] = last[_NUMBER] if first[_MARK] > 0 and words == 2 else first[_NUMBER]  # '- 3'
    return sums, placed, facts, widths, numbers
