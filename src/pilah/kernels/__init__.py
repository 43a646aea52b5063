"""Loops that Numba compiles: what `hashed`, `features`, `order`, `columns` and `decoding` do with arrays, without arrays in between.

Never imported but by `fast`, which says when. Every function does what the NumPy code beside its call does, so labels are the
same; where sums are added in another order, scores differ in their last digits.
"""

from pilah.kernels.chains import posteriors, viterbi
from pilah.kernels.columns import add_shifted, page_columns
from pilah.kernels.lines import attributes, line_scores
from pilah.kernels.order import figures, tag_scores
from pilah.kernels.words import (
    bare,
    find,
    hashes,
    holds,
    joined_runs,
    numbered,
    project_ngrams,
    project_places,
    split_words,
)

__all__ = [
    "add_shifted", "attributes", "bare", "figures", "find", "hashes", "holds", "joined_runs", "line_scores", "numbered", "page_columns",
    "posteriors", "project_ngrams", "project_places", "split_words", "tag_scores",
    "viterbi",
]  # fmt: skip
