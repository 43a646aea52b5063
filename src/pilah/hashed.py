"""Texts as numbers: hashes of stretches, kinds of characters, and a table of what hashes stand for.

Nothing here makes a string of a word, or looks one up: a batch of words is some arrays over the characters of one text.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from pilah import fast

Ints = NDArray[np.int64]
Hashes = NDArray[np.uint64]
_SPACE = np.array([chr(code).isspace() for code in range(0x3002)])  # the last that is one is U+3000, the last of these is none
BASE = 0x9E3779B97F4A7C15
"""Of the polynomials that hashes are."""


def codes_of(text: str) -> NDArray[np.uint32]:
    """The code points of a text, lone surrogates too."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


@cache  # sizes are powers of two
def _powers(size: int) -> tuple[Hashes, Hashes]:
    base, inverse = (np.full(size, number, np.uint64) for number in (BASE, pow(BASE, -1, 2**64)))
    return base.cumprod(), inverse.cumprod()


def _running(values: NDArray[np.unsignedinteger]) -> tuple[Hashes, Hashes]:
    """The polynomials of the first none, one, two, ... values, and what a power of the base at each place is divided by."""
    powers, inverse = _powers(1 << len(values).bit_length())
    sums = np.zeros(len(values) + 1, np.uint64)
    np.cumsum(values * powers[: len(values)], out=sums[1:])
    return sums, inverse


class Hashed:
    """Hashes of any stretches of a text: polynomials of their characters modulo 2**64, from running sums.

    That two of a million different stretches have one hash happens in one of 30 million texts.
    """

    def __init__(self, codes: NDArray[np.uint32]) -> None:
        self._sums, self._inverse = _running(codes + np.uint32(1))

    def between(self, starts: Ints, stops: Ints) -> Hashes:
        """The hash of each stretch from a start to a stop."""
        return (self._sums[stops] - self._sums[starts]) * self._inverse[starts]


def joined(heads: Hashes, sizes: Ints, tails: Hashes) -> Hashes:
    """Hashes of stretches of so many characters with others behind them."""
    powers, _ = _powers(1 << int(np.max(sizes, initial=1)).bit_length())
    return heads + tails * np.where(sizes > 0, powers[sizes - 1], np.uint64(1))


def hashes_of(texts: Iterable[str]) -> Hashes:
    """The hash of each text."""
    texts = list(texts)
    ends = np.cumsum([0, *map(len, texts)])
    return Hashed(codes_of("".join(texts))).between(ends[:-1], ends[1:])


def joined_runs(hashes: Hashes, ends: Ints) -> Hashes:
    """One hash of each run of hashes, such as those of the words of a line; so many come before the end of each run, with a zero in front."""
    if kernels := fast.kernels():
        found: Hashes = kernels.joined_runs(hashes, ends, np.uint64(BASE))
        return found
    sums, inverse = _running(hashes ^ (hashes >> np.uint64(31)))  # polynomials of polynomials of one base: 'a b' would be 'ab'
    return (sums[ends[1:]] - sums[ends[:-1]]) * inverse[ends[:-1]]


def hashed_words(lines: Sequence[str]) -> tuple[NDArray[np.uint32], Ints, Ints, Hashes, Ints]:
    """What `str.split` would find in some lines, as numbers.

    Returns
    -------
    tuple of arrays
        The code points of the lines as one text; where in it each word starts and stops; the hash of each word; and the number of words
        before the end of each line, with a zero in front.
    """
    codes = codes_of(" ".join([*lines, ""]))
    ends = np.append(0, np.cumsum(np.fromiter(map(len, lines), np.int64, len(lines)) + 1))
    if kernels := fast.kernels():
        return codes, *kernels.split_words(codes, _SPACE, ends[1:], np.uint64(BASE))
    space = _SPACE.take(codes, mode="clip")
    edges = np.flatnonzero(np.diff(space, prepend=True))
    starts, stops = edges[0::2], edges[1::2]
    return codes, starts, stops, Hashed(codes).between(starts, stops), np.searchsorted(starts, ends)


