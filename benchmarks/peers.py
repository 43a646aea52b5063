"""The methods that pilah is compared with, each set up as its own users would set it up.

All are trained on the same composed pages and see nothing else. Each is a function from training pages to a predictor,
a function from pages (lists of lines) to labels.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

from pilah.model_file import load_model
from pilah.training.corpus import Dump, Pools

Predictor = Callable[[Sequence[Sequence[str]]], list[list[str]]]

_EDGES = re.compile(r"^[\W_]+|[\W_]+$")
_STOP = re.compile(r"[.!?…。！？؟۔][\"'”’»)\]]*$")
_TIME = re.compile(
    r"\d{1,2}[:.]\d{2}|\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}|\b(ago|lalu|vor|hace|il y a|önce|назад)\b|前|전$", re.IGNORECASE
)


def _plain(line: str) -> str:
    return _EDGES.sub("", re.sub(r"\s+", " ", line).lower())


class Rules:
    """Heading rules with pilah's own lexicon: what a careful engineer would write in an afternoon.

    A short line that is a known heading (with its slots filled by anything short) opens a block; the block ends where a
    line reads like a paragraph; a known prefix such as 'Baca juga:' makes a line of its own; 'other news' is latest where one of
    its next lines carries a time.
    """

    def __init__(self, pools: Pools) -> None:
        self.exact: dict[str, str] = {}
        patterns: dict[str, list[str]] = {}
        prefixes = set()
        for pool in pools.values():
            lists = [*pool.headings.items(), *pool.rarer_headings.items()]
            for label, phrases in lists:
                for phrase in phrases:
                    if "{" not in phrase:
                        self.exact.setdefault(_plain(phrase), label)
                    elif len(re.sub(r"\{\w+\}|\W", "", phrase)) >= 4:
                        parts = re.split(r"\{\w+\}", _plain(phrase))
                        patterns.setdefault(label, []).append(r"(?:\S+ ?){1,4}".join(map(re.escape, parts)))
            prefixes |= {_plain(p) for p in pool.pieces.get("read_also", ())}
        self.patterns = [(re.compile("|".join(f"(?:{p})" for p in found)), label) for label, found in patterns.items()]
        self.prefix = re.compile(
            rf"^\W*(?:{'|'.join(sorted(map(re.escape, filter(None, prefixes)), key=len, reverse=True))})\s*[:：»>]\s*\S",
            re.IGNORECASE,
        )

    def heading(self, line: str) -> str | None:
        """The label that a line opens, if any."""
        if len(line) > 60:
            return None
        plain = _plain(line)
        if plain in self.exact:
            return self.exact[plain]
        return next((label for pattern, label in self.patterns if pattern.fullmatch(plain)), None)

    def page(self, lines: Sequence[str]) -> list[str]:
        """Labels of one page."""
        labels, current = [], "body"
        for i, line in enumerate(lines):
            found = self.heading(line)
            if found and current != "body" and self._is_section(lines, i):
                found = None
            if found == "more":
                found = (
                    "latest" if any(_TIME.search(later) and len(later) < 45 for later in lines[i + 1 : i + 6]) else "related"
                )
            if found:
                current = found
            elif self.prefix.match(line):
                labels.append("related")
                continue
            elif current != "body" and (len(line) > 160 or (len(line) > 90 and _STOP.search(line))):
                current = "body"
            labels.append(current)
        return labels

    @staticmethod
    def _is_section(lines: Sequence[str], i: int) -> bool:
        """A section name among the items that is called as blocks are headed: behind a rank number, or a headline and before its time."""
        ranked = i > 0 and bool(re.fullmatch(r"\W*\d{1,2}\W*", lines[i - 1]))
        timed = (
            0 < i < len(lines) - 1 and len(lines[i - 1]) > 30 and len(lines[i + 1]) < 45 and bool(_TIME.search(lines[i + 1]))
        )
        return ranked or timed

    def __call__(self, pages: Sequence[Sequence[str]]) -> list[list[str]]:
        """Labels of pages."""
        return [self.page(lines) for lines in pages]


def train_svc(dumps: Sequence[Dump]) -> Predictor:
    """TF-IDF of the line (words and character pieces) and LinearSVC, line by line: the usual scikit-learn answer."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline, make_union
    from sklearn.svm import LinearSVC

    union = make_union(
        TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), min_df=3, sublinear_tf=True),
    )
    model = make_pipeline(union, LinearSVC(C=0.5))
    model.fit([line for d in dumps for line in d.lines], [label for d in dumps for label in d.labels])
    return _all_lines_at_once(lambda lines: list(map(str, model.predict(lines))))


def _all_lines_at_once(predict: Callable[[list[str]], list[str]]) -> Predictor:
    def each(pages: Sequence[Sequence[str]]) -> list[list[str]]:
        found = iter(predict([line for page in pages for line in page]) if any(map(len, pages)) else ())
        return [list(islice(found, len(page))) for page in pages]

    return each


