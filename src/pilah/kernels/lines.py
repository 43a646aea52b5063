"""Loops over words and lines: what `pilah.features` finds in the kinds of characters, and adds up over the words of each line."""

from __future__ import annotations

from typing import Any

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
         "bar", "opener", "closer", "open paren", "close paren", "lower by its place")
    )
}  # fmt: skip
_BITS = tuple(
    _KINDS[name]
    for name in ("wide", "letter", "upper", "digit", "comma", "opener", "closer", "dot", "dots", "stop", "colon", "quote", "bar",
                 "open paren", "close paren")
)  # fmt: skip
_DECIMAL, _WORDLIKE = _KINDS["decimal"], _KINDS["letter or digit"]
_NO_MARK = _KINDS["letter"] | _KINDS["digit"] | _KINDS["accent"]
_MOST, _HALF, _NEARLY, _QUARTER = np.float32(0.85), np.float32(0.5), np.float32(0.9), np.float32(0.25)
if (features.ATTRIBUTES, len(features.FACTS), KIND) != (_NAMES, _FACTS, _KINDS) or any(
    not np.array_equal(*pair) for pair in ((_WIDTHS, features.WIDTHS), (_COUNTS, features.COUNTS))
):
    raise ImportError("the loops over lines are not those of pilah.features")


@compiled
def _decimals(kinds: NDArray[np.uint32], at: int, stop: int) -> int:
    """How many decimal digits stand from a place on."""
    first = at
    while at < stop and kinds[at] & _DECIMAL:
        at += 1
    return at - first


@compiled
def _signs(codes: NDArray[np.uint32], kinds: NDArray[np.uint32], at: int, stop: int) -> int:
    """Where the signs from a place on end: what regular expressions call no word character."""
    while at < stop and not kinds[at] & _WORDLIKE and codes[at] != ord("_"):
        at += 1
    return at


@compiled
def _one_of(codes: NDArray[np.uint32], at: int, stop: int, a: int, b: int, c: int) -> Any:
    """Whether one of three characters stands at a place."""
    return at < stop and (codes[at] == a or codes[at] == b or codes[at] == c)


@compiled
def _rank(codes: NDArray[np.uint32], kinds: NDArray[np.uint32], lower: NDArray[np.uint32], start: int, stop: int) -> Any:
    """The number that a word consists of as `features._RANK` has it, or -1."""
    at = start + _one_of(codes, start, stop, ord("#"), ord("("), ord("("))
    many = _decimals(kinds, at, stop)
    end = at + many + _one_of(codes, at + many, stop, ord("."), ord(")"), ord(")"))
    if end < stop or not 1 <= many <= 2:
        return -1
    number: Any = 0
    for i in range(at, at + many):
        number = 10 * number + np.int64(lower[codes[i]]) - ord("0")
    return number


@compiled
def _time(codes: NDArray[np.uint32], kinds: NDArray[np.uint32], start: int, stop: int) -> Any:
    """Whether a word is a time as `features._TIME` has it."""
    at = _signs(codes, kinds, start, stop)
    many = _decimals(kinds, at, stop)
    at += many
    if not 1 <= many <= 2 or not _one_of(codes, at, stop, ord(":"), ord("."), ord(".")) or _decimals(kinds, at + 1, stop) != 2:
        return False
    at += 3
    if _one_of(codes, at, stop, ord(":"), ord(":"), ord(":")) and _decimals(kinds, at + 1, stop) == 2:
        at += 3
    return _signs(codes, kinds, at, stop) == stop


@compiled
def _date(codes: NDArray[np.uint32], kinds: NDArray[np.uint32], start: int, stop: int) -> Any:
    """Whether a word is a date as `features._DATE` has it."""
    first = _signs(codes, kinds, start, stop)
    many = _decimals(kinds, first, stop)
    at = first + many
    if not 1 <= many <= 4:
        return False
    if _signs(codes, kinds, at, stop) == stop:
        century = 10 * np.int64(codes[first]) + np.int64(codes[first + 1]) - 11 * ord("0") if many == 4 else 0
        return century == 19 or century == 20
    for low, high in ((1, 2), (2, 4)):
        if not _one_of(codes, at, stop, ord("/"), ord("."), ord("-")):
            return False
        many = _decimals(kinds, at + 1, stop)
        if not low <= many <= high:
            return False
        at += 1 + many
    return _signs(codes, kinds, at, stop) == stop


@compiled
def attributes(
    codes: NDArray[np.uint32], kinds: NDArray[np.uint32], lower: NDArray[np.uint32], starts: Ints, stops: Ints, found: Floats
) -> None:
    """Write what `features.attribute_rows` finds in each word."""
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
        if many[3]:
            row[_NUMBER] = _rank(codes, kinds, lower, starts[word], stops[word])
            row[_RANK] = row[_NUMBER] >= 0
            row[_TIME] = _time(codes, kinds, starts[word], stops[word])
            row[_DATE] = _date(codes, kinds, starts[word], stops[word])