class HashTable:
    """A number above zero for each of some hashes, with open addressing.

    Parameters
    ----------
    bits : int
        It has 2**bits slots; let half of them stay free.
    """

    def __init__(self, bits: int) -> None:
        self._hashes = np.zeros(1 << bits, np.uint64)
        self._numbers = np.zeros(1 << bits, np.int32)
        self._shift = np.uint64(64 - bits)

    @classmethod
    def of(cls, texts: Sequence[str]) -> HashTable:
        """Texts, numbered from one."""
        table = cls(max(4, (2 * len(texts)).bit_length()))
        table.add(hashes_of(texts), np.arange(1, len(texts) + 1))
        return table

    def _first(self, hashes: Hashes) -> Ints:
        """The slot where the search for each hash begins."""
        return ((hashes * np.uint64(BASE)) >> self._shift).astype(np.int64)

    @property
    def slots(self) -> tuple[Hashes, NDArray[np.int32], np.uint64]:
        """What the loops of `kernels` search: its hashes, their numbers, and by how many bits a hash is shifted to its slot."""
        return self._hashes, self._numbers, self._shift

    def find(self, hashes: Hashes) -> NDArray[np.int32]:
        """The number of each hash, 0 for none."""
        if kernels := fast.kernels():
            found: NDArray[np.int32] = kernels.find(*self.slots, np.uint64(BASE), hashes)
            return found
        slots = self._first(hashes)
        found = self._numbers.take(slots)
        left = np.flatnonzero((self._hashes.take(slots) != hashes) & (found > 0))
        slots = slots[left]
        while len(left):
            slots = (slots + 1) % len(self._numbers)
            found[left] = self._numbers[slots]
            taken = (self._hashes[slots] != hashes[left]) & (found[left] > 0)
            slots, left = slots[taken], left[taken]
        return found

    def numbered(self, hashes: Hashes, start: int) -> tuple[NDArray[np.int32], Ints]:
        """The number of each hash, and where those stand first that were in it under none: they are, from ``start`` on."""
        if kernels := fast.kernels():
            known: tuple[NDArray[np.int32], Ints]
            known = kernels.numbered(*self.slots, np.uint64(BASE), hashes, start)
            return known
        found = self.find(hashes)
        missing = np.flatnonzero(found == 0)
        fresh, first = np.unique(hashes[missing], return_index=True)
        self.add(fresh, np.arange(start, start + len(fresh)))
        found[missing] = self.find(hashes[missing])
        return found, missing[first]

    def held(self) -> tuple[Hashes, NDArray[np.int32]]:
        """The hashes that it holds, and the number of each."""
        taken = np.flatnonzero(self._numbers)
        return self._hashes[taken], self._numbers[taken]

    def clear(self) -> None:
        """Hold nothing."""
        self._numbers.fill(0)

    def add(self, hashes: Hashes, numbers: NDArray[np.integer]) -> None:
        """Hashes that differ, and are not in it."""
        slots, left = self._first(hashes), np.arange(len(hashes))
        while len(left):
            free = self._numbers[slots] == 0
            firsts = np.flatnonzero(free)[np.unique(slots[free], return_index=True)[1]]  # of those at a free slot one takes it
            self._hashes[slots[firsts]], self._numbers[slots[firsts]] = hashes[left[firsts]], numbers[left[firsts]]
            slots, left = np.delete(slots, firsts), np.delete(left, firsts)
            slots = (slots + (self._numbers[slots] > 0)) % len(self._numbers)


# ------------------------------------------------------------------------------------------------ kinds of characters

CLOSERS = "\"'”’»)]）」』"
OPENERS = "\"'“‘«„「『（(["
_WIDE = ((0x1100, 0x11FF), (0x2E80, 0xA4CF), (0xAC00, 0xD7AF), (0xF900, 0xFAFF), (0xFF00, 0xFF60))
_TESTS: dict[str, Callable[[str], bool]] = {
    "letter": str.isalpha,
    "digit": str.isdigit,
    "decimal": str.isdecimal,
    "letter or digit": str.isalnum,
    "upper": str.isupper,
    "accent": lambda c: unicodedata.category(c) == "Mn",
    "wide": lambda c: any(low <= ord(c) <= high for low, high in _WIDE),
    "stop": ".!?。！？؟۔।".__contains__,
    "comma": ",;،、，".__contains__,
    "colon": ":：".__contains__,
    "dot": ".".__contains__,
    "dots": "…".__contains__,
    "quote": '"“”„«»「」『』'.__contains__,
    "bar": "|©®@>»/→".__contains__,
    "opener": OPENERS.__contains__,
    "closer": CLOSERS.__contains__,
    "open paren": "([（".__contains__,
    "close paren": ")]）".__contains__,
    "lower by its place": lambda c: c == "Σ" or len(c.lower()) > 1,
}
KIND = {name: np.uint32(2 << i) for i, name in enumerate(_TESTS)}
"""The bit of each kind of character; the lowest bit says that a character has been looked at."""
_KINDS = np.zeros(0x110000, np.uint32)
LOWER = np.zeros(0x110000, np.uint32)
"""Each character that has been looked at in lower case; of one that is a decimal digit, the ASCII digit of its value."""
_ALIKE = np.zeros(0x110000, np.uint32)  # the same, but that all digits are alike


