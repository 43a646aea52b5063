"""The grammar of blocks: bullets, ranks, times, read-also prefixes, metas; and that sections tile what is labelled."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilah.sections import Item, Section, block_role, clean_headline, find_sections


def section_of(*rows: tuple[str, str], label: str = "popular") -> Section:
    """The one section that (role, text) rows make."""
    found = find_sections([text for _, text in rows], [label] * len(rows), [role for role, _ in rows])
    assert len(found) == 1
    return found[0]


def items_of(*rows: tuple[str, str]) -> list[tuple[str, tuple[str, ...]]]:
    """Headline and metas of the items that rows make."""
    return [(item.headline, item.meta) for item in section_of(*rows).items]


# ------------------------------------------------------------------------------------------------ what a line is


@pytest.mark.parametrize("text", ["-", "•", " * ", "- -", "»", "–", "+", "...", "|"])
def test_a_line_of_signs_alone_is_a_bullet_whatever_it_was_taken_for(text: str) -> None:
    assert block_role(text, "headline") == block_role(text, "meta") == block_role(text, "bullet") == "bullet"


@pytest.mark.parametrize("text", ["1", "03", "3.", "#3", "- 3", "12)", " 7 "])
def test_a_number_alone_is_meta(text: str) -> None:
    assert block_role(text, "headline") == block_role(text, "bullet") == "meta"


@pytest.mark.parametrize(
    "text",
    [
        "10:42",
        "10.42 WIB",
        "Senin, 10:42 WIB",
        "12/03/2031",
        "2031-03-12",
        "12/03/2031 10:42",
        "Kamis, 12/03/2031 10:42 WIB",
        "(10:42)",
    ],
)
def test_a_time_or_date_alone_is_meta(text: str) -> None:
    assert block_role(text, "headline") == "meta"


@pytest.mark.parametrize(
    "text", ["2031", "Pukul Rata 10:42 Sampai Sore", "3 Rumah Roboh", "Panen Raya", "-5 derajat di Puncak", "日"]
)
def test_a_line_with_words_stays_a_headline(text: str) -> None:
    assert block_role(text, "headline") == "headline"


def test_a_bullet_with_words_is_a_headline() -> None:
    assert block_role("• Panen Raya di Randuasri", "bullet") == "headline"


@pytest.mark.parametrize("text", ["-", "24", "10:42"])
def test_a_heading_stays_a_heading(text: str) -> None:
    assert block_role(text, "heading") == "heading"


# ------------------------------------------------------------------------------------------------- clean headlines


@pytest.mark.parametrize("sign", ["-", "–", "•", "*", "»", "> ", "- -", "✓"])
def test_a_bullet_is_no_part_of_a_headline(sign: str) -> None:
    assert clean_headline(f" {sign} Pasar Kemuning Ramai") == "Pasar Kemuning Ramai"


@pytest.mark.parametrize(
    "text", ["-5 Derajat di Puncak Sepuh", "4 Cara Menanam Cabai", "10 Desa Terisolasi", "2.500 Warga Mengungsi"]
)
def test_numbers_that_are_no_ranks_stay(text: str) -> None:
    assert clean_headline(text) == text


@pytest.mark.parametrize(
    "text",
    ["2. Resep Jamu", "2 Resep Jamu", "2) Resep Jamu", "#2 Resep Jamu", "• 2. Resep Jamu", "2. • Resep Jamu", "2.Resep Jamu"],
)
def test_a_rank_is_no_part_of_a_headline(text: str) -> None:
    assert clean_headline(text, rank=2) == "Resep Jamu"


@pytest.mark.parametrize("text", ["3 Resep Jamu", "2.500 Warga Mengungsi", "2,5 Juta Bibit Ditanam", "2:1 untuk Tirtamulya"])
def test_a_number_that_is_not_the_rank_stays(text: str) -> None:
    assert clean_headline(text, rank=2) == text


@pytest.mark.parametrize(
    "prefix",
    ["Baca juga: ", "Baca Juga : ", "BACA JUGA: ", "- Baca juga: ", "Simak juga: ", "Lihat juga: ", "Tonton juga: ", "Baca juga - ", "Read also: ",
     "Read more » ", "See also: ", "Lesen Sie auch: ", "Lee también: ", "À lire aussi : ", "Leia também: ", "Читайте также: ", "関連記事："],
)  # fmt: skip
def test_a_read_also_prefix_is_no_part_of_a_headline(prefix: str) -> None:
    assert clean_headline(f"{prefix}Sungai Wening Meluap") == "Sungai Wening Meluap"


def test_the_bracket_around_a_read_also_line_goes_with_its_prefix() -> None:
    assert clean_headline("(Baca juga: Sungai Wening Meluap)") == "Sungai Wening Meluap"
    assert clean_headline("[Baca juga: Sungai Wening (2)]") == "Sungai Wening (2)"
    assert clean_headline("Baca juga: Sungai Wening (2)") == "Sungai Wening (2)"


@pytest.mark.parametrize(
    "text", ["Baca juga", "Baca juga:", "Baca Juga Nasib Petani Cabai", "More Than Rain", "Terkait Banjir, Warga Mengungsi"]
)
def test_words_of_a_prefix_without_its_colon_or_what_follows_stay(text: str) -> None:
    assert clean_headline(text) == text


# -------------------------------------------------------------------------------------------------------- sections


def test_lone_bullets_open_items() -> None:
    rows = [
        ("heading", "Berita Terkait"),
        ("bullet", "-"),
        ("headline", "Satu Kapal Karam"),
        ("bullet", "-"),
        ("headline", "Dua Kapal Selamat"),
    ]
    assert items_of(*rows) == [("Satu Kapal Karam", ()), ("Dua Kapal Selamat", ())]


def test_ranks_on_lines_of_their_own_open_items_and_are_no_meta() -> None:
    rows = [
        ("meta", "1"),
        ("headline", "Panen Raya"),
        ("meta", "Ekonomi"),
        ("meta", "2"),
        ("headline", "Jalan Ambles"),
        ("meta", "Daerah"),
    ]
    assert items_of(*rows) == [("Panen Raya", ("Ekonomi",)), ("Jalan Ambles", ("Daerah",))]


def test_ranks_in_front_of_all_headlines_are_taken_off() -> None:
    rows = [("headline", "1. Panen Raya"), ("headline", "2. Jalan Ambles"), ("headline", "3. 4 Desa Gelap")]
    assert items_of(*rows) == [("Panen Raya", ()), ("Jalan Ambles", ()), ("4 Desa Gelap", ())]


def test_numbers_that_do_not_count_up_are_no_ranks() -> None:
    rows = [("headline", "1 Kapal Karam"), ("headline", "3 Desa Gelap")]
    assert items_of(*rows) == [("1 Kapal Karam", ()), ("3 Desa Gelap", ())]


def test_decimals_that_happen_to_count_up_are_no_ranks() -> None:
    rows = [("headline", "1.500 Bibit Ditanam"), ("headline", "2.5 Juta Warga Mudik")]
    assert items_of(*rows) == [("1.500 Bibit Ditanam", ()), ("2.5 Juta Warga Mudik", ())]


def test_metas_after_the_headlines_belong_to_the_headline_above() -> None:
    rows = [
        ("headline", "Panen Raya"),
        ("meta", "10:42 WIB"),
        ("meta", "Ekonomi"),
        ("headline", "Jalan Ambles"),
        ("meta", "10:40 WIB"),
        ("meta", "Daerah"),
    ]
    assert items_of(*rows) == [("Panen Raya", ("10:42 WIB", "Ekonomi")), ("Jalan Ambles", ("10:40 WIB", "Daerah"))]


def test_metas_before_the_headlines_belong_to_the_headline_below() -> None:
    rows = [
        ("heading", "Terkini"),
        ("meta", "10:42"),
        ("headline", "Panen Raya"),
        ("meta", "10:40"),
        ("headline", "Jalan Ambles"),
    ]
    assert items_of(*rows) == [("Panen Raya", ("10:42",)), ("Jalan Ambles", ("10:40",))]


def test_metas_between_a_bullet_and_its_headline_belong_to_it() -> None:
    rows = [("bullet", "•"), ("meta", "Ekonomi"), ("headline", "Panen Raya"), ("meta", "10:42"),
            ("bullet", "•"), ("meta", "Daerah"), ("headline", "Jalan Ambles"), ("meta", "10:40")]  # fmt: skip
    assert items_of(*rows) == [("Panen Raya", ("Ekonomi", "10:42")), ("Jalan Ambles", ("Daerah", "10:40"))]


def test_see_all_below_the_heading_belongs_to_no_item() -> None:
    rows = [("heading", "Terkini"), ("meta", "Lihat Semua"), ("headline", "Panen Raya"), ("headline", "Jalan Ambles")]
    assert items_of(*rows) == [("Panen Raya", ()), ("Jalan Ambles", ())]


def test_see_all_at_the_end_belongs_to_no_item() -> None:
    rows = [
        ("headline", "Panen Raya"),
        ("meta", "10:42"),
        ("headline", "Jalan Ambles"),
        ("meta", "10:40"),
        ("meta", "Lihat Semua"),
    ]
    assert items_of(*rows) == [("Panen Raya", ("10:42",)), ("Jalan Ambles", ("10:40",))]


def test_a_heading_is_cleaned_of_its_bullet_and_colon() -> None:
    assert section_of(("heading", "• Baca Juga:"), ("headline", "Panen Raya")).heading == "Baca Juga"


def test_headings_in_a_row_are_joined_and_a_repeated_one_is_named_once() -> None:
    rows = [("heading", "Terpopuler"), ("heading", "Hari Ini"), ("heading", "Terpopuler"), ("headline", "Panen Raya")]
    assert section_of(*rows).heading == "Terpopuler / Hari Ini"


def test_a_block_without_heading_has_none() -> None:
    assert section_of(("headline", "Panen Raya")).heading is None


def test_a_heading_after_items_opens_a_new_section_of_the_same_label() -> None:
    lines = ["Terkini", "Panen Raya", "Terkini", "Jalan Ambles"]
    found = find_sections(lines, ["latest"] * 4, ["heading", "headline"] * 2)
    assert [(s.first_line, s.last_line, len(s.items)) for s in found] == [(1, 2, 1), (3, 4, 1)]


def test_another_label_opens_a_new_section_without_a_heading() -> None:
    found = find_sections(["Panen Raya", "Jalan Ambles"], ["latest", "related"], ["headline"] * 2)
    assert [(s.label, s.heading, s.items) for s in found] == [
        ("latest", None, (Item("Panen Raya"),)),
        ("related", None, (Item("Jalan Ambles"),)),
    ]


def test_an_inline_link_is_a_section_of_one_item() -> None:
    lines = ["Hujan reda.", "Baca juga: Sungai Wening Surut", "Warga pulang."]
    found = find_sections(lines, ["body", "related", "body"], ["paragraph", "headline", "paragraph"])
    assert found == [Section("related", None, (Item("Sungai Wening Surut"),), 2, 2)]


def test_blank_lines_are_counted_and_make_no_item() -> None:
    found = find_sections(["Terkini", "", "Panen Raya", " "], ["latest"] * 4, ["heading", ".", "headline", "."])
    assert found == [Section("latest", "Terkini", (Item("Panen Raya"),), 1, 4)]


def test_labels_that_are_skipped_make_no_section() -> None:
    assert find_sections(["Menu", "Hujan reda."], ["other", "body"], [".", "paragraph"]) == []
    assert [s.label for s in find_sections(["Menu"], ["other"], ["."], skip=("body",))] == ["other"]


def test_no_lines_make_no_sections() -> None:
    assert find_sections([], [], []) == []


# ---------------------------------------------------------------------------------------------- what always holds

ROWS = st.lists(
    st.tuples(
        st.sampled_from(["body", "related", "latest", "other"]),
        st.sampled_from(["heading", "headline", "bullet", "meta", "paragraph", "."]),
        st.one_of(
            st.sampled_from(["-", "", " ", "1", "2. Dua", "10:42", "Baca juga: Satu", "Terkini", "1 2 3", "(Baca juga: a)"]),
            st.text(max_size=12),
        ),
    ),
    max_size=14,
)


@given(ROWS)
def test_sections_tile_the_lines_of_blocks(rows: list[tuple[str, str, str]]) -> None:
    labels = [label for label, _, _ in rows]
    found = find_sections([text for _, _, text in rows], labels, [role for _, role, _ in rows])
    covered = [n for s in found for n in range(s.first_line, s.last_line + 1)]
    assert covered == [n for n, label in enumerate(labels, 1) if label not in ("body", "other")]
    for s in found:
        assert set(labels[s.first_line - 1 : s.last_line]) == {s.label}


@given(ROWS)
def test_every_headline_is_one_item_in_page_order(rows: list[tuple[str, str, str]]) -> None:
    found = find_sections([t for _, _, t in rows], [label for label, _, _ in rows], [role for _, role, _ in rows])
    headlines = [
        t
        for label, role, t in rows
        if label not in ("body", "other") and t.strip() and block_role(t, role) not in ("heading", "bullet", "meta")
    ]
    items = [item.headline for s in found for item in s.items]
    assert len(items) == len(headlines)
    assert all(item in headline for item, headline in zip(items, headlines, strict=True))


@given(st.text(), st.one_of(st.none(), st.integers(1, 20)))
def test_a_clean_headline_is_a_part_of_what_it_was_made_of(text: str, rank: int | None) -> None:
    assert clean_headline(text, rank) in text
