"""Splits: what may be seen together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilah.training.corpus import ArticleText, Dump, LanguagePool
from pilah.training.splits import DumpSplit, PieceSplit, filtered, fold_of, heading_folds, training_folds

POOLS = {
    "id": LanguagePool(
        headings={"related": tuple(f"Terkait {i}" for i in range(60)), "popular": tuple(f"Populer {i}" for i in range(60))},
        pieces={"time": ("10:42 WIB",)},
        furniture={"footer": tuple(f"Tentang {i}" for i in range(60))},
        headlines=tuple(("desa", f"Panen Raya {i}") for i in range(200)),
        articles=tuple(ArticleText("desa", (("title", f"Jembatan {i}"), ("paragraph", "Isi."))) for i in range(100)),
    )
}


def texts(pool: LanguagePool) -> dict[str, set[str]]:
    """What a pool holds, kind by kind."""
    return {
        "headlines": {text for _, text in pool.headlines},
        "articles": {article.title for article in pool.articles},
        "headings": {phrase for phrases in pool.headings.values() for phrase in phrases},
        "furniture": {phrase for phrases in pool.furniture.values() for phrase in phrases},
    }


@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(1, 50))
def test_a_fold_is_one_of_so_many_and_always_the_same(text: str, folds: int) -> None:
    assert fold_of(text, folds) == fold_of(text, folds) in range(folds)


def test_a_fold_is_the_same_on_every_machine() -> None:
    assert fold_of("Berita Terkait", 1_000_000) == 889_520


def test_another_salt_is_another_cut() -> None:
    texts_ = [f"Panen {i}" for i in range(100)]
    assert [fold_of(t, 10, "a") for t in texts_] != [fold_of(t, 10, "b") for t in texts_]


def test_no_piece_is_both_trained_on_and_tested_on_and_none_is_lost() -> None:
    split = PieceSplit(share=0.2)
    whole, train, held = (texts(p["id"]) for p in (POOLS, split.training(POOLS), split.validation(POOLS)))
    for kind in whole:
        assert train[kind] | held[kind] == whole[kind]
        assert not train[kind] & held[kind]
        assert 0.05 < len(held[kind]) / len(whole[kind]) < 0.4, kind  # about the share that was asked for


def test_pieces_without_labels_are_shared() -> None:
    assert PieceSplit().validation(POOLS)["id"].pieces == POOLS["id"].pieces


def test_a_list_that_would_lose_everything_stays_whole() -> None:
    found = filtered(POOLS, lambda text: False, lambda text: False)
    assert texts(found["id"]) == texts(POOLS["id"])


@pytest.mark.parametrize(("count", "held"), [(0, 0), (1, 0), (2, 1), (5, 1), (40, 8)])
def test_of_several_dumps_of_ones_own_at_least_one_is_tested_on(count: int, held: int) -> None:
    dumps = [Dump(f"dump {i}", ("a",), (("body", "."),)) for i in range(count)]
    train, test = PieceSplit(share=0.2).dumps(dumps)
    assert len(test) == held
    assert sorted(d.name for d in train + test) == sorted(d.name for d in dumps)


def test_which_dumps_are_held_out_does_not_depend_on_their_order() -> None:
    dumps = [Dump(f"dump {i}", ("a",), (("body", "."),)) for i in range(10)]
    one, other = (PieceSplit(share=0.3).dumps(order)[1] for order in (dumps, dumps[::-1]))
    assert {d.name for d in one} == {d.name for d in other}


def test_whole_dumps_are_made_of_the_same_pieces() -> None:
    split = DumpSplit(share=0.1)
    assert split.training(POOLS) == split.validation(POOLS) == POOLS


def test_a_headline_or_article_belongs_to_one_training_fold_alone() -> None:
    parts = [texts(part["id"]) for part in training_folds(POOLS, 3, common=0.5)]
    for kind in ("headlines", "articles"):
        assert set.union(*(part[kind] for part in parts)) == texts(POOLS["id"])[kind]
        assert sum(len(part[kind]) for part in parts) == len(texts(POOLS["id"])[kind])


def test_a_heading_is_common_to_all_folds_or_belongs_to_one() -> None:
    fold = heading_folds(3, common=0.5)
    parts = [texts(part["id"])["headings"] for part in training_folds(POOLS, 3, common=0.5)]
    for heading in texts(POOLS["id"])["headings"]:
        inside = [number for number, part in enumerate(parts) if heading in part]
        assert inside == ([0, 1, 2] if fold(heading) == -1 else [fold(heading)])
    common = sum(fold(heading) == -1 for heading in texts(POOLS["id"])["headings"])
    assert 0.3 < common / 120 < 0.7


@pytest.mark.parametrize(("share", "expected"), [(0.0, {0, 1}), (1.0, {-1})])
def test_the_share_of_common_headings_goes_from_none_to_all(share: float, expected: set[int]) -> None:
    assert {heading_folds(2, share)(f"Terkait {i}") for i in range(50)} == expected
