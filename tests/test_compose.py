"""The composer: labelled dumps, the same for the same seed, with nothing in them that no label knows."""

from __future__ import annotations

import itertools
import operator
import random
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, configured

from pilah.labels import LabelSet
from pilah.page import parse_labelled
from pilah.training.compose import Site, _in_order, _layout, _teaser, compose_dump, heading_examples
from pilah.training.corpus import ArticleText, Dump, LanguagePool, read_pools, read_yaml
from pilah.training.evaluate import blocks
from pilah.training.run import build

LANGUAGES = {"id": 2.0, "en": 1.0}
SIX = ("body", "related", "popular", "pick", "latest", "other")


@pytest.fixture(scope="module")
def pools(small_data: Path) -> dict[str, LanguagePool]:
    return read_pools(small_data)


@pytest.fixture(scope="module")
def layouts(small_data: Path) -> dict[str, Any]:
    return read_yaml(small_data / "layouts.yaml")


@pytest.fixture(scope="module")
def dumps(pools: dict[str, LanguagePool], layouts: dict[str, Any]) -> list[Dump]:
    """200 composed dumps."""
    return [compose_dump(pools, layouts, seed, LANGUAGES) for seed in range(200)]


@pytest.fixture(scope="module")
def raw(pools: dict[str, LanguagePool], layouts: dict[str, Any]) -> list[Dump]:
    """60 composed dumps with menus and footers."""
    return [compose_dump(pools, layouts, seed, LANGUAGES, furniture=True) for seed in range(60)]


def test_the_same_seed_gives_the_same_dump(pools: dict[str, LanguagePool], layouts: dict[str, Any], dumps: list[Dump]) -> None:
    assert [compose_dump(pools, layouts, seed, LANGUAGES) for seed in range(30)] == dumps[:30]


def test_another_seed_gives_another_dump(dumps: list[Dump]) -> None:
    assert len({dump.lines for dump in dumps}) > 190


def test_no_label_or_role_is_unknown(dumps: list[Dump], five: LabelSet) -> None:
    assert {tag for dump in dumps for tag in dump.tags} <= set(five.tags)


def test_every_tag_of_the_five_labels_is_met(five: LabelSet) -> None:
    """In the project's own pools: a tag that is never composed is never learned. Echoes are rare: of each label, one is enough."""
    cfg = configured()
    pools, layouts = read_pools(ROOT / "data"), read_yaml(ROOT / "data" / "layouts.yaml")
    languages = dict(build(cfg.data)["languages"])
    common = {tag for tag in five.tags if tag[1] not in five.echoes}
    echoing = {label for label, role in five.tags if role in five.echoes}
    met: set[tuple[str, str]] = set()
    for seed in range(800):
        met |= set(compose_dump(pools, layouts, seed, languages).tags)
        if met >= common and {label for label, role in met if role in five.echoes} >= echoing:
            break
    assert met >= common, common - met
    assert {label for label, role in met if role in five.echoes} == echoing


def test_no_line_is_blank_or_holds_a_tab_or_a_line_end(dumps: list[Dump], raw: list[Dump]) -> None:
    for line in (line for dump in dumps + raw for line in dump.lines):
        assert line.strip()
        assert not set(line) & set("\t\n\r")


def test_no_slot_of_a_phrase_is_left_open(dumps: list[Dump]) -> None:
    assert not [line for dump in dumps for line in dump.lines if "{" in line and "}" in line]


def test_every_line_has_a_tag_and_no_dump_is_empty(dumps: list[Dump], raw: list[Dump]) -> None:
    assert all(len(dump.lines) == len(dump.tags) > 0 for dump in dumps + raw)


def test_an_inline_link_is_related_and_the_body_goes_on(dumps: list[Dump]) -> None:
    links = [(dump, i) for dump in dumps for i, tag in enumerate(dump.tags) if tag[1] == "link"]
    assert len(links) > 10
    assert {dump.tags[i][0] for dump, i in links} == {"related"}
    inside = [1 for dump, i in links if 0 < i < len(dump.tags) - 1 and dump.labels[i - 1] == dump.labels[i + 1] == "body"]
    assert len(inside) > len(links) / 3


