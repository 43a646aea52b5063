"""Loops over characters, words and hashes: what `hashed` and `features` do with arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilah.kernels.compiled import compiled

Floats = NDArray[Any]
Ints = NDArray[np.int64]
Hashes = NDArray[np.uint64]
_ONE = np.uint64(1)


@compiled
def split_words(
    codes: NDArray[np.uint32], space: NDArray[np.bool_], line_stops: Ints, base: Any
) -> tuple[Ints, Ints, Hashes, Ints]:
    """Where words start and stop, their hashes, and how many come before the end of each line.

    Without a branch for any character, since where words end cannot be foreseen: what is not the end of one is written over.
    """
    room = len(codes) // 2 + 2
    starts, stops, hashes = np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room, np.uint64)
    ends = np.zeros(len(line_stops) + 1, np.int64)
    begun, ended, before = 0, 0, True  # words; whether the character before is a space
    last = np.uint32(len(space) - 1)  # which is none, like all that are beyond
    total, power, first = np.uint64(0), _ONE, 0
    for line in range(len(line_stops)):
        for i in range(first, line_stops[line]):
            here = space[min(codes[i], last)]
            starts[begun], stops[ended], hashes[ended] = i, i, total
            begun += before & (not here)
            ended += (not before) & here
            total += (np.uint64(codes[i]) + _ONE) * power
            power *= base
            new = np.uint64(here)
            total &= new - _ONE  # of a space, nothing is left of it
            power = (power & (new - _ONE)) | new
            before = here
        first = line_stops[line]
        ends[line + 1] = begun
    return starts[:begun], stops[:begun], hashes[:begun], ends


@compiled
def joined_runs(hashes: Hashes, ends: Ints, base: Any) -> Hashes:
    """One hash of each run of hashes."""
    found = np.empty(len(ends) - 1, np.uint64)
    for run in range(len(found)):
        total, power = np.uint64(0), _ONE
        for i in range(ends[run], ends[run + 1]):
            total += (hashes[i] ^ (hashes[i] >> np.uint64(31))) * power
            power *= base
        found[run] = total
    return found


@compiled
def bare(kinds: NDArray[np.uint32], starts: Ints, stops: Ints, bit: Any) -> tuple[Ints, Ints, NDArray[np.bool_]]:
    """Where stretches start and stop without what is not of a kind, and whether anything is left; if not, as they were."""
    first, last, left = starts.copy(), stops.copy(), np.zeros(len(starts), np.bool_)
    for word in range(len(starts)):
        for i in range(starts[word], stops[word]):
            if kinds[i] & bit:
                first[word], left[word] = i, True
                break
        if left[word]:
            while not kinds[last[word] - 1] & bit:
                last[word] -= 1
    return first, last, left


@compiled
def _hash(codes: NDArray[np.uint32], start: int, stop: int, base: Any) -> Any:
    """Of one stretch."""
    total, power = np.uint64(0), _ONE
    for i in range(start, stop):
        total += (np.uint64(codes[i]) + _ONE) * power
        power *= base
    return total


@compiled
def hashes(codes: NDArray[np.uint32], starts: Ints, stops: Ints, base: Any) -> Hashes:
    """The hash of each stretch."""
    found = np.empty(len(starts), np.uint64)
    for word in range(len(starts)):
        found[word] = _hash(codes, starts[word], stops[word], base)
    return found


@compiled
def _slot(held: Hashes, numbers: NDArray[np.int32], shift: Any, base: Any, key: Any) -> Any:
    """Where a hash is in a table with open addressing, or would be put."""
    slot = np.int64((key * base) >> shift)
    while numbers[slot] and held[slot] != key:
        slot = (slot + 1) & (len(held) - 1)
    return slot


@compiled
def find(held: Hashes, numbers: NDArray[np.int32], shift: Any, base: Any, hashes: Hashes) -> NDArray[np.int32]:
    """The number of each hash in a table with open addressing, 0 for none."""
    found = np.zeros(len(hashes), np.int32)
    for i in range(len(hashes)):
        found[i] = numbers[_slot(held, numbers, shift, base, hashes[i])]
    return found


@compiled
def numbered(
    held: Hashes, numbers: NDArray[np.int32], shift: Any, base: Any, hashes: Hashes, start: int
) -> tuple[NDArray[np.int32], Ints]:
    """The number of each hash in a table, and the places of the first of those that were not in it: they are put there."""
    found, new = np.empty(len(hashes), np.int32), np.empty(len(hashes), np.int64)
    count = 0
    for i in range(len(hashes)):
        slot = _slot(held, numbers, shift, base, hashes[i])
        if numbers[slot] == 0:
            held[slot], numbers[slot] = hashes[i], start + count
            new[count] = i
            count += 1
        found[i] = numbers[slot]
    return found, new[:count]


@compiled
def project_ngrams(
    codes: NDArray[np.uint32],
    starts: Ints,
    stops: Ints,
    low: int,
    high: int,
    held: Hashes,
    numbers: NDArray[np.int32],
    shift: Any,
    base: Any,
    weights: Floats,
    lanes: tuple[int, ...],
) -> Floats:
    """Weights of the n-grams of each stretch, added up; a shorter stretch counts once, whole. The last row of the weights is all zeros.

    ``lanes`` has as many items as there are columns: how long a tuple is is known when this is compiled.
    """
    found = np.zeros((len(starts), len(lanes)), np.float32)
    longest = (stops - starts).max() if len(starts) else 0
    hashes, rows = np.empty(longest, np.uint64), np.empty(longest * (high - low + 1) + 4, np.int64)
    for word in range(len(starts)):
        start, size = starts[word], stops[word] - starts[word]
        power, many = _ONE, 0
        for i in range(size):
            hashes[i] = 0
        for n in range(1, min(high, size) + 1):  # each n-gram is the one before it and a character
            for i in range(size - n + 1):
                hashes[i] += (np.uint64(codes[start + i + n - 1]) + _ONE) * power
            power *= base
            for i in range(size - n + 1 if n >= min(low, size) else 0):
                number = numbers[_slot(held, numbers, shift, base, hashes[i])]
                rows[many] = number - 1
                many += number > 0
        while many % 4:
            rows[many] = len(weights) - 1
            many += 1
        for i in range(0, many, 4):
            a, b, c, d = rows[i], rows[i + 1], rows[i + 2], rows[i + 3]
            for k in range(len(lanes)):
                found[word, k] += (weights[a, k] + weights[b, k]) + (weights[c, k] + weights[d, k])
    return found


@compiled
def project_places(
    codes: NDArray[np.uint32],
    starts: Ints,
    stops: Ints,
    bare_starts: Ints,
    bare_stops: Ints,
    colon: int,
    heads: Hashes,
    sizes: Ints,
    held: Hashes,
    numbers: NDArray[np.int32],
    shift: Any,
    base: Any,
    weights: Floats,
) -> Floats:
    """Weights of each stretch behind each of some heads: without the punctuation around it, but with a colon at its end."""
    types = weights.shape[1]
    found = np.zeros((len(starts), len(heads) * types), np.float32)
    for word in range(len(starts)):
        first, last = bare_starts[word], bare_stops[word]
        ends = codes[stops[word] - 1] == colon and stops[word] - starts[word] > 1
        for place in range(len(heads)):
            power = _ONE
            for _ in range(sizes[place]):
                power *= base
            total = heads[place]
            for i in range(first, last):
                total += (np.uint64(codes[i]) + _ONE) * power
                power *= base
            if ends:
                total += (np.uint64(colon) + _ONE) * power
            number = numbers[_slot(held, numbers, shift, base, total)]
            for k in range(types if number else 0):
                found[word, place * types + k] = weights[number - 1, k]
    return found


@compiled
def holds(
    codes: NDArray[np.uint32],
    starts: Ints,
    stops: Ints,
    bare_starts: Ints,
    bare_stops: Ints,
    left: NDArray[np.bool_],
    held: Hashes,
    numbers: NDArray[np.int32],
    shift: Any,
    base: Any,
) -> NDArray[np.bool_]:
    """Whether a table holds each stretch, with or without what is around it on either side, or nothing is left without."""
    found = np.empty(len(starts), np.bool_)
    for word in range(len(starts)):
        found[word] = not left[word]
        for first in (bare_starts[word], starts[word]):
            for last in (bare_stops[word], stops[word]):
                if not found[word]:
                    found[word] = numbers[_slot(held, numbers, shift, base, _hash(codes, first, last, base))] > 0
    return found