def kinds_of(codes: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """The bits of some characters. Each character is asked once."""
    found = _KINDS[codes]
    new = set(codes[found == 0].tolist())
    for code in new:
        character = chr(code)
        LOWER[code] = ord(str(int(character)) if character.isdecimal() else character.lower()[0])
        _ALIKE[code] = ord("0") if character.isdecimal() else LOWER[code]
        _KINDS[code] = 1 + sum(int(KIND[name]) for name, test in _TESTS.items() if test(character))
    return _KINDS[codes] if new else found


class Stretches:
    """Stretches of a text, such as its words, with the places in each that matter.

    Parameters
    ----------
    codes : array of shape (characters,)
        The code points of the text, which begins and ends in a space.
    starts, stops : arrays of int
        No stretch is empty; one stands before and one after each space between two of them.
    """

    def __init__(self, codes: NDArray[np.uint32], starts: Ints, stops: Ints) -> None:
        self.codes, self.starts, self.stops = codes, starts, stops

    @classmethod
    def of(cls, texts: Sequence[str]) -> Stretches:
        """Some texts that are not empty."""
        stops = np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)))
        return cls.taken(codes_of("".join(texts)), np.append(0, stops)[:-1], stops)

    @classmethod
    def taken(cls, codes: NDArray[np.uint32], starts: Ints, stops: Ints) -> Stretches:
        """Stretches of another text that are not empty."""
        sizes = stops - starts
        ends = np.cumsum(sizes + 1)
        found = np.full(1 + int(ends[-1] if len(ends) else 0), ord(" "), np.uint32)
        many = np.arange(sizes.sum())
        before = np.cumsum(sizes) - sizes
        found[many + np.repeat(np.arange(1, len(sizes) + 1), sizes)] = codes[many + np.repeat(starts - before, sizes)]
        return cls(found, ends - sizes, ends)

    def __len__(self) -> int:
        return len(self.starts)

    @cached_property
    def kinds(self) -> NDArray[np.uint32]:
        """Of each character."""
        return kinds_of(self.codes)

    @cached_property
    def text(self) -> str:
        """The text itself."""
        return self.codes.tobytes().decode("utf-32-le", "surrogatepass")

    @cached_property
    def lowered(self) -> Stretches:
        """In lower case, digits alike."""
        if not (self.kinds & KIND["lower by its place"]).any():
            return Stretches(_ALIKE[self.codes], self.starts, self.stops)
        found = Stretches(codes_of(self.text.lower()), self.lower_places(self.starts), self.lower_places(self.stops))
        found.codes = np.where(found.kinds & KIND["decimal"], np.uint32(ord("0")), found.codes)
        return found

    def lower_places(self, places: Ints) -> Ints:
        """Where places in the text are in the lowered one: one character of all becomes two."""
        return places if self._more is None else places + self._more[places]

    @cached_property
    def _more(self) -> Ints | None:
        """How many characters the lowered text has more before each place; none if it is as long."""
        longer = self.codes == ord("İ")
        return np.append(0, np.cumsum(longer)) if longer.any() else None

    @property
    def texts(self) -> list[str]:
        """The stretches themselves."""
        return [self.text[i:j] for i, j in zip(self.starts.tolist(), self.stops.tolist(), strict=True)]

    def without(self, kind: str) -> tuple[Ints, Ints]:
        """Where each starts and stops without the characters of a kind around it; past its end or before its start if none is left."""
        kept = np.flatnonzero((self.kinds & KIND[kind]) == 0)  # the spaces are among them
        return kept[np.searchsorted(kept, self.starts)], kept[np.searchsorted(kept, self.stops) - 1] + 1

    @cached_property
    def bare(self) -> tuple[Ints, Ints, NDArray[np.bool_]]:
        """Where each starts and stops without the punctuation around it, and whether anything is left; if not, as it was."""
        if kernels := fast.kernels():
            found: tuple[Ints, Ints, NDArray[np.bool_]] = kernels.bare(
                self.kinds, self.starts, self.stops, KIND["letter or digit"]
            )
            return found
        kept = np.append(np.flatnonzero(self.kinds & KIND["letter or digit"]), len(self.codes))
        first = kept[np.searchsorted(kept, self.starts)]
        left = first < self.stops
        last = kept[np.searchsorted(kept, self.stops) - 1] + 1
        return np.where(left, first, self.starts), np.where(left, last, self.stops), left

    @cached_property
    def _hashed(self) -> Hashed:
        return Hashed(self.codes)

    def hashes(self, starts: Ints, stops: Ints) -> Hashes:
        """The hash of each stretch from a start to a stop."""
        if kernels := fast.kernels():
            found: Hashes = kernels.hashes(self.codes, starts, stops, np.uint64(BASE))
            return found
        return self._hashed.between(starts, stops)