def test_a_chance_that_the_layouts_do_not_name_is_none(
    pools: dict[str, LanguagePool], layouts: dict[str, Any], dumps: list[Dump]
) -> None:
    for name in ("made_credits", "note_last"):
        assert name not in layouts["article"]
        zero = {**layouts, "article": {**layouts["article"], name: 0}}
        assert [compose_dump(pools, zero, seed, LANGUAGES) for seed in range(30)] == dumps[:30]


def test_credits_stand_at_the_end_of_an_article(pools: dict[str, LanguagePool], layouts: dict[str, Any]) -> None:
    always = {**layouts, "article": {**layouts["article"], "made_credits": 1, "made_note": 0, "pagemark": 0, "title_only": 0}}
    always["page"] = {**layouts["page"], "no_article": 0, "blocks": {0: 1}, "cut": 0}
    always["inline"] = {**layouts["inline"], "chance": 0}
    for seed in range(40):
        tags = compose_dump(pools, always, seed, LANGUAGES).tags
        assert tags[-1] in {("body", "byline"), ("body", "signature")}


def test_the_items_of_a_list_can_share_a_section_that_is_called_like_a_heading(
    pools: dict[str, LanguagePool], layouts: dict[str, Any]
) -> None:
    item = {
        **layouts["item"],
        "rank": {"none": 1},
        "metas": {1: 1},
        "meta_kind": {"section": 1},
        "meta_place": {"before": 1},
        "meta_lost": 0,
    }
    known = {phrase for pool in pools.values() for phrases in pool.headings.values() for phrase in phrases}
    known -= {piece for pool in pools.values() for pieces in pool.pieces.values() for piece in pieces}

    def pages_with_one(chance: int) -> int:
        asked = {**layouts, "item": {**item, "heading_as_section": 0, "heading_as_repeated_section": chance}}
        dumps = [compose_dump(pools, asked, seed, LANGUAGES) for seed in range(80)]
        return sum(any(tag[1] == "meta" and line in known for line, tag in zip(d.lines, d.tags, strict=True)) for d in dumps)

    assert pages_with_one(0) == 0
    assert pages_with_one(1) > 10


def falling(texts: list[str]) -> bool:
    """Whether the numbers of texts never grow."""
    found = [[int(number) for number in re.findall(r"\d+", text)] for text in texts]
    return all(after <= before for before, after in itertools.pairwise(found))


@pytest.mark.parametrize(("label", "ordered"), [("latest", True), ("popular", False)])
def test_what_is_the_latest_comes_in_order_of_time(
    label: str, ordered: bool, pools: dict[str, LanguagePool], layouts: dict[str, Any]
) -> None:
    site = Site(random.Random(3), {**layouts, "times_in_order": {"latest": 1.0}}, pools, "id")
    layout = replace(_layout(site), metas=(("time", "before", "12 Mei 2025 10:22"),))
    found = [_in_order(site, label, layout, 8) for _ in range(20)]
    assert all(bool(columns) == ordered for columns in found)
    assert all(len(texts) == 8 and falling(texts) for columns in found for texts in columns.values())
    assert not ordered or len({tuple(columns[0]) for columns in found}) > 10


def test_what_is_popular_falls_from_count_to_count(pools: dict[str, LanguagePool], layouts: dict[str, Any]) -> None:
    site = Site(random.Random(3), {**layouts, "counts_in_order": {"popular": 1.0}}, pools, "id")
    layout = replace(_layout(site), metas=(("section", "before", "Kota"), ("count", "after", "8.914 kali dibaca")))
    assert falling(_in_order(site, "popular", layout, 8)[1])
    assert not _in_order(site, "latest", layout, 8)


def test_ages_rise_from_unit_to_unit(pools: dict[str, LanguagePool], layouts: dict[str, Any]) -> None:
    site = Site(random.Random(3), {**layouts, "times_in_order": {"latest": 1.0}}, pools, "id")
    layout = replace(_layout(site), metas=(("time", "before", "5 menit yang lalu"),))
    found = [_in_order(site, "latest", layout, 8)[0] for _ in range(40)]
    units = [{re.sub(r"\d+", "", text) for text in texts} for texts in found]
    assert {len(unit) for unit in units} >= {1, 2, 3}  # minutes; then hours; then days
    numbers = [[int(number) for text in texts for number in re.findall(r"\d+", text)] for texts in found]
    turns = [min(sum(map(way, row, row[1:])) for way in (operator.gt, operator.lt)) for row in numbers]
    assert max(turns) <= 2  # one number alone may be a day, and fall


