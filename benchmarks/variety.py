"""How varied the written data is: `python benchmarks/variety.py` prints the table of data/README.md.

Types and tokens are lower-cased words. A headline is a near-duplicate where another one of its language shares more
than half of its words (Jaccard index of word sets above 0.5).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

from pilah.training.corpus import read_pools

ROOT = Path(__file__).resolve().parent.parent


def words(text: str) -> list[str]:
    return [w for w in ("".join(c if c.isalnum() else " " for c in text.lower())).split() if w]


def near_duplicates(headlines: list[str]) -> float:
    sets = [set(words(h)) for h in headlines]
    holders: dict[str, list[int]] = defaultdict(list)
    for i, found in enumerate(sets):
        for word in found:
            holders[word].append(i)
    near = 0
    for i, found in enumerate(sets):
        shared = Counter(j for word in found if len(holders[word]) < 400 for j in holders[word] if j != i)
        near += any(count / len(found | sets[j]) > 0.5 for j, count in shared.most_common(20))
    return near / max(1, len(sets))


def main() -> None:
    print("| language | headings | headlines | words | types/tokens | near-duplicates | articles | rows | words in them |")
    print("|---|---|---|---|---|---|---|---|---|")
    for language, pool in sorted(read_pools(ROOT / "data").items(), key=lambda item: -len(item[1].headlines)):
        headlines = [text for _, text in pool.headlines]
        tokens = [word for text in headlines for word in words(text)]
        rows = [text for article in pool.articles for _, text in article.rows]
        ratio = f"{len(set(tokens)) / len(tokens):.2f}" if tokens else ""
        near = f"{near_duplicates(headlines):.1%}" if headlines else ""
        size = sum(len(p) for p in pool.headings.values())
        print(
            f"| {language} | {size} | {len(headlines)} | {len(tokens)} | {ratio} | {near} | {len(pool.articles)} | {len(rows)} "
            f"| {sum(len(words(row)) for row in rows)} |"
        )


if __name__ == "__main__":
    main()
