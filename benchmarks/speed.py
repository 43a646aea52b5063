"""Speed against peers: `python benchmarks/speed.py [--mb 50] [--slow-mb 2] [--rounds 3] [--growth 1,10,100,1000] [--shards 144]`, one run, one table with ratios.

The same generated corpus for all: lines of the pools in data/, a few of them often and most of them rarely, one word in fifty
made new, cut into documents of 20, 60 and 500 lines. Every method runs in a process of its own, on one core unless said, and
is called with batches of as many documents as corpus mode takes. Slow methods get the first ``--slow-mb``. Each cell is the
fastest of ``--rounds`` rounds through all methods, since other work on a machine comes and goes. Peers as of
peers.py; a peer that is not installed is left out. "pilah" runs without Numba; "pilah, with Numba" has labelled one batch
before the clock starts, so that the loops are compiled and loaded, and then begins anew, with no word known. Corpus mode
decides by itself. ``--growth`` labels JSON Lines of so many MB in corpus mode instead, and ``--shards`` so many shards on one core and on two.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path

from accuracy import ROOT, training_pages
from peers import Predictor, train_crfsuite, train_fasttext, train_pipeline, train_svc
from rich.console import Console
from rich.table import Table

from pilah import fast
from pilah.batch.readers import BATCH_CHARACTERS, BATCH_RECORDS
from pilah.model_file import load_model
from pilah.training.corpus import Dump, Pools, read_pools

LENGTHS = (20, 60, 500)
Pages = Sequence[Sequence[str]]


def _lower_and_split(pages: Pages) -> object:
    return [line.lower().split() for page in pages for line in page]


def _pilah(numba: bool) -> Callable[[Pages], object]:
    if fast.force(numba) != numba:
        raise ImportError("numba")
    return load_model("default").predict


def _dumps() -> list[Dump]:
    return training_pages(300, read_pools(ROOT / "data", wide=True))


METHODS: dict[str, Callable[[], Callable[[Pages], object] | Predictor]] = {
    "lower and split alone": lambda: _lower_and_split,
    "pilah": lambda: _pilah(numba=False),
    "pilah, with Numba": lambda: _pilah(numba=True),
    "scikit-learn, same features": lambda: train_pipeline(_dumps()),
    "the same, pilah's transformers": lambda: train_pipeline(_dumps(), own=True),
    "TF-IDF + LinearSVC": lambda: train_svc(_dumps()),
    "fastText": lambda: train_fasttext(_dumps()),
    "CRFsuite": lambda: train_crfsuite(_dumps()),
}
OURS = ("pilah", "pilah, with Numba")
FAST = ("lower and split alone", *OURS)


def corpus(pools: Pools, path: Path, megabytes: float, seed: int = 3) -> None:
    """Write so many MB of lines: the n-th of the shuffled lines is drawn in proportion to 1 / (n + 100)."""
    rng = random.Random(seed)
    lines = [text for pool in pools.values() for _, text in pool.headlines]
    lines += [text for pool in pools.values() for article in pool.articles for _, text in article.rows]
    rng.shuffle(lines)
    lines[::7] = ["-"] * len(lines[::7])
    weights = list(accumulate(1 / (n + 100) for n in range(len(lines))))
    size = 0
    with path.open("w", encoding="utf-8") as file:
        while size < megabytes * 1e6:
            for line in rng.choices(lines, cum_weights=weights, k=10_000):
                words = line.split(" ")
                if rng.random() < len(words) / 50:
                    at = rng.randrange(len(words))
                    words[at] = words[at][: rng.randint(1, 6)] + "".join(rng.choices("aeioukrtnsl", k=rng.randint(2, 6)))
                    line = " ".join(words)
                size += file.write(line + "\n")


def documents(path: Path, length: int, megabytes: float) -> list[list[str]]:
    """The first so many MB of a corpus, in documents of so many lines."""
    with path.open(encoding="utf-8") as file:
        lines = [line.rstrip("\n") for line in file.readlines(int(megabytes * 1e6))]
    return [lines[i : i + length] for i in range(0, len(lines), length)]


def batches(pages: Pages) -> Iterator[Pages]:
    """What is labelled with one call, as corpus mode has it: a batch ends with the document that reaches either limit."""
    start = characters = 0
    for i, page in enumerate(pages, 1):
        characters += sum(map(len, page)) + len(page)
        if i - start == BATCH_RECORDS or characters >= BATCH_CHARACTERS or i == len(pages):
            yield pages[start:i]
            start, characters = i, 0


def measure(method: str, path: Path, length: int, megabytes: float) -> dict[str, float]:
    """Lines and MB a second of processor time, and the peak memory that labelling adds to the corpus and the model (MiB)."""
    predict = METHODS[method]()
    pages = documents(path, length, megabytes)
    size = sum(len(line.encode()) + 1 for page in pages for line in page)
    work = list(batches(pages))
    if method == OURS[1]:
        predict(work[0])
        predict = METHODS[method]()
    predict(pages[:2])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()  # other work on the machine does not change it
    for batch in work:
        predict(batch)
    took = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"lines": sum(map(len, pages)) / took, "mb": size / took / 1e6, "added": (peak - before) / 1024, "peak": peak / 1024}


def in_child(*arguments: object) -> dict[str, float] | None:
    """What `measure` finds in a process of its own; none where the peer is not installed."""
    done = subprocess.run(
        [sys.executable, __file__, "--child", *map(str, arguments)],
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"}, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    found: dict[str, float] | None = json.loads(done.stdout.splitlines()[-1])
    return found


def compare(console: Console, pools: Pools, folder: Path, mb: float, slow_mb: float, rounds: int) -> None:
    """The table of all methods, and two cores against one."""
    path = folder / "corpus.txt"
    corpus(pools, path, mb)
    table = Table(title=f"lines a second (MB/s), {mb:g} MB; slow methods {slow_mb:g} MB", title_justify="left")
    for heading in (
        "",
        *(f"{length} lines a document" for length in LENGTHS),
        "pilah is faster by",
        "with Numba by",
        "peak memory, of it added",
    ):
        table.add_column(heading, justify="right" if heading else "left")
    rates: dict[str, list[dict[str, float]]] = {name: [] for name in METHODS}
    for _ in range(rounds):
        for name in METHODS:
            found = [in_child(name, path, length, mb if name in FAST else slow_mb) for length in LENGTHS]
            now = [f for f in found if f]
            rates[name] = [max(pair, key=lambda rate: rate["lines"]) for pair in zip(rates[name] or now, now, strict=True)]
    for name in [name for name, rows in rates.items() if not rows]:
        console.print(f"{name}: left out, not installed")
    for name, rows in rates.items():
        if rows:
            ratios = [
                " / ".join(f"{own['lines'] / other['lines']:.2f}" for own, other in zip(rates[ours] or [], rows, strict=False))
                for ours in OURS
            ]
            peak = f"{max(r['peak'] for r in rows):.0f} MiB, {max(r['added'] for r in rows):.0f}"
            cells = [f"{r['lines']:,.0f} ({r['mb']:.1f})" for r in rows]
            table.add_row(name, *cells, *ratios, peak)
    console.print(table)
    two_cores(console, pools, folder, mb, rounds, 48)


def two_cores(console: Console, pools: Pools, folder: Path, mb: float, rounds: int, many: int) -> None:
    """Corpus mode on so many shards, each an eighth of ``mb``: one core against two. Every eight have other new words."""
    path = folder / "corpus.txt"
    shards = folder / "shards"
    shards.mkdir()
    for seed in range(many // 8):
        corpus(pools, path, mb, seed)
        for number, pages in enumerate(_eighths(documents(path, 60, mb))):
            _json_lines(pages, shards / f"{seed}-{number}.jsonl")
    engines = {"one": ["engine=serial"], "two": ["engine=loky", "engine.workers=2"]}
    runs = [
        [run_corpus(str(shards), folder / f"{name}{i}", *overrides)[0] for name, overrides in engines.items()]
        for i in range(rounds)
    ]
    one, two = map(min, zip(*runs, strict=True))
    console.print(
        f"corpus mode, {len(list(shards.iterdir()))} shards of {mb / 8:g} MB: one core {one:.1f} s, two cores through loky {two:.1f} s: {one / two:.2f} x"
    )


def _eighths(pages: list[list[str]]) -> list[list[list[str]]]:
    return [pages[i::8] for i in range(8)]


def _json_lines(pages: Pages, path: Path) -> None:
    with path.open("a", encoding="utf-8") as file:
        for page in pages:
            file.write(json.dumps({"text": "\n".join(page)}, ensure_ascii=False) + "\n")


def run_corpus(source: str, output: Path, *overrides: str) -> tuple[float, float, float]:
    """Seconds, seconds of processor time and peak memory (MiB) of corpus mode."""
    command = [
        sys.executable,
        str(ROOT / "predict.py"),
        source,
        "model=default",
        "output=jsonl",
        f"output_dir={output}",
        *overrides,
    ]
    start = time.perf_counter()
    process = subprocess.Popen(command, env={**os.environ, "OPENBLAS_NUM_THREADS": "1"}, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"corpus mode ended with status {status}")
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def growth(console: Console, pools: Pools, folder: Path, sizes: Sequence[float]) -> None:
    """How time and memory of corpus mode on one core grow with the corpus."""
    table = Table(title="corpus mode, JSON Lines, one core", title_justify="left")
    for heading in (
        "MB",
        "seconds",
        "of the processor",
        "MB/s",
        "peak memory, MiB",
        "processor time, against the one before",
        "memory",
    ):
        table.add_column(heading, justify="right")
    before = None
    for size in sizes:
        path = folder / "corpus.jsonl"
        path.unlink(missing_ok=True)
        for part in range(max(1, round(size / 50))):  # each with other new words
            corpus(pools, folder / "part.txt", min(size, 50), seed=part)
            _json_lines(documents(folder / "part.txt", 60, min(size, 50)), path)
        took, busy, peak = run_corpus(str(path), folder / "out", "engine=serial")
        ratios = (f"{busy / before[0]:.2f}", f"{peak / before[1]:.2f}") if before else ("", "")
        real = path.stat().st_size / 1e6
        table.add_row(f"{real:.0f}", f"{took:.1f}", f"{busy:.1f}", f"{real / busy:.2f}", f"{peak:.0f}", *ratios)
        before = busy, peak  # processor time: others may use the machine
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mb", type=float, default=50)
    parser.add_argument("--slow-mb", type=float, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--growth", type=lambda text: [float(size) for size in text.split(",")])
    parser.add_argument("--shards", type=int, help="one core against two alone, on so many shards")
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        name, path, length, mb = options.child
        try:
            print(json.dumps(measure(name, Path(path), int(length), float(mb))))
        except ImportError:
            print("null")
        return
    console, pools = Console(width=200), read_pools(ROOT / "data", wide=True)
    with tempfile.TemporaryDirectory() as folder:
        if options.growth:
            growth(console, pools, Path(folder), options.growth)
        elif options.shards:
            two_cores(console, pools, Path(folder), options.mb, options.rounds, options.shards)
        else:
            compare(console, pools, Path(folder), options.mb, options.slow_mb, options.rounds)


if __name__ == "__main__":
    main()