def test_a_section_front_may_be_one_long_list(pools: dict[str, LanguagePool], layouts: dict[str, Any]) -> None:
    always = {**layouts["page"], "no_article": 1.0, "front_stream": 1.0, "blocks": {0: 1}, "cut": 0.0}
    streams = {**layouts, "page": always, "block": {**layouts["block"], "stream_named": 0.5, "stream_goes_on": 0.5}}
    fronts = [compose_dump(pools, streams, seed, LANGUAGES) for seed in range(60)]
    assert all(len({label for label, _ in front.tags}) == 1 for front in fronts)
    assert {front.labels[0] for front in fronts} == {"latest", "pick"}  # with times, and without
    assert not any(role == "heading" for front in fronts for _, role in front.tags)
    for front in fronts:
        assert any(role == "time" for _, role in front.tags) <= (front.labels[0] == "latest")


def test_blocks_tile_a_dump(dumps: list[Dump]) -> None:
    for dump in dumps[:50]:
        runs = sorted(blocks(dump.labels), key=lambda run: run[1])
        assert [start for _, start, _ in runs] == [0, *(stop for _, _, stop in runs)][:-1]
        assert runs[-1][2] == len(dump.lines)


def test_most_blocks_open_with_their_heading(dumps: list[Dump], five: LabelSet) -> None:
    opened = Counter()
    for dump in dumps:
        for label, start, _ in blocks(dump.labels):
            if label != "body":
                opened[five.opens(dump.tags[start][1])] += 1
    assert opened[True] > 2 * opened[False] > 0  # and some have lost it, or are inline links


def test_blocks_stand_before_inside_and_after_the_article_in_any_order(dumps: list[Dump]) -> None:
    places, pairs = Counter[str](), set()
    for dump in dumps:
        labels = dump.labels
        body = [i for i, label in enumerate(labels) if label == "body"]
        runs = sorted(blocks(labels), key=lambda run: run[1])
        pairs |= {(a[0], b[0]) for a, b in itertools.pairwise(runs)}
        if body:
            for label, start, _ in runs:
                if label != "body":
                    places["before" if start < body[0] else "after" if start > body[-1] else "inside"] += 1
    assert min(places[p] for p in ("before", "inside", "after")) > 10
    four = ("related", "popular", "pick", "latest")
    assert {(a, b) for a in four for b in four if a != b} <= pairs


def test_a_teaser_is_as_long_as_sites_print_it(pools: dict[str, LanguagePool], layouts: dict[str, Any]) -> None:
    """Whole sentences up to so many characters, or the first one however long it is."""
    sentence = "Warga pulang ke rumah setelah hujan reda."  # 41 characters: four and three spaces are 167, five are 209
    article = ArticleText("local", (("title", "Judul"), ("paragraph", " ".join([sentence] * 9))))
    pool = replace(pools["id"], articles=(article,))
    site = Site(random.Random(1), layouts, {**pools, "id": pool}, "id")
    assert _teaser(site, cut=False) == " ".join([sentence] * 4)
    long = replace(pool, articles=(ArticleText("local", (("paragraph", f"{'kata ' * 60}habis. {sentence}"),)),))
    site = Site(random.Random(1), layouts, {**pools, "id": long}, "id")
    assert _teaser(site, cut=False) == f"{'kata ' * 60}habis."
    wide = replace(pool, articles=(ArticleText("local", (("paragraph", "雨が上がった。" * 40),)),))
    site = Site(random.Random(1), layouts, {**pools, "id": wide}, "id")
    assert _teaser(site, cut=False) == "雨が上がった。" * 28  # 196 characters


def test_a_section_front_may_have_lost_its_headings(pools: dict[str, LanguagePool], layouts: dict[str, Any]) -> None:
    page = {**layouts["page"], "no_article": 1.0, "front_headless": 1.0, "nameless": 0.0}
    for seed in range(20):
        dump = compose_dump(pools, {**layouts, "page": page}, seed, LANGUAGES)
        assert not {role for _, role in dump.tags} & {"heading", "more"}
        assert {label for label, _ in dump.tags} <= {"latest", "pick"}


