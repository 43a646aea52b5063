"""The corpus on disk: pools and labelled dumps, and what is said of a row that makes no sense."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from conftest import ROOT

from pilah.labels import LabelSet
from pilah.page import InputError
from pilah.training.corpus import ARTICLE_ROLES, Dump, LanguagePool, digest, read_labelled, read_layouts, read_pools, read_yaml

SET = LabelSet("toy", ["body", "related"], {"body": ["paragraph"], "related": ["heading", "headline"]})


def put(path: Path, text: str) -> Path:
    """Write a file, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder of one language and a bit."""
    put(tmp_path / "headings.yaml", "id:\n  related: [Baca Juga, 24]\nno:\n  related: [Les også]\n")
    put(tmp_path / "headlines" / "id" / "a.tsv", "desa\tPanen Raya\n\nkota\t Jalan Ambles \n")
    put(
        tmp_path / "articles" / "id" / "a.tsv",
        "topic\tdesa\ntitle\tJembatan\nparagraph\tIsi satu.\n\n\ntitle\tSungai\nitem\tSatu\n",
    )
    return tmp_path


# ------------------------------------------------------------------------------------------------------------ pools


def test_pools_are_read_language_by_language(data: Path) -> None:
    pools = read_pools(data)
    assert list(pools) == ["id", "no"]  # Norwegian, not YAML's word for false
    assert pools["id"].headings == {"related": ("Baca Juga", "24")}
    assert pools["id"].headlines == (("desa", "Panen Raya"), ("kota", "Jalan Ambles"))
    assert [(a.topic, a.title) for a in pools["id"].articles] == [("desa", "Jembatan"), ("", "Sungai")]
    assert pools["id"].articles[0].rows == (("title", "Jembatan"), ("paragraph", "Isi satu."))
    assert pools["no"] == LanguagePool(headings={"related": ("Les også",)})


def test_the_wide_lists_come_behind_the_others_where_they_are_asked_for(data: Path) -> None:
    before = digest(data)
    put(data / "wide" / "headings.yaml", "id:\n  related: [Simak Juga]\n  popular: [Ramai Dibaca]\n")
    put(data / "wide" / "headings_more.yaml", "id:\n  pick: [Kurasi Kami]\n")
    assert read_pools(data)["id"].headings == {"related": ("Baca Juga", "24")}
    wide = read_pools(data, wide=True)["id"]
    assert wide.headings == {"related": ("Baca Juga", "24", "Simak Juga"), "popular": ("Ramai Dibaca",)}
    assert wide.rarer_headings == {"pick": ("Kurasi Kami",)}
    assert digest(data) == before != digest(data, wide=True)


def test_the_wide_section_names_can_be_left_out(data: Path) -> None:
    put(data / "pieces.yaml", "id:\n  section: [Kota]\n")
    put(data / "wide" / "pieces.yaml", "id:\n  time: ['21.48']\n")
    put(data / "wide" / "sections.yaml", "id:\n  section: [Desa]\n")
    assert read_pools(data)["id"].pieces == {"section": ("Kota",)}
    assert read_pools(data, wide=True)["id"].pieces == {"section": ("Kota", "Desa"), "time": ("21.48",)}
    assert read_pools(data, wide=True, sections=False)["id"].pieces == {"section": ("Kota",), "time": ("21.48",)}


def test_the_wide_layouts_replace_single_chances(tmp_path: Path) -> None:
    put(tmp_path / "layouts.yaml", "item: {twice: 0.1, cut: 0.2}\n")
    put(tmp_path / "wide" / "layouts.yaml", "item: {cut: 0.3}\narticle: {note_last: 0.5}\n")
    assert read_layouts(tmp_path) == {"item": {"twice": 0.1, "cut": 0.2}}
    assert read_layouts(tmp_path, wide=True) == {"item": {"twice": 0.1, "cut": 0.3}, "article": {"note_last": 0.5}}


def test_a_folder_without_pools_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no pools"):
        read_pools(tmp_path)


@pytest.mark.parametrize("row", ["Panen Raya", "\tPanen Raya", "desa\t", "desa\t  "])
def test_a_headline_without_topic_or_text_is_named(data: Path, row: str) -> None:
    put(data / "headlines" / "id" / "b.tsv", f"desa\tPanen\n{row}\n")
    with pytest.raises(InputError, match=r"b\.tsv, row 2: expected topic<TAB>headline"):
        read_pools(data)


@pytest.mark.parametrize("row", ["paragraf\tIsi.", "paragraph", "paragraph\t ", "title\tA\ntopic\tdesa"])
def test_an_article_row_of_an_unknown_kind_is_named(data: Path, row: str) -> None:
    put(data / "articles" / "id" / "b.tsv", f"title\tJembatan\n{row}\n")
    with pytest.raises(InputError, match=r"b\.tsv, row [23]: expected one of title, byline"):
        read_pools(data)


def test_a_file_that_is_no_yaml_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"x\.yaml is not YAML"):
        read_yaml(put(tmp_path / "x.yaml", "a: [1, 2\nb: }\n"))


def test_a_file_that_is_no_text_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "headings.yaml").write_bytes(b"id: \xff\n")
    with pytest.raises(InputError, match="byte 5 is 0xff"):
        read_pools(tmp_path)


def test_an_absent_yaml_file_is_empty(tmp_path: Path) -> None:
    assert read_yaml(tmp_path / "absent.yaml") == {}


def test_plain_yaml_keeps_words_as_words(tmp_path: Path) -> None:
    path = put(tmp_path / "x.yaml", "no: [yes, 1.0, 2031-03-12]\n")
    assert read_yaml(path, plain=True) == {"no": ["yes", "1.0", "2031-03-12"]}


# --------------------------------------------------------------------------------------------------- labelled dumps


def test_labelled_dumps_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    put(tmp_path / "b.tsv", "body\tparagraph\tHujan reda.\n")
    put(tmp_path / "a" / "x.tsv", "related\theading\tBaca Juga\n")
    assert [(d.name, d.labels) for d in read_labelled([tmp_path])] == [("a/x", ["related"]), ("b", ["body"])]
    assert read_labelled([tmp_path / "b.tsv"]) == [Dump("b", ("Hujan reda.",), (("body", "paragraph"),))]


def test_a_role_that_the_set_does_not_have_counts_as_not_annotated(tmp_path: Path) -> None:
    put(tmp_path / "a.tsv", "body\tcaption\tFoto\n?\theading\tEntah\nrelated\theadline\tPanen\n")
    (dump,) = read_labelled([tmp_path], SET)
    assert dump.tags == (("body", "."), ("?", "."), ("related", "headline"))


def test_a_label_that_the_set_does_not_have_is_named(tmp_path: Path) -> None:
    put(tmp_path / "a.tsv", "body\t.\tHujan\nrelatd\t.\tPanen\n")
    with pytest.raises(InputError, match=r"a\.tsv, row 2: label 'relatd' is not one of body, related"):
        read_labelled([tmp_path], SET)


def test_a_folder_without_dumps_is_said_so(tmp_path: Path) -> None:
    put(tmp_path / "dump.txt", "Hujan\n")
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(InputError, match="holds no labelled dump"):
            read_labelled([folder])


# ------------------------------------------------------------------------------------------------------------ digest


def test_the_digest_is_that_of_names_and_contents_wherever_the_folder_is(data: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(data, tmp_path / "elsewhere" / "data"))
    shutil.rmtree(copy / "elsewhere", ignore_errors=True)
    before = digest(copy)
    assert before == digest(data)
    put(copy / "notes.txt", "not trained on")
    assert digest(copy) == before
    put(copy / "headlines" / "id" / "a.tsv", "desa\tPanen Raya\n")
    assert digest(copy) != before


def test_dumps_of_ones_own_are_part_of_the_digest(data: Path, tmp_path: Path) -> None:
    own = put(tmp_path / "own" / "a.tsv", "body\t.\tHujan\n").parent
    assert digest(data, [own]) != digest(data)


# ------------------------------------------------------------------------------------------------- the project's data


@pytest.fixture(scope="module")
def pools() -> dict[str, LanguagePool]:
    return read_pools(ROOT / "data")


def test_every_language_of_the_project_can_head_its_blocks(pools: dict[str, LanguagePool]) -> None:
    assert {"id", "en", "de"} <= set(pools)
    for label in ("related", "popular", "pick", "latest", "more"):
        assert pools["en"].headings[label], label  # English lends what another language lacks
    assert all(pool.headings for pool in pools.values())


def test_no_text_of_the_project_holds_a_tab_or_a_line_end(pools: dict[str, LanguagePool]) -> None:
    for pool in pools.values():
        found = [text for _, text in pool.headlines] + [text for article in pool.articles for _, text in article.rows]
        found += [
            phrase for lists in (pool.headings, pool.pieces, pool.furniture) for phrases in lists.values() for phrase in phrases
        ]
        assert not [text for text in found if "\t" in text or "\n" in text or "\r" in text]
        assert not [text for text in found if not text.strip()]


def test_articles_of_the_project_have_a_title_and_paragraphs(pools: dict[str, LanguagePool]) -> None:
    for pool in pools.values():
        for article in pool.articles:
            roles = [role for role, _ in article.rows]
            assert set(roles) <= set(ARTICLE_ROLES)
            assert article.title
            assert {"paragraph", "item"} & set(roles)


def test_the_labelled_dumps_of_the_project_have_the_five_labels(five: LabelSet) -> None:
    dumps = read_labelled([ROOT / "data" / "labelled"], five)
    assert len(dumps) > 50
    assert {label for dump in dumps for label in dump.labels} <= {*five.names, "?"}
    assert len({dump.name for dump in dumps}) == len(dumps)
