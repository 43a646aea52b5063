"""What a line says by itself: words, character pieces and facts, one swappable part each.

Every part looks at one space-separated word at a time and adds up over the words of a line. That is the *additive
identity* the package lives on: the projection of a line's TF-IDF vector onto the model's weights is

    (sum over its words of a vector that depends on the word alone) / (sum over its words of a number) ** power

so a word is analysed once and kept in a table (`WordTable`), and a batch of lines is one sparse product. The parts
are scikit-learn transformers as well (`fit`, `transform`), and both ways give the same scores; a test holds them together.

It is long because a part, its word-wise form and the table that adds it up are one identity, tested as one.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import chain, repeat
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from pilah import fast
from pilah.hashed import BASE, KIND, LOWER, HashTable, Stretches, hashed_words, hashes_of, joined, joined_runs
from pilah.page import MAX_LINE_CHARS
from pilah.params import Params

MAX_WORD_CHARS = 400
"""Character pieces are taken from so much of a word."""

FEW = 1000
"""So many are looked up as strings before a vocabulary is worth hashing."""

PHRASE_WORD_CHARS = 30
"""A phrase has at most so many characters for each word that it may have."""

MAX_ANSWERS, LINES_ASKED = 50_000, 10_000
"""So many short lines are remembered, with the phrases that they are, before they are forgotten; so many are asked about at a time."""

CHARACTERS_AT_ONCE = 500_000
"""So much text is scored at a time: what is made of it stays small beside the model."""

Floats = NDArray[np.float32]
_LEARNING = threading.Lock()
"""Held while words and phrases are looked up, and learned where they are new: threads may share a tagger."""
_PUNCTUATION = re.compile(r"^[\W_]+|[\W_]+$")
_DIGIT = re.compile(r"\d")


def split_words(line: str) -> list[str]:
    """The space-separated words of a line, from its first `MAX_LINE_CHARS` characters."""
    return line[:MAX_LINE_CHARS].split()


def line_scale(total: Floats, power: float) -> Floats:
    """What the weights of a line are multiplied by: their sum to the power ``-power``, 0 for a line without any."""
    return np.where(total > 0, np.maximum(total, 1e-9) ** -power, 0).astype(np.float32)


def _word_counts(lines: Sequence[str]) -> tuple[list[str], sparse.csr_matrix]:
    """The distinct words of lines, and how often each stands in each line."""
    known: dict[str, int] = {}
    indices, ends = [], [0]
    for line in lines:
        indices += [known.setdefault(word, len(known)) for word in split_words(line)]
        ends.append(len(indices))
    ones = np.ones(len(indices), np.float32)
    found = sparse.csr_matrix((ones, np.asarray(indices, np.int64), np.asarray(ends)), shape=(len(lines), len(known)))
    found.sum_duplicates()
    return list(known), found


def _piece_counts(rows: Sequence[Sequence[str]], known: dict[str, int]) -> sparse.csr_matrix:
    sizes = np.fromiter(map(len, rows), np.int32, len(rows))
    total = int(sizes.sum())
    index = np.fromiter(map(known.get, chain.from_iterable(rows), repeat(-1)), np.int32, total)
    ends = np.concatenate([[0], np.cumsum(sizes)])
    held = index >= 0
    ends = np.concatenate([[0], np.cumsum(held)])[ends]
    index = index[held]
    found = sparse.csr_matrix((np.ones(len(index), np.float32), index, ends), shape=(len(rows), len(known)))
    found.sum_duplicates()
    return found


class TfidfPart(Params):
    """TF-IDF over pieces of words, divided by a power of the sum of a line's weights.

    Term weights are scikit-learn's (`TfidfVectorizer` with ``norm=None``: raw counts times smoothed idf, Salton &
    Buckley 1988). The usual Euclidean norm does not add up over words; the sum of the weights does. ``power=1`` is
    the L1 norm, ``power=0.5`` is what the Euclidean norm comes to where no piece repeats.
    """

    min_df: int
    max_features: int
    power: float
    vocabulary_: dict[str, int]
    idf_: Floats

    def pieces(self, word: str) -> list[str]:
        """The pieces of one word."""
        raise NotImplementedError

    def analyze(self, line: str) -> list[str]:
        """All pieces of a line, with repeats."""
        return [piece for word in split_words(line) for piece in self.pieces(word)]

    def fit(self, lines: Sequence[str], y: object = None) -> Self:
        """Learn the vocabulary and the document frequencies from lines."""
        self.fit_transform(lines)
        return self

    def fit_transform(self, lines: Sequence[str], y: object = None) -> sparse.csr_matrix:
        """Fit, and give what `transform` would give for the same lines."""
        from sklearn.feature_extraction.text import TfidfTransformer

        words, in_lines = _word_counts(lines)
        stretches = clipped(Stretches.of(words))
        rows, hashes = self.hashed_pieces(stretches)
        _, first, same = np.unique(hashes, return_index=True, return_inverse=True)
        order = np.argsort(first)  # pieces are numbered as they first come
        number = np.empty(len(order), np.int32)
        number[order] = np.arange(len(order))
        ends = np.searchsorted(rows, np.arange(len(words) + 1))
        ones = np.ones(len(rows), np.float32)
        in_words = sparse.csr_matrix((ones, number[same], ends), shape=(len(words), len(order)))
        in_words.sum_duplicates()
        counts = sparse.csr_matrix(in_lines @ in_words)
        frequency = np.bincount(counts.indices, minlength=len(order))
        total = np.asarray(counts.sum(axis=0)).ravel()
        kept = np.flatnonzero(frequency >= self.min_df)
        kept = np.sort(kept[np.argsort(-total[kept], kind="stable")[: self.max_features]])
        at = first[order[kept]]
        texts = stretches.texts
        pieces = {row: self.pieces(texts[row]) for row in set(rows[at].tolist())}
        places = zip(rows[at].tolist(), (at - ends[rows[at]]).tolist(), strict=True)
        self.vocabulary_ = {pieces[row][i]: column for column, (row, i) in enumerate(places)}
        counts = sparse.csr_matrix(counts[:, kept])
        idf = TfidfTransformer(norm=None).fit(counts).idf_ if len(kept) and len(lines) else np.zeros(len(kept))
        self.idf_ = np.asarray(idf, np.float32)
        return self._normed(counts)

    def counts(self, words: Stretches) -> sparse.csr_matrix:
        """How often each piece of the vocabulary is in single words of up to `MAX_WORD_CHARS`, shape (words, vocabulary); one that repeats stands twice."""
        table = _hash_table(self, len(words))
        if table is None:
            return _piece_counts([self.pieces(word) for word in words.texts], self.vocabulary_)
        rows, hashes = self.hashed_pieces(words)
        columns = table.find(hashes) - 1
        known = np.flatnonzero(columns >= 0)
        ends = np.searchsorted(rows[known], np.arange(len(words) + 1))
        columns = columns[known]
        return sparse.csr_matrix((np.ones(len(columns), np.float32), columns, ends), shape=(len(words), len(self.vocabulary_)))

    def weighted(self, weights: Floats) -> Floats:
        """The weights of the vocabulary as `projected` wants them, shape (vocabulary + 1, types + 1), for weights of shape (vocabulary, types).

        Each times the idf of its piece, which stands in the last column; the last row is that of an unknown piece.
        """
        return np.pad(np.column_stack([weights * self.idf_[:, None], self.idf_]), ((0, 1), (0, 0)))

    def projected(self, words: Stretches, weights: Floats) -> Floats:
        """What the pieces of each word add to the score of each type, and their idf added up, shape (words, types + 1).

        Weights are those of `weighted`.
        """
        return np.asarray(self.counts(words) @ weights[:-1], np.float32)

    def hashed_pieces(self, words: Stretches) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
        """The numbers of the words that pieces are of, which do not fall, and the hashes of the pieces."""
        raise NotImplementedError

    def transform(self, lines: Sequence[str]) -> sparse.csr_matrix:
        """Shape (lines, vocabulary)."""
        words, in_lines = _word_counts(lines)
        return self._normed(sparse.csr_matrix(in_lines @ self.counts(clipped(Stretches.of(words)))))

    def _normed(self, counts: sparse.csr_matrix) -> sparse.csr_matrix:
        weights = sparse.csr_matrix(counts @ sparse.diags(self.idf_))
        scale = line_scale(np.asarray(weights.sum(axis=1)).ravel(), self.power)
        return sparse.csr_matrix(sparse.diags(scale) @ weights, dtype=np.float32)

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """The pieces, in the order of the columns."""
        return np.asarray(list(self.vocabulary_), object)


class Words(TfidfPart):
    """Lower-cased words without the punctuation around them, digits alike.

    >>> Words().analyze("Harga Cabai Naik 12 Persen, Kata 'Bos' Pasar - ...")
    ['harga', 'cabai', 'naik', '00', 'persen', 'kata', 'bos', 'pasar', '-', '...']
    """

    def __init__(self, min_df: int = 2, max_features: int = 30_000, power: float = 0.5) -> None:
        self.min_df = min_df
        self.max_features = max_features
        self.power = power

    def pieces(self, word: str) -> list[str]:
        """The word itself, or the whole token where it is punctuation alone."""
        word = word[:MAX_WORD_CHARS]
        return [_lowered(_bare(word)) or word]

    def hashed_pieces(self, words: Stretches) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
        """As of `TfidfPart`."""
        starts, stops, left = words.bare
        found = words.lowered.hashes(words.lower_places(starts), words.lower_places(stops))
        marks = np.flatnonzero(~left)
        found[marks] = words.hashes(starts[marks], stops[marks])
        return np.arange(len(words)), found

    def projected(self, words: Stretches, weights: Floats) -> Floats:
        """As of `TfidfPart`: a word is one piece, so nothing is to be added up."""
        table = _hash_table(self, len(words))
        if table is None:
            return super().projected(words, weights)
        return weights.take(table.find(self.hashed_pieces(words)[1]) - 1, axis=0)


class Characters(TfidfPart):
    """Character n-grams inside words, padded by a space on both sides: what scikit-learn calls ``char_wb``.

    >>> Characters(ngram_min=3, ngram_max=3).analyze("Top 10")
    [' to', 'top', 'op ', ' 00', '00 ']
    """

    def __init__(
        self, ngram_min: int = 2, ngram_max: int = 4, min_df: int = 3, max_features: int = 60_000, power: float = 0.5
    ) -> None:
        self.ngram_min = ngram_min
        self.ngram_max = ngram_max
        self.min_df = min_df
        self.max_features = max_features
        self.power = power

    def pieces(self, word: str) -> list[str]:
        """All n-grams; a word shorter than n counts once, whole."""
        return _ngrams(word[:MAX_WORD_CHARS], self.ngram_min, self.ngram_max)

    def hashed_pieces(self, words: Stretches) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
        """As of `TfidfPart`."""
        lowered = words.lowered
        starts, sizes = lowered.starts - 1, lowered.stops - lowered.starts + 2  # with the spaces around them
        lengths = np.arange(self.ngram_min, self.ngram_max + 1)
        longer = sizes[:, None] - lengths
        whole = (longer == 0) | ((longer < 0) & (lengths == self.ngram_min))  # a word shorter than n counts once
        many = np.where(longer > 0, longer + 1, whole)  # of each word, for each n
        before = np.cumsum(many).reshape(many.shape) - many
        start = np.arange(many.sum()) + np.repeat(starts[:, None] - before, many.ravel())
        stop = start + np.repeat(np.minimum(lengths, sizes[:, None]), many.ravel())
        return np.repeat(np.arange(len(words)), many.sum(axis=1)), lowered.hashes(start, stop)

    def projected(self, words: Stretches, weights: Floats) -> Floats:
        """As of `TfidfPart`."""
        table, kernels = _hash_table(self, len(words)), fast.kernels()
        if table is None or not kernels:
            return super().projected(words, weights)
        lowered = words.lowered
        found: Floats = kernels.project_ngrams(
            lowered.codes, lowered.starts - 1, lowered.stops + 1, self.ngram_min, self.ngram_max, *table.slots, np.uint64(BASE),
            weights, (0,) * weights.shape[1],
        )  # fmt: skip
        return found


def clipped(words: Stretches) -> Stretches:
    """The first `MAX_WORD_CHARS` of each."""
    if not len(words) or int((words.stops - words.starts).max()) <= MAX_WORD_CHARS:
        return words
    return Stretches.taken(words.codes, words.starts, np.minimum(words.stops, words.starts + MAX_WORD_CHARS))


def _hash_table(part: Any, many: int) -> HashTable | None:
    """The vocabulary of a part by hash; none while so few were looked up that it would not pay, as in a single dump."""
    if getattr(part, "_table_of", None) is not part.vocabulary_:
        part._asked = getattr(part, "_asked", 0) + many
        if part._asked < FEW:
            return None
        part._table, part._table_of = HashTable.of(list(part.vocabulary_)), part.vocabulary_
    table: HashTable = part._table
    return table


def _lowered(word: str) -> str:
    """In lower case, digits alike."""
    return word.lower() if word.isalpha() else _DIGIT.sub("0", word.lower())


def _bare(word: str) -> str:
    """Without the punctuation around it."""
    return word if word.isalpha() else _PUNCTUATION.sub("", word)


def _ngrams(word: str, low: int, high: int) -> list[str]:
    padded = f" {_lowered(word)} "
    found: list[str] = []
    for n in range(low, high + 1):
        if n >= len(padded):
            found.append(padded)
            break
        found += [padded[i : i + n] for i in range(len(padded) - n + 1)]
    return found


class Edges(Params):
    """The first, second and last word of a line, each by its place: how bylines, captions, links and times begin and end.

    >>> Edges().analyze("Baca juga: Harga Cabai Naik")
    ['first baca', 'second juga:', 'last naik']
    """

    def __init__(self, min_df: int = 2, max_features: int = 20_000) -> None:
        self.min_df = min_df
        self.max_features = max_features

    @staticmethod
    def piece(word: str) -> str:
        """A word as this part sees it: lower case, digits alike, a colon kept, other punctuation at its ends dropped."""
        return _edge_piece(word)

    def analyze(self, line: str) -> list[str]:
        """The pieces of a line: at most one for each place."""
        words = line[:MAX_LINE_CHARS].split()
        return [
            f"{place} {self.piece(words[i])}" for place, i in zip(PLACES, _place_indices(len(words)), strict=True) if i >= 0
        ]

    def fit(self, lines: Sequence[str], y: object = None) -> Self:
        """Learn which words stand often enough at each place."""
        self.fit_transform(lines)
        return self

    def fit_transform(self, lines: Sequence[str], y: object = None) -> sparse.csr_matrix:
        """Fit, and give what `transform` would give for the same lines."""
        from sklearn.feature_extraction.text import CountVectorizer

        rows = [self.analyze(line) for line in lines]
        try:
            names = CountVectorizer(analyzer=list, min_df=self.min_df, max_features=self.max_features).fit(rows)
            self.vocabulary_ = {str(name): i for i, name in enumerate(names.get_feature_names_out())}
        except ValueError:  # no word is frequent enough
            self.vocabulary_ = {}
        return self._counts(rows)

    def transform(self, lines: Sequence[str]) -> sparse.csr_matrix:
        """Shape (lines, vocabulary), zeros and ones."""
        return self._counts([self.analyze(line) for line in lines])

    def _counts(self, rows: Sequence[Sequence[str]]) -> sparse.csr_matrix:
        return _piece_counts(rows, self.vocabulary_)

    def projected(self, words: Stretches, weights: Floats) -> Floats:
        """Weights of single words at each place, shape (words, 3 * types), for weights of shape (vocabulary, types)."""
        table = _hash_table(self, len(words))
        if table is None:
            pieces = [self.piece(word) for word in words.texts]
            at = np.array([[self.vocabulary_.get(f"{place} {piece}", -1) for place in PLACES] for piece in pieces], np.int64)
        else:
            lowered = words.lowered
            starts, stops, _ = lowered.bare
            heads = [f"{place} " for place in PLACES]
            before, sizes = hashes_of(heads), np.array(list(map(len, heads)))
            if kernels := fast.kernels():
                placed: Floats = kernels.project_places(
                    lowered.codes, lowered.starts, lowered.stops, starts, stops, ord(":"), before, sizes,
                    *table.slots, np.uint64(BASE), weights,
                )  # fmt: skip
                return placed
            colon = (lowered.codes[lowered.stops - 1] == ord(":")) & (lowered.stops - lowered.starts > 1)
            hashes = joined(lowered.hashes(starts, stops), stops - starts, hashes_of(":") * colon)
            behind = [joined(before[[i]], sizes[[i]], hashes) for i in range(len(heads))]
            at = np.stack([table.find(keys) for keys in behind], axis=1).astype(np.int64) - 1
        rows = np.concatenate([weights, np.zeros_like(weights, shape=(1, weights.shape[1]))])  # the last row: not known
        return rows[at.reshape(len(words), len(PLACES))].reshape(len(words), len(PLACES) * weights.shape[1])

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """Place and word, in the order of the columns."""
        return np.asarray(list(self.vocabulary_), object)


@lru_cache(maxsize=20_000)
def _edge_piece(word: str) -> str:
    word = _lowered(word[:MAX_WORD_CHARS])
    return (_bare(word) or word) + ":" * (word[-1:] == ":" and len(word) > 1)


PLACES = ("first", "second", "last")
"""Places of a line that `Edges` looks at; a lone word is its first alone, the second of two is both second and last."""


def _place_indices(size: int) -> tuple[int, int, int]:
    return (0 if size else -1, 1 if size > 1 else -1, size - 1 if size > 1 else -1)


class Phrases(Params):
    """Whole short lines that stand in the training texts more than once: a lexicon of headings, learned.

    >>> Phrases().analyze("  BERITA Terkait:"), Phrases().analyze("one two three four five six seven words")
    (['berita terkait'], [])
    """

    _size: int

    def __init__(self, max_words: int = 6, min_df: int = 2, max_features: int = 20_000, scale: float = 2.0) -> None:
        self.max_words = max_words
        self.min_df = min_df
        self.max_features = max_features
        self.scale = scale

    def analyze(self, line: str) -> list[str]:
        """The line without case, digits and the punctuation around it; nothing where it is longer."""
        words = split_words(line)
        if not 0 < len(words) <= self.max_words or sum(map(len, words)) > PHRASE_WORD_CHARS * self.max_words:
            return []
        phrase = _PUNCTUATION.sub("", _DIGIT.sub("0", " ".join(words).lower()))
        return [phrase] if phrase else []

    def find(self, lines: Sequence[str], rows: NDArray[np.int64], keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """The column of each of some rows of the lines, -1 for none. Such lines repeat, so answers are remembered by their keys.

        ``keys`` are those of all lines: alike for the same words.
        """
        found = np.empty(len(rows), np.int64)
        for start in range(0, len(rows), LINES_ASKED):
            if getattr(self, "_answers_for", None) is not self.vocabulary_ or self._size > MAX_ANSWERS:
                room = MAX_ANSWERS + LINES_ASKED + 1
                self._asked, self._answers, self._size = HashTable((2 * room).bit_length()), np.full(room, -1), 1
            self._answers_for = None  # until what is numbered is answered
            some = rows[start : start + LINES_ASKED]
            numbers, new = self._asked.numbered(keys[some].view(np.uint64), self._size)
            for row, number in zip(some[new].tolist(), numbers[new].tolist(), strict=True):
                self._answers[number] = self.vocabulary_.get("".join(self.analyze(lines[row])), -1)
            self._size += len(new)
            self._answers_for = self.vocabulary_
            found[start : start + LINES_ASKED] = self._answers[numbers]
        return found

    def holds(self, words: Stretches) -> Floats:
        """One for each word that a known phrase could have in it, zero for others, shape (words, 1)."""
        if getattr(self, "_known_for", None) is not self.vocabulary_:
            known = sorted(set(" ".join(self.vocabulary_).split(" ")))
            self._known, self._known_for = HashTable.of(known), self.vocabulary_
        lowered = words.lowered
        starts, stops, left = lowered.bare
        if kernels := fast.kernels():
            held = kernels.holds(
                lowered.codes, lowered.starts, lowered.stops, starts, stops, left, *self._known.slots, np.uint64(BASE)
            )
            return np.asarray(held, np.float32)[:, None]
        found = ~left
        # at either end of a phrase it stands without its punctuation; what is punctuation alone may have gone
        for start in (starts, lowered.starts):
            for stop in (stops, lowered.stops):
                found |= self._known.find(lowered.hashes(start, stop)) > 0
        return found.astype(np.float32)[:, None]

    def fit(self, lines: Sequence[str], y: object = None) -> Self:
        """Learn which short lines come often enough."""
        self.fit_transform(lines)
        return self

    def fit_transform(self, lines: Sequence[str], y: object = None) -> sparse.csr_matrix:
        """Fit, and give what `transform` would give for the same lines."""
        rows = [self.analyze(line) for line in lines]
        counts = Counter(phrase for row in rows for phrase in row)
        kept = [phrase for phrase, count in counts.most_common(self.max_features) if count >= self.min_df]
        self.vocabulary_ = {phrase: i for i, phrase in enumerate(sorted(kept))}
        return self._counts(rows)

    def transform(self, lines: Sequence[str]) -> sparse.csr_matrix:
        """Shape (lines, vocabulary); ``scale`` where a line is the phrase."""
        return self._counts([self.analyze(line) for line in lines])

    def _counts(self, rows: Sequence[Sequence[str]]) -> sparse.csr_matrix:
        return _piece_counts(rows, self.vocabulary_) * np.float32(self.scale)

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """The phrases, in the order of the columns."""
        return np.asarray(list(self.vocabulary_), object)


# ---------------------------------------------------------------------------------------------------------- facts

_TIME = re.compile(r"^\W*\d{1,2}[:.]\d{2}(:\d{2})?\W*$")
_DATE = re.compile(r"^\W*(\d{1,4}[/.\-]\d{1,2}[/.\-]\d{2,4}|(19|20)\d\d)\W*$")
_RANK = re.compile(r"^[#(]?\d{1,2}[.)]?$")
ATTRIBUTES = (
    "chars", "width", "letters", "upper", "digits", "capital", "stop", "colon", "comma", "mark", "rank", "time", "date",
    "quote", "open_paren", "close_paren", "bar", "ellipsis", "number",
)  # fmt: skip
"""What is kept of every word; lines add them up."""
_AT = {name: i for i, name in enumerate(ATTRIBUTES)}


def attribute_rows(words: Stretches) -> Floats:
    """The numbers of each word in the order of `ATTRIBUTES`, shape (words, len(ATTRIBUTES)).

    A wide (Chinese, Japanese, Korean) character counts as two and a half: it carries about as much as that many
    letters, and its sentences end in other marks.
    """
    found = np.zeros((len(words), len(ATTRIBUTES)), np.float32)
    if not len(words):
        return found
    found[:, _AT["number"]] = -1
    if kernels := fast.kernels():
        kernels.attributes(words.codes, words.kinds, LOWER, words.starts, words.stops, found)
        return found
    _put_kinds(words, found)
    for i in np.flatnonzero(found[:, _AT["digits"]]).tolist():
        word = words.text[words.starts[i] : words.stops[i]]
        rank = bool(_RANK.match(word))
        found[i, _AT["rank"]], found[i, _AT["number"]] = rank, int(re.sub(r"\D", "", word)) if rank else -1
        found[i, _AT["time"]], found[i, _AT["date"]] = bool(_TIME.match(word)), bool(_DATE.match(word))
    return found


def _put_kinds(words: Stretches, found: Floats) -> None:
    """Write the attributes that hang on the kinds of characters alone."""
    kinds, starts, stops = words.kinds, words.starts, words.stops
    every = np.bitwise_or.reduceat(kinds, starts)  # the kinds that a word has anywhere

    def put(name: str, values: Any) -> None:
        found[:, _AT[name]] = values

    def count(kind: str) -> Floats:
        rows = np.flatnonzero(every & KIND[kind])
        places = np.flatnonzero(kinds & KIND[kind])
        counts = np.zeros(len(words), np.float32)
        counts[rows] = np.searchsorted(places, stops[rows]) - np.searchsorted(places, starts[rows])
        return counts

    def has(kind: str, bits: NDArray[np.uint32] = every) -> NDArray[np.bool_]:
        return (bits & KIND[kind]) > 0

    size = stops - starts + 1
    put("chars", size)
    put("width", size + 1.5 * count("wide"))
    for kind, name in (("letter", "letters"), ("upper", "upper"), ("digit", "digits"), ("comma", "comma")):
        put(name, count(kind))
    put("capital", has("upper", kinds[words.without("opener")[0]]))
    last = words.without("closer")[1] - 1
    dots = has("dot", kinds[last] & kinds[last - 1] & kinds[last - 2]) | has("dots", kinds[last])
    put("ellipsis", dots)
    put("stop", has("stop", kinds[last]) & ~dots)
    put("colon", has("colon", kinds[stops - 1]))
    put("mark", (every & (KIND["letter"] | KIND["digit"] | KIND["accent"])) == 0)
    put("quote", has("quote"))
    put("bar", has("bar"))
    put("open_paren", has("open paren", kinds[starts]))
    put("close_paren", has("close paren", kinds[stops - 1]))


WIDTHS = np.array([3, 8, 15, 22, 30, 40, 52, 66, 82, 100, 125, 160, 220, 320, 500], np.float32)
COUNTS = np.array([1, 2, 3, 5, 8, 12, 18, 30, 60], np.float32)
FACTS = (
    *(f"width>{int(w)}" for w in WIDTHS), *(f"words>{int(c)}" for c in COUNTS),
    "ends in stop", "ends in colon", "ends in comma", "ends in ellipsis", "a stop inside", "three stops inside",
    "a comma", "three commas", "begins with mark", "mark alone", "begins with number", "number alone", "mark and number alone",
    "most words capital", "half the words capital", "first word capital", "all capitals", "no capitals", "a digit", "many digits", "a time", "a date",
    "short with time or date", "a quote", "begins with quote", "in parentheses", "a parenthesis", "a bar or sign", "one word", "no letters",
)  # fmt: skip
"""Names of the facts of a line, in the order of the columns of `line_facts`."""


def line_facts(sums: Floats, first: Floats, last: Floats, words: Floats) -> Floats:
    """Facts of lines from the attributes of their words.

    Parameters
    ----------
    sums, first, last : arrays of shape (lines, len(ATTRIBUTES))
        Attributes added up over the words of each line, and those of its first and last word.
    words : array of shape (lines,)
        Number of words.

    Returns
    -------
    array of shape (lines, len(FACTS))
        Zeros and ones.
    """

    def total(name: str) -> Floats:
        return sums[:, _AT[name]]

    def at_first(name: str) -> NDArray[np.bool_]:
        return first[:, _AT[name]] > 0

    def at_last(name: str) -> NDArray[np.bool_]:
        return last[:, _AT[name]] > 0

    capital = total("capital") / np.maximum(words - total("mark"), 1)
    letters = total("letters")
    inside = total("stop") - last[:, _AT["stop"]]
    timed = (total("time") + total("date")) > 0
    two = words == 2
    columns = [
        at_last("stop"), at_last("colon"), at_last("comma"), at_last("ellipsis"), inside > 0, inside > 2,
        total("comma") > 0, total("comma") > 2,
        at_first("mark"), at_first("mark") & (words == 1), at_first("rank"), at_first("rank") & (words == 1),
        at_first("mark") & at_last("rank") & two,
        capital > 0.85, (capital > 0.5) & (capital <= 0.85), at_first("capital"),
        (total("upper") > 0.9 * letters) & (letters > 3), (total("upper") == 0) & (letters > 3),
        total("digits") > 0, total("digits") > 0.25 * total("chars"), total("time") > 0, total("date") > 0,
        timed & (total("width") < 45), total("quote") > 0, at_first("quote"),
        at_first("open_paren") & at_last("close_paren"), total("open_paren") > 0, total("bar") > 0, words == 1, letters == 0,
    ]  # fmt: skip
    steps = total("width") > WIDTHS[:, None], words > COUNTS[:, None]
    return np.concatenate([*steps, np.stack(columns)]).astype(np.float32).T  # each fact is contiguous


class Facts(Params):
    """Facts of a line's form: length, punctuation, capitals, digits, times. Holds nothing learned.

    >>> row = Facts().fit([]).transform(["10:42 WIB"]).toarray()[0]
    >>> [name for name, value in zip(FACTS, row) if value][-4:]
    ['a digit', 'many digits', 'a time', 'short with time or date']
    """

    def __init__(self, scale: float = 1.0) -> None:
        self.scale = scale

    def fit(self, lines: Sequence[str], y: object = None) -> Self:
        """Nothing to learn."""
        self.n_facts_ = len(FACTS)
        return self

    def transform(self, lines: Sequence[str]) -> sparse.csr_matrix:
        """Shape (lines, len(FACTS))."""
        scorer = LineScorer({"facts": self}, np.zeros((0, len(FACTS)), np.float32), np.zeros(0, np.float32))
        return sparse.csr_matrix(scorer.score(lines)[1] * self.scale)

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """The facts, in the order of the columns."""
        return np.asarray(FACTS, object)


# ----------------------------------------------------------------------------------------------------- word table


class WordTable:
    """Numbers per word, computed once for each distinct word and added up over lines.

    Words are known by their hash, in a table with open addressing (that two of a million words have the same one happens in
    one of 30 million cases).

    Parameters
    ----------
    vectors : callable
        From words to arrays of shape (words, some columns): the `ATTRIBUTES`, then columns to add up, then, in an array of their own, ``placed`` columns.
    placed : int
        The last so many columns depend on a word's place: a third each for the first, second and last word of a line.
    max_words : int
        Beyond so many words the table forgets those that were not met again since it last did, and others as far as more
        than half were: a flood of new words costs time, not memory.
    """

    def __init__(self, vectors: Callable[[Stretches], Sequence[Floats]], placed: int = 0, max_words: int = 200_000) -> None:
        self._vectors = vectors
        self._max_words = max_words
        widths = [columns.shape[1] for columns in vectors(Stretches.of([]))]
        added = sum(widths) - placed
        # what is added up over all words, attributes first; and what is wanted of the words of one place alone
        widths = [added, *[placed // 3] * 3]
        self._rows = HashTable(20)  # of the words; row 0 stands for none, and for a word that a line does not have
        self._size = 1
        # room for all words and those of a block, so that it rarely has to grow; memory that is not written to is not used
        room = max_words + 60_000
        widths[0] = -(-added // 8) * 8  # columns of zeros besides: loops fill registers
        self.tables = [np.zeros((room, width), np.float32) for width in widths]
        self._met = np.zeros(room, bool)  # rows of words that came again

    def _forget(self) -> None:
        """Forget the words that did not come again, and of the others what is more than half of the room."""
        hashes, rows = self._rows.held()
        order = np.argsort(rows)
        order = order[self._met[rows[order]]][: self._max_words // 2]
        hashes, rows = hashes[order], rows[order]
        self._size = 1 + len(rows)
        for table in self.tables:
            for start in range(0, len(rows), 4096):  # rows only move up, so none is written over before it has moved
                some = rows[start : start + 4096]
                table[1 + start : 1 + start + len(some)] = table[some]
        self._met.fill(False)
        self._rows.clear()
        self._rows.add(hashes, np.arange(1, self._size))

    def __len__(self) -> int:
        return self._size

    def _learn(self, words: Stretches) -> None:
        start, stop = self._size, self._size + len(words)
        if stop > len(self._met):
            self._met, *self.tables = (_grown(table, start, stop) for table in (self._met, *self.tables))
        table, *places = self.tables
        columns, at = list(self._vectors(words)), 0
        if width := places[0].shape[1]:
            placed = columns.pop()
            for place, part in enumerate(places):
                part[start:stop] = placed[:, place * width : (place + 1) * width]
        for some in columns:
            table[start:stop, at : (at := at + some.shape[1])] = some
        self._size = stop

    def rows(self, lines: Sequence[str]) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int64]]:
        """The row of each word in the tables; how many words come before the end of each line, with a zero in front; and a key of each line.

        Lines of the same words have the same key.

        Give it up to `CHARACTERS_AT_ONCE` characters; the words among them that are not known are learned.
        """
        codes, starts, stops, hashes, ends = hashed_words(lines)
        if self._size > self._max_words:
            self._forget()
        known = self._size
        rows, new = self._rows.numbered(hashes, known)
        try:
            if len(new):
                self._learn(Stretches.taken(codes, starts[new], stops[new]))
        except BaseException:  # their rows are given away already
            self._rows.clear()
            self._size = 1
            raise
        self._met[rows] = True
        self._met[0] = False
        self._met[known : self._size] = False
        return rows, ends, joined_runs(hashes, ends).view(np.int64)

    def add_up(self, lines: Sequence[str]) -> tuple[Floats, Floats, Floats, Floats, Floats, Floats, NDArray[np.int64]]:
        """Sums over the words of each line. Lines as of `rows`.

        Returns
        -------
        tuple of arrays
            The columns between attributes and placed ones, added up, and columns of zeros besides; the placed ones of the
            words in their places; the four arguments of `line_facts`; and the key of each line. A line without words is all zeros.
        """
        rows, ends, keys = self.rows(lines)
        sizes = np.diff(ends)
        table, *places = self.tables
        counts = np.ones(len(rows), np.float32), rows, ends.astype(np.int32)
        sums = sparse.csr_matrix(counts, shape=(len(lines), len(table))) @ table
        rows = np.append(rows, np.int32(0))
        first, last = (np.where(sizes > 0, rows[at], 0) for at in (ends[:-1], ends[1:] - 1))
        second = np.where(sizes > 1, rows[np.minimum(ends[:-1] + 1, ends[-1])], 0)
        final = np.where(sizes > 1, last, 0)  # a lone word is its line's first alone
        placed = sum(part.take(at, axis=0) for part, at in zip(places, (first, second, final), strict=True))
        ends_of = [table[at, : len(ATTRIBUTES)] for at in (first, last)]
        return sums[:, len(ATTRIBUTES) :], placed, sums[:, : len(ATTRIBUTES)], *ends_of, sizes.astype(np.float32), keys


def _grown(table: NDArray[Any], used: int, size: int) -> NDArray[Any]:
    found = np.zeros((size, *table.shape[1:]), table.dtype)
    found[:used] = table[:used]
    return found


class LineScorer:
    """The fitted line model without scikit-learn: weights per part, applied through a word table.

    Parameters
    ----------
    parts : mapping of str to part
        Fitted parts, in the order of the columns of the model.
    coef : array of shape (types, columns)
        Weights of the linear model.
    intercept : array of shape (types,)
        Its bias.
    """

    def __init__(self, parts: dict[str, Any], coef: Floats, intercept: Floats) -> None:
        self.parts = parts
        self.coef = coef
        self.intercept = intercept
        self.types = len(intercept)
        self.fact_weights = np.zeros((len(FACTS), self.types), np.float32)
        self._tfidf: list[tuple[TfidfPart, Floats]] = []
        self._edges: list[tuple[Edges, Floats]] = []
        self._phrases: list[tuple[Phrases, Floats]] = []
        start = 0
        for part in parts.values():
            size = len(FACTS) if isinstance(part, Facts) else len(part.vocabulary_)
            weights = np.ascontiguousarray(coef[:, start : start + size].T, np.float32)
            if isinstance(part, Facts):
                self.fact_weights = weights * np.float32(part.scale)
            elif isinstance(part, Phrases):
                self._phrases.append((part, weights * np.float32(part.scale)))
            elif isinstance(part, Edges):
                self._edges.append((part, weights))
            else:
                self._tfidf.append((part, part.weighted(weights)))
            start += size
        self.table = WordTable(self._vectors, placed=3 * self.types if self._edges else 0)

    def _vectors(self, words: Stretches) -> list[Floats]:
        columns = [attribute_rows(words)]
        words = clipped(words)
        for part, weights in self._tfidf:
            columns.append(part.projected(words, weights))
        columns += [phrases.holds(words) for phrases, _ in self._phrases]
        if self._edges:
            first, *others = (part.projected(words, weights) for part, weights in self._edges)
            columns.append(sum(others, first))  # mostly of one part, which NumPy would copy to add it up
        return columns

    def score(self, lines: Sequence[str]) -> tuple[Floats, Floats, Floats, Floats, NDArray[np.int64]]:
        """Scores (lines, types), facts (lines, len(FACTS)), widths (lines,), leading numbers (lines,), -1 for none, and keys (lines,), alike for the same words."""
        sizes = np.fromiter(map(len, lines), np.int64, len(lines))
        if np.max(sizes, initial=0) > MAX_LINE_CHARS:
            return self.score([line[:MAX_LINE_CHARS] for line in lines])
        ends, start = np.append(0, np.cumsum(sizes + 1)), 0
        found: tuple[Any, ...] = ()
        while not found or start < len(lines):
            stop = max(start + 1, int(np.searchsorted(ends, ends[start] + CHARACTERS_AT_ONCE, side="right")) - 1)
            part = self._scored(lines[start:stop])
            if not start and stop >= len(lines):
                return part
            found = found or tuple(np.empty_like(rows, shape=(len(lines), *rows.shape[1:])) for rows in part)
            for whole, rows in zip(found, part, strict=True):
                whole[start:stop] = rows
            start = stop
        scores, facts, widths, numbers, keys = found
        return scores, facts, widths, numbers, keys

    def _scored(self, lines: Sequence[str]) -> tuple[Floats, Floats, Floats, Floats, NDArray[np.int64]]:
        with _LEARNING:
            return self._looked_up(lines)

    def _looked_up(self, lines: Sequence[str]) -> tuple[Floats, Floats, Floats, Floats, NDArray[np.int64]]:
        if kernels := fast.kernels():
            rows, ends, keys = self.table.rows(lines)
            table, *places = self.table.tables
            powers = np.array([part.power for part, _ in self._tfidf], np.float32)
            scores, others, facts, widths, numbers = kernels.line_scores(
                rows, ends, table, *places, self.intercept, powers, len(self._phrases)
            )
            scores += facts @ self.fact_weights
            words = np.diff(ends)
        else:
            sums, placed, totals, first, last, words, keys = self.table.add_up(lines)
            facts, widths = line_facts(totals, first, last, words), totals[:, _AT["width"]]
            marked = (first[:, _AT["mark"]] > 0) & (words == 2)  # '- 3'
            numbers = np.where(marked, last[:, _AT["number"]], first[:, _AT["number"]])
            scores = facts @ self.fact_weights + self.intercept
            if self._edges:
                scores += placed
            start = 0
            for part, _ in self._tfidf:
                scale = line_scale(sums[:, start + self.types], part.power)
                scores += sums[:, start : start + self.types] * scale[:, None]
                start += self.types + 1
            others = sums[:, start:]
        for column, (phrases, weights) in enumerate(self._phrases):
            short = (words > 0) & (words <= phrases.max_words)
            at = np.flatnonzero(short & (others[:, column] == words))  # all its words are words of phrases
            found = phrases.find(lines, at, keys)
            scores[at[found >= 0]] += weights[found[found >= 0]]
        return scores, facts, widths, numbers, keys