def test_what_must_not_matter_is_met_in_every_block(dumps: list[Dump]) -> None:
    """Bullets and metas (ranks, times, counts) in blocks of every label, in much the same measure."""
    for role in ("bullet", "meta"):
        shares = []
        for label in ("related", "popular", "pick", "latest"):
            roles = [r for dump in dumps for x, r in dump.tags if x == label]
            shares.append(roles.count(role) / len(roles))
        assert min(shares) > 0.3 * max(shares) > 0, (role, shares)


def test_pages_without_an_article_and_articles_without_blocks_are_met(dumps: list[Dump]) -> None:
    kinds = Counter(
        "both" if len({"body"} & set(d.labels)) and len(set(d.labels)) > 1 else d.labels[0] == "body" for d in dumps
    )
    assert kinds["both"] > kinds[True] > 0
    assert kinds[False] > 0


def test_menus_and_footers_are_other_and_come_only_when_asked_for(dumps: list[Dump], raw: list[Dump]) -> None:
    assert not any("other" in dump.labels for dump in dumps)
    assert all(set(dump.labels) <= set(SIX) for dump in raw)
    assert sum("other" in dump.labels for dump in raw) > 50


def test_the_lists_of_every_section_under_an_article_are_other(pools: dict[str, LanguagePool], layouts: dict[str, Any]) -> None:
    headlines = {text for _, text in pools["id"].headlines}
    chances = {**layouts, "raw": {**layouts["raw"], "sections": 1.0, "box": 0.0}, "page": {**layouts["page"], "cut": 0.0}}
    for seed in range(10):
        dump = compose_dump(pools, chances, seed, {"id": 1.0}, furniture=True)
        boxes = [i for i, tag in enumerate(dump.tags) if tag == ("other", "box")]
        last = max(i for i, tag in enumerate(dump.tags) if tag == ("other", "cards"))
        rows = list(zip(dump.lines, dump.tags, strict=True))[boxes[0] : last + 1]
        assert {tag for _, tag in rows} == {("other", "box"), ("other", "cards")}
        assert any(text in line for line, _ in rows for text in headlines)


def test_the_weights_choose_the_language(pools: dict[str, LanguagePool], layouts: dict[str, Any]) -> None:
    english = {text for _, text in pools["en"].headlines}
    composed = [compose_dump(pools, layouts, seed, {"en": 1.0}) for seed in range(20)]
    lines = [line for dump in composed for line in dump.lines]
    assert sum(any(text in line for text in english) for line in lines) > 20


def test_a_dump_keeps_the_fold_of_its_pieces(pools: dict[str, LanguagePool], layouts: dict[str, Any]) -> None:
    assert compose_dump(pools, layouts, 1, LANGUAGES, fold=3).fold == 3


def test_headings_are_examples_of_their_own(pools: dict[str, LanguagePool], layouts: dict[str, Any], five: LabelSet) -> None:
    found = heading_examples(pools, layouts, 1, lambda phrase: len(phrase) % 2)
    assert found == heading_examples(pools, layouts, 1, lambda phrase: len(phrase) % 2)
    assert {tag for _, tag, _ in found} <= set(five.tags)
    assert all(five.opens(role) for _, (_, role), _ in found)
    assert {fold for _, _, fold in found} == {0, 1}
    assert len(found) > sum(len(phrases) for pool in pools.values() for phrases in pool.headings.values())


def test_a_menu_names_sections_line_by_line_and_may_come_again(raw: list[Dump]) -> None:
    longest = [
        max((len(list(rows)) for tag, rows in itertools.groupby(d.tags) if tag[1] == "navigation"), default=0) for d in raw
    ]
    assert max(longest) > 25
    again = [
        {line for line, tag in zip(d.lines, d.tags, strict=True) if tag[1] == "navigation" and d.lines.count(line) > 1}
        for d in raw
    ]
    assert max(map(len, again)) > 8


def test_a_dump_is_printed_as_a_labelled_dump(small_data: Path) -> None:
    command = [sys.executable, "-m", "pilah.training.compose", "seed=7", f"data={small_data}"]
    one, again = (subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode() for _ in range(2))
    lines, tags = parse_labelled(one)
    assert lines
    assert {label for label, _ in tags} <= set(SIX)
    assert one == again
