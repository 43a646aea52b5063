"""Speed against peers: `python benchmarks/speed.py [--mb 50] [--slow-mb 2]`, one core, one run, one table with ratios.

The same generated corpus for all: lines of the pools in data/ in random order, a share of their words made new, in documents of
20, 60 and 500 lines. Slow methods get the first ``--slow-mb`` of it. Peers as of peers.py; a peer that is not installed is left out.
Set OPENBLAS_NUM_THREADS=1 for figures of one core.
"""

from __future__ import annotations

import argparse
import random
import resource
import time
from collections.abc import Callable, Sequence

from accuracy import ROOT, training_pages
from peers import Predictor, train_crfsuite, train_fasttext, train_svc
from rich.console import Console
from rich.table import Table

from pilah.model_file import load_model
from pilah.training.corpus import Pools, read_pools

LENGTHS = (20, 60, 500)


def corpus(pools: Pools, megabytes: float, length: int, seed: int = 3) -> list[list[str]]:
    """Documents of so many lines, so many MB in all; one word in fifty is new, as names and typing errors are."""
    rng = random.Random(seed)
    lines = [text for pool in pools.values() for _, text in pool.headlines]
    lines += [text for pool in pools.values() for article in pool.articles for _, text in article.rows]
    lines += ["-"] * (len(lines) // 6)
    pages: list[list[str]] = []
    size = 0
    while size < megabytes * 1e6:
        page = []
        for _ in range(length):
            words = rng.choice(lines).split(" ")
            at = rng.randrange(len(words))
            if rng.random() < len(words) / 50:
                words[at] = words[at][: rng.randint(1, 6)] + "".join(rng.choices("aeioukrtnsl", k=rng.randint(2, 6)))
            page.append(" ".join(words))
            size += len(page[-1].encode()) + 1
        pages.append(page)
    return pages


def timed(predict: Callable[[Sequence[Sequence[str]]], object], pages: Sequence[Sequence[str]]) -> tuple[float, float]:
    """Lines and megabytes a second, in batches of 200 pages."""
    lines = sum(map(len, pages))
    size = sum(len(line.encode()) + 1 for page in pages for line in page)
    start = time.perf_counter()
    for i in range(0, len(pages), 200):
        predict(pages[i : i + 200])
    took = time.perf_counter() - start
    return lines / took, size / took / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mb", type=float, default=50)
    parser.add_argument("--slow-mb", type=float, default=2)
    options = parser.parse_args()
    console = Console(width=150)
    pools = read_pools(ROOT / "data")
    dumps = training_pages(300, pools)
    methods: dict[str, Predictor | Callable[..., object]] = {
        "lower and split alone": lambda pages: [[line.lower().split() for line in page] for page in pages],
        "pilah": load_model("default").predict,
    }
    for name, make in (("TF-IDF + LinearSVC", train_svc), ("fastText", train_fasttext), ("CRFsuite", train_crfsuite)):
        try:
            methods[name] = make(dumps)
        except ImportError as error:
            console.print(f"{name}: left out, {error.name} is not installed")
    table = Table(title=f"lines a second (MB/s), {options.mb:g} MB; slow methods {options.slow_mb:g} MB", title_justify="left")
    table.add_column("")
    for length in LENGTHS:
        table.add_column(f"{length} lines a document", justify="right")
    table.add_column("pilah is faster by", justify="right")
    sets = {length: corpus(pools, options.mb, length) for length in LENGTHS}
    few = {length: corpus(pools, options.slow_mb, length) for length in LENGTHS}
    rates = {
        name: [timed(method, (sets if name in ("pilah", "lower and split alone") else few)[length]) for length in LENGTHS]
        for name, method in methods.items()
    }
    for name, found in rates.items():
        ratios = [own[0] / other[0] for own, other in zip(rates["pilah"], found, strict=True)]
        table.add_row(name, *(f"{lines:,.0f} ({mb:.1f})" for lines, mb in found), " / ".join(f"{r:.2f}" for r in ratios))
    console.print(table)
    console.print(f"peak memory of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
