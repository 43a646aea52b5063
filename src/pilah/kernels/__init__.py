"""Loops that Numba compiles: what `hashed`, `features`, `columns` and `decoding` do with arrays, without arrays in between.

Never imported but by `fast`, which says when. Every function does what the NumPy code beside its call does. Sums are
added in the same order where that decides something, so labels are the same.
"""

from pilah.kernels.chains import posteriors, viterbi
from pilah.kernels.columns import add_shifted, page_columns
from pilah.kernels.lines import attributes, line_sums
from pilah.kernels.words import bare, find, hashes, ngrams, numbered, project, split_words

__all__ = [
    "add_shifted", "attributes", "bare", "find", "hashes", "line_sums", "ngrams", "numbered", "page_columns", "posteriors", "project",
    "split_words", "viterbi",
]  # fmt: skip