@compiled
def _facts(total: Floats, table: Floats, first: int, last: int, words: int, facts: Floats, line: int) -> None:
    """`features.line_facts` of one line; its first and last word are rows of the table."""
    at = 0
    for i in range(len(_WIDTHS)):
        facts[line, at + i] = total[_WIDTH] > _WIDTHS[i]
    at += len(_WIDTHS)
    for i in range(len(_COUNTS)):
        facts[line, at + i] = words > _COUNTS[i]
    at += len(_COUNTS)
    capital = total[_CAPITAL] / max(np.float32(words) - total[_MARK], np.float32(1))
    letters, upper, width = total[_LETTERS], total[_UPPER], total[_WIDTH]
    stops, inside = table[last, _STOP], total[_STOP] - table[last, _STOP]
    time, date, mark, rank = total[_TIME] > 0, total[_DATE] > 0, table[first, _MARK] > 0, table[first, _RANK] > 0
    paren = table[first, _OPEN_PAREN] > 0 and table[last, _CLOSE_PAREN] > 0
    facts[line, at], facts[line, at + 1] = stops > 0, table[last, _COLON] > 0
    facts[line, at + 2], facts[line, at + 3] = table[last, _COMMA] > 0, table[last, _ELLIPSIS] > 0
    facts[line, at + 4], facts[line, at + 5] = inside > 0, inside > 2
    facts[line, at + 6], facts[line, at + 7] = total[_COMMA] > 0, total[_COMMA] > 2
    facts[line, at + 8], facts[line, at + 9] = mark, mark and words == 1
    facts[line, at + 10], facts[line, at + 11] = rank, rank and words == 1
    facts[line, at + 12] = mark and table[last, _RANK] > 0 and words == 2
    facts[line, at + 13], facts[line, at + 14] = capital > _MOST, _HALF < capital <= _MOST
    facts[line, at + 15] = table[first, _CAPITAL] > 0
    facts[line, at + 16], facts[line, at + 17] = upper > _NEARLY * letters and letters > 3, upper == 0 and letters > 3
    facts[line, at + 18], facts[line, at + 19] = total[_DIGITS] > 0, total[_DIGITS] > _QUARTER * total[_CHARS]
    facts[line, at + 20], facts[line, at + 21], facts[line, at + 22] = time, date, (time or date) and width < 45
    facts[line, at + 23], facts[line, at + 24] = total[_QUOTE] > 0, table[first, _QUOTE] > 0
    facts[line, at + 25], facts[line, at + 26] = paren, total[_OPEN_PAREN] > 0
    facts[line, at + 27], facts[line, at + 28], facts[line, at + 29] = total[_BAR] > 0, words == 1, letters == 0


@compiled
def line_scores(
    rows: NDArray[np.int32],
    ends: Ints,
    table: Floats,
    firsts: Floats,
    seconds: Floats,
    lasts: Floats,
    intercept: Floats,
    powers: Floats,
    others: int,
) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """`features.WordTable.add_up` and `features.line_facts`, and the scores that follow but for those of facts, which are a product of matrices.

    In this order: scores, so many other sums, facts, widths, numbers. Row 0 of the tables is all zeros. ``powers`` are those of the parts whose weights are divided.
    """
    many, width, types, places = len(ends) - 1, table.shape[1], len(intercept), firsts.shape[1]
    scores, sums = np.empty((many, types), np.float32), np.empty((many, others), np.float32)
    facts = np.empty((many, _FACTS), np.float32)
    widths, numbers = np.empty(many, np.float32), np.empty(many, np.float32)
    total = np.empty(width, np.float32)
    for line in range(many):
        start, words = ends[line], ends[line + 1] - ends[line]
        for column in range(width):
            total[column] = 0
        for i in range(start, start + words):
            row = rows[i]  # a number: to take each row out of the table costs as much as to add it up
            for column in range(width):
                total[column] += table[row, column]
        widths[line] = total[_WIDTH]
        first, last = (rows[start], rows[start + words - 1]) if words else (0, 0)
        second, final = (rows[start + 1], last) if words > 1 else (0, 0)  # a lone word is its line's first alone
        _facts(total, table, first, last, words, facts, line)
        numbers[line] = table[last if table[first, _MARK] > 0 and words == 2 else first, _NUMBER]  # '- 3'
        for k in range(types):
            scores[line, k] = intercept[k]
        for k in range(places):
            scores[line, k] += firsts[first, k] + seconds[second, k] + lasts[final, k]
        at = _ATTRIBUTES
        for part in range(len(powers)):
            weight = total[at + types]
            scale = np.float32(0)
            if weight > 0:
                weight = max(weight, np.float32(1e-9))
                scale = np.float32(1) / np.sqrt(weight) if powers[part] == np.float32(0.5) else weight ** -powers[part]
            for k in range(types):
                scores[line, k] += total[at + k] * scale
            at += types + 1
        for k in range(others):
            sums[line, k] = total[at + k]
    return scores, sums, facts, widths, numbers