def train_pipeline(dumps: Sequence[Dump], own: bool = False) -> Predictor:
    """The scikit-learn pipeline with pilah's features and a linear model, line by line.

    As its users would write it, with scikit-learn's vectorizers; or with pilah's ``own`` transformers, which already analyse
    a word once for each batch.
    """
    from sklearn.base import clone
    from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
    from sklearn.linear_model import SGDClassifier
    from sklearn.pipeline import make_pipeline, make_union

    parts = {name: clone(part) for name, part in load_model("default").scorer_.parts.items()}
    words, chars = parts["words"], parts["chars"]
    ngrams = (chars.ngram_min, chars.ngram_max)
    vectorizers = [
        TfidfVectorizer(analyzer=words.analyze, min_df=words.min_df, max_features=words.max_features),
        TfidfVectorizer(analyzer="char_wb", ngram_range=ngrams, min_df=chars.min_df, max_features=chars.max_features),
        *(CountVectorizer(analyzer=parts[name].analyze, min_df=2, binary=True) for name in ("edges", "phrases")),
        parts["facts"],
    ]
    union = make_union(*(parts.values() if own else vectorizers))
    model = make_pipeline(union, SGDClassifier(loss="log_loss", random_state=1))
    model.fit([line for d in dumps for line in d.lines], [label for d in dumps for label in d.labels])
    return _all_lines_at_once(lambda lines: list(map(str, model.predict(lines))))


def train_fasttext(dumps: Sequence[Dump]) -> Predictor:
    """fastText, supervised, word bigrams and character n-grams; the line and its neighbours, as its users give it context."""
    import fasttext

    def shown(lines: Sequence[str], i: int) -> str:
        before = " ".join("P:" + w for w in (lines[i - 1] if i else "<s>").split()[:8])
        after = " ".join("N:" + w for w in (lines[i + 1] if i + 1 < len(lines) else "</s>").split()[:8])
        return f"{' '.join(lines[i].split())} {before} {after}".lower()

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "train.txt"
        rows = [f"__label__{d.labels[i]} {shown(d.lines, i)}" for d in dumps for i in range(len(d.lines))]
        file.write_text("\n".join(rows) + "\n", encoding="utf-8")
        model = fasttext.train_supervised(
            str(file), wordNgrams=2, minn=2, maxn=5, epoch=10, lr=0.5, dim=50, bucket=500_000, thread=2, verbose=0
        )

    def predict(pages: Sequence[Sequence[str]]) -> list[list[str]]:
        rows = [shown(lines, i) + "\n" for lines in pages for i in range(len(lines))]
        answers = iter(model.f.multilinePredict(rows, 1, 0.0, "strict")[0] if rows else ())
        return [[answer[0].removeprefix("__label__") for answer in islice(answers, len(lines))] for lines in pages]

    return predict


def _crf_line(line: str) -> list[str]:
    words = line.lower().split()
    length = len(line)
    shape = re.sub(
        r"x+",
        "x",
        re.sub(r"X+", "X", re.sub(r"\d+", "9", re.sub(r"[^\W\d_]", lambda m: "X" if m[0].isupper() else "x", line[:40]))),
    )
    return [
        "bias", f"len={min(length // 20, 12)}", f"words={min(len(words), 15)}", f"stop={bool(_STOP.search(line))}",
        f"colon={line.rstrip().endswith(':')}", f"digit={any(c.isdigit() for c in line)}", f"alnum={any(c.isalnum() for c in line)}",
        f"upper={line.isupper()}", f"time={bool(_TIME.search(line))}", f"first={words[0] if words else ''}", f"last={words[-1] if words else ''}",
        f"shape={shape[:12]}", *(f"w={w}" for w in words[:12]), *([f"line={_plain(line)}"] if length < 50 else []),
    ]  # fmt: skip


def crf_features(lines: Sequence[str]) -> list[list[str]]:
    """Words, shapes and neighbours of every line of a page, in CRFsuite's manner."""
    own = [_crf_line(line) for line in lines]
    return [
        row
        + [f"-1:{f}" for f in (own[i - 1][:11] if i else ["BOS"])]
        + [f"+1:{f}" for f in (own[i + 1][:11] if i + 1 < len(own) else ["EOS"])]
        for i, row in enumerate(own)
    ]


def train_crfsuite(dumps: Sequence[Dump]) -> Predictor:
    """CRFsuite with words, shapes and neighbours, L-BFGS, states for headings and items apart (BIO-like, which helps it)."""
    import pycrfsuite

    trainer = pycrfsuite.Trainer(algorithm="lbfgs", verbose=False)
    trainer.set_params({"c1": 0.1, "c2": 0.1, "max_iterations": 80, "feature.minfreq": 2})
    for d in dumps:
        tags = [
            label if label == "body" else f"{label}/{'heading' if role in ('heading', 'more') else 'item'}"
            for label, role in d.tags
        ]
        trainer.append(crf_features(d.lines), tags)
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "crf.model")
        trainer.train(path)
        payload = Path(path).read_bytes()
    tagger = pycrfsuite.Tagger()
    tagger.open_inmemory(payload)

    def predict(
        pages: Sequence[Sequence[str]], alive: bytes = payload
    ) -> list[list[str]]:  # the tagger reads the bytes where they are
        return [[t.split("/")[0] for t in tagger.tag(crf_features(page))] if len(page) else [] for page in pages]

    return predict
