"""Scores: by hand, and against the standalone scorer where a checkout has it beside it."""

from __future__ import annotations

import importlib.util
import math
import random
from typing import Any

import pytest
from conftest import ROOT

from pilah.tagger import TaggedLine
from pilah.training.corpus import Dump
from pilah.training.evaluate import Scores, WorstLine, blocks, confusion, score, worst_lines

LABELS = ["body", "related", "popular", "pick", "latest"]


def test_scores_by_hand() -> None:
    one = (["body", "body", "related", "related"], ["body", "related", "related", "related"])
    two = (["body", "related"], ["body", "related"])
    found = score([one, two])
    assert (found.dumps, found.lines) == (2, 6)
    assert found.accuracy == pytest.approx(5 / 6)
    # body: 2 right, 2 said, 3 true -> 4/5; related: 3 right, 4 said, 3 true -> 6/7
    assert found.per_label == {"body": pytest.approx(4 / 5), "related": pytest.approx(6 / 7)}
    assert found.macro_f1 == pytest.approx((4 / 5 + 6 / 7) / 2)
    assert found.body_f1 == pytest.approx(4 / 5)
    # of four true blocks and four said ones, those of the second dump alone have both ends right
    assert found.block_f1 == pytest.approx(2 * 2 / (4 + 4))
    assert found.exact_dumps == 0.5


def test_a_label_that_was_never_true_costs_the_others_and_is_no_label_of_its_own() -> None:
    found = score([(["body", "body"], ["body", "pick"])])
    assert set(found.per_label) == {"body"}
    assert found.macro_f1 == pytest.approx(2 / 3)


def test_undecided_lines_do_not_count_and_do_not_part_blocks() -> None:
    found = score([(["body", "?", "body"], ["body", "pick", "body"])])
    assert (found.lines, found.accuracy, found.block_f1, found.exact_dumps) == (2, 1.0, 1.0, 1.0)


def test_gold_without_body_has_no_body_score() -> None:
    assert math.isnan(score([(["pick"], ["pick"])]).body_f1)


def test_nothing_is_scored_without_falling_over() -> None:
    assert score([]).lines == 0


def test_another_label_may_be_the_body() -> None:
    assert score([(["answer", "question"], ["answer", "answer"])], body="answer").body_f1 == pytest.approx(2 / 3)


def test_dumps_must_be_as_long_as_their_prediction() -> None:
    with pytest.raises(ValueError, match="zip"):
        score([(["body"], [])])


def test_scores_are_ready_for_json() -> None:
    found = score([(["body"], ["body"])])
    assert Scores(**found.to_dict()) == found


def test_blocks_are_runs_of_one_label() -> None:
    assert blocks([]) == set()
    assert blocks(["a", "b", "b", "a"]) == {("a", 0, 1), ("b", 1, 3), ("a", 3, 4)}


def test_confusion_counts_pairs() -> None:
    assert confusion([(["a", "b", "?"], ["a", "a", "a"])]) == {("a", "a"): 1, ("b", "a"): 1}


def test_agreement_with_the_standalone_scorer_on_random_labels() -> None:
    path = ROOT.parent / "shared" / "score.py"
    if not path.exists():
        pytest.skip("no standalone scorer beside this checkout")
    spec = importlib.util.spec_from_file_location("standalone_score", path)
    assert spec is not None and spec.loader is not None
    peer: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(peer)
    rng = random.Random(8)
    for _ in range(30):
        pairs = []
        for _ in range(rng.randint(1, 6)):
            gold = rng.choices([*LABELS, "?"], [6, 3, 2, 2, 2, 1], k=rng.randint(1, 40))
            gold = [label if rng.random() < 0.3 else gold[0] for label in gold]
            if set(gold) == {"?"}:
                gold.append("body")
            pairs.append((gold, [label if rng.random() < 0.7 and label != "?" else rng.choice(LABELS) for label in gold]))
        ours, theirs = score(pairs).to_dict(), peer.score(pairs)
        assert set(theirs) <= set(ours)
        for name, value in theirs.items():
            assert ours[name] == pytest.approx(value, nan_ok=True), name


# ------------------------------------------------------------------------------------------------------ worst lines


def dump_of(gold: list[str]) -> Dump:
    """A dump whose lines are called line 1, line 2, ..."""
    return Dump("toy", tuple(f"line {i + 1}" for i in range(len(gold))), tuple((label, ".") for label in gold))


def tagged(*pairs: tuple[str, float]) -> list[TaggedLine]:
    """Lines with a label and a confidence."""
    return [TaggedLine(label, ".", confidence) for label, confidence in pairs]


def test_the_surest_mistakes_come_first_and_a_run_of_one_mistake_once() -> None:
    gold = dump_of(["body", "body", "body", "pick", "body"])
    said = tagged(("pick", 0.6), ("pick", 0.99), ("body", 0.9), ("latest", 0.8), ("pick", 0.7))
    found = worst_lines([gold], [said])
    assert [(w.n, w.gold, w.predicted, w.confidence) for w in found] == [
        (4, "pick", "latest", 0.8),
        (5, "body", "pick", 0.7),
        (1, "body", "pick", 0.6),
    ]


def test_a_mistake_is_shown_with_the_lines_around_it() -> None:
    (found,) = worst_lines([dump_of(["body", "body", "body"])], [tagged(("body", 1), ("pick", 1), ("body", 1))], around=1)
    assert isinstance(found, WorstLine)
    assert [row[0] for row in found.context] == [" ", ">", " "]
    assert [row.split()[-1] for row in found.context] == ["1", "2", "3"]


def test_only_so_many_mistakes_are_shown() -> None:
    gold = dump_of(["body", "pick"] * 10)
    assert len(worst_lines([gold], [tagged(*[("latest", 0.5)] * 20)], most=3)) == 3


def test_undecided_lines_are_no_mistakes() -> None:
    assert worst_lines([dump_of(["?", "body"])], [tagged(("pick", 1), ("body", 1))]) == []
