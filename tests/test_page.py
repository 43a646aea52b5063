"""Pages: byte for byte, whole or not at all."""

from __future__ import annotations

import io
import os
import resource
import sys
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pilah import page as page_module
from pilah.page import (
    MAX_LINE_CHARS,
    InputError,
    Page,
    blanks,
    decode,
    first_sentence,
    format_labelled,
    parse_labelled,
    read_page,
    uncapitalised,
    write_whole,
)

# text with everything that other programs take for the end of a line
TEXTS = st.text(
    st.one_of(st.sampled_from("\n\r\t \ufeff\u2028\u2029\x85\x0b\x0c\x1cab-"), st.characters(exclude_categories=["Cs"]))
)


@given(TEXTS)
@example("\ufeffJudul\r\nIsi\r\n")
@example("satu\u2028masih satu\ndua\rmasih dua")
@example("\r\r\n\n\r")
@example("\ufeff")
@example("")
def test_a_page_gives_its_text_back(text: str) -> None:
    assert Page.from_text(text).text() == text


@given(TEXTS.filter(lambda text: text and "\0" not in text))
@example("\ufeffJudul\r\nIsi tanpa akhir baris")
def test_bytes_come_back_byte_for_byte(text: str) -> None:
    data = text.encode()
    assert Page.from_text(decode(data, "dump.txt")).text().encode() == data


@given(TEXTS)
def test_lines_are_counted_as_grep_counts_them(text: str) -> None:
    page = Page.from_text(text)
    unended = bool(text.removeprefix("\ufeff")) and not text.endswith("\n")
    assert len(page.lines) == len(page.ends) == text.count("\n") + unended
    assert not any("\n" in line for line in page.lines)
    assert all(end in ("\n", "\r\n") for end in page.ends[:-1])


def test_only_line_feeds_end_a_line() -> None:
    page = Page.from_text("a\u2028b\rc\x0cd\x85e\nf\r\n")
    assert page.lines == ("a\u2028b\rc\x0cd\x85e", "f")
    assert page.ends == ("\n", "\r\n")


def test_a_byte_order_mark_is_not_part_of_the_first_line() -> None:
    page = Page.from_text("\ufeffTerkini\n")
    assert page.lines == ("Terkini",)
    assert page.bom


def test_a_file_is_read_and_written_byte_for_byte(tmp_path: Path) -> None:
    data = "\ufeffHujan di Kemuning\r\n\r\nالمطر يهطل\u2028hari ini\r-\ntanpa akhir".encode()
    write_whole(tmp_path / "dump.txt", data)
    page = read_page(str(tmp_path / "dump.txt"))
    assert page.text().encode() == (tmp_path / "dump.txt").read_bytes() == data
    assert page.source == str(tmp_path / "dump.txt")


# ------------------------------------------------------------------------------------------------------ what is wrong


def _says(data: bytes, encoding: str = "utf-8") -> str:
    with pytest.raises(InputError) as caught:
        decode(data, "dump.txt", encoding)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_nothing_is_no_dump() -> None:
    assert _says(b"") == "dump.txt is empty: there is no line to label"


def test_the_byte_that_is_not_utf8_is_named_counting_from_one() -> None:
    said = _says(b"Caf\xe9 Melati\n")  # C is byte 1, so the 0xe9 is byte 4
    assert "byte 4 is 0xe9" in said
    assert "encoding=cp1252" in said


def test_the_same_bytes_are_text_in_their_own_encoding() -> None:
    assert decode(b"Caf\xe9 Melati\n", "dump.txt", "cp1252") == "Café Melati\n"


@pytest.mark.parametrize("data", [b"teks\0teks", b"\x89PNG\r\n\x00\x01\xff\xfe"])
def test_a_nul_byte_means_a_binary_file(data: bytes) -> None:
    assert f"binary file (byte {data.index(0) + 1} is NUL)" in _says(data)


def test_utf16_is_text_where_it_is_asked_for() -> None:
    data = "Hujan\n".encode("utf-16")
    assert decode(data, "dump.txt", "utf-16") == "Hujan\n"
    _says(data)


@pytest.mark.parametrize("encoding", ["klingon", "", "base64", "undefined", "a\0b", "rot13"])
def test_an_encoding_that_is_none_is_said_to_be_unknown(encoding: str) -> None:
    assert f"unknown encoding '{encoding}'" in _says(b"Hujan\n", encoding)


def test_a_dump_may_be_as_long_as_the_limit_and_no_longer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(page_module, "MAX_DUMP_BYTES", 10)
    (tmp_path / "fits.txt").write_bytes(b"123456789\n")
    (tmp_path / "long.txt").write_bytes(b"1234567890\n")
    assert read_page(str(tmp_path / "fits.txt")).lines == ("123456789",)
    with pytest.raises(InputError, match="at most 10"):
        read_page(str(tmp_path / "long.txt"))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("absent.txt", "there is no file"),
        (".", "is a directory"),
        ("file.txt/dump.txt", "cannot be read"),
        ("x" * 5000, "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_is_said_in_one_sentence(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "file.txt").write_text("Hujan\n")
    with pytest.raises(InputError, match=words):
        read_page(str(tmp_path / name))


def test_a_read_error_of_the_system_is_said_in_its_words() -> None:
    with pytest.raises(InputError, match="cannot be read: input/output error"):
        read_page("/proc/self/mem")  # opens, and then fails to be read even for root


def test_a_name_with_a_nul_in_it_cannot_be_read() -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_page("dump\0.txt")


def test_a_lone_dash_reads_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"Terkini\r\n")))
    page = read_page("-")
    assert (page.lines, page.source) == (("Terkini",), "-")


# --------------------------------------------------------------------------------------------------- labelled dumps

CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\t\r\ufeff"), min_size=1, max_size=8)


@given(st.lists(st.tuples(CELLS, CELLS, st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r")))))
def test_a_labelled_dump_survives_writing_and_reading(rows: list[tuple[str, str, str]]) -> None:
    lines, tags = [text for _, _, text in rows], [(label, role) for label, role, _ in rows]
    assert parse_labelled(format_labelled(lines, tags)) == (lines, tags)


def test_a_tab_in_the_text_belongs_to_the_text() -> None:
    assert parse_labelled("body\t.\tsuhu\t31 C\n") == (["suhu\t31 C"], [("body", ".")])


def test_an_empty_role_counts_as_not_annotated() -> None:
    assert parse_labelled("body\t\tHujan\n")[1] == [("body", ".")]


@pytest.mark.parametrize("row", ["body", "body\tparagraph", "\tparagraph\tHujan", ""])
def test_a_row_with_too_few_columns_is_named(row: str) -> None:
    with pytest.raises(InputError, match=r"my\.tsv, row 2: expected label<TAB>role<TAB>text"):
        parse_labelled(f"body\t.\tHujan\n{row}\nbody\t.\treda\n", "my.tsv")


# ---------------------------------------------------------------------------------------------------- whole or not at all


def test_a_file_is_written_where_there_was_no_folder(tmp_path: Path) -> None:
    write_whole(tmp_path / "a" / "b" / "out.txt", "Café\n")
    assert (tmp_path / "a" / "b" / "out.txt").read_bytes() == b"Caf\xc3\xa9\n"
    assert os.listdir(tmp_path / "a" / "b") == ["out.txt"]


def test_a_file_may_be_read_by_those_whom_the_umask_lets(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_whole(tmp_path / "out.txt", "x")
        assert (tmp_path / "out.txt").stat().st_mode & 0o777 == 0o640
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(before)


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    write_whole(tmp_path / "out.txt", "old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))
    try:
        with pytest.raises(InputError, match=r"out.txt cannot be written: file too large"):
            write_whole(tmp_path / "out.txt", b"x" * (3 << 20))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (tmp_path / "out.txt").read_text() == "old"
    assert os.listdir(tmp_path) == ["out.txt"]


def test_a_file_in_place_of_the_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("not a folder")
    with pytest.raises(InputError, match="cannot be written"):
        write_whole(tmp_path / "folder" / "out.txt", "x")
    assert (tmp_path / "folder").read_text() == "not a folder"


def test_a_folder_in_place_of_the_file_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out.txt").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        write_whole(tmp_path / "out.txt", "x")
    assert os.listdir(tmp_path) == ["out.txt"]


def test_a_folder_that_takes_no_files_is_said_so() -> None:
    with pytest.raises(InputError, match="cannot be written"):
        write_whole(Path("/proc/pilah/out.txt"), "x")


def test_an_interrupted_write_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(handle: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "out.txt", "x")
    assert os.listdir(tmp_path) == []


def test_a_name_as_long_as_the_system_allows_can_be_written(tmp_path: Path) -> None:
    name = "🌧" * 62 + ".txt"  # 252 of 255 bytes
    write_whole(tmp_path / name, "x")
    assert os.listdir(tmp_path) == [name]


# --------------------------------------------------------------------------------------------------------- small things


def test_lines_without_a_visible_character_are_blank() -> None:
    assert blanks(["", " \t", "\u3000", "-", "\u200b"]) == [True, True, True, False, False]


@given(st.lists(st.lists(st.text(max_size=12), max_size=4), max_size=4))
def test_a_page_is_in_lower_case_afterwards_or_as_it_was(pages: list[list[str]]) -> None:
    lines = [line for page in pages for line in page]
    found, start = uncapitalised(lines, [len(page) for page in pages]), 0
    assert len(found) == len(lines)
    for page in pages:
        assert list(found[start : start + len(page)]) in (page, [line.lower() for line in page])
        start += len(page)


def test_one_small_letter_leaves_a_page_as_it_is_and_so_do_few_capitals_among_other_letters() -> None:
    pages = [["GEMPA", "12:40 WIB"], ["GEMPA", "12:40 Wib"], ["12:40", "-"], ["NHK 速報を伝える"], ["NHK WORLD 速報"]]
    found = uncapitalised([line for page in pages for line in page], [len(page) for page in pages])
    assert list(found) == ["gempa", "12:40 wib", "GEMPA", "12:40 Wib", "12:40", "-", "NHK 速報を伝える", "nhk world 速報"]


def test_what_is_beyond_the_characters_that_are_looked_at_does_not_make_a_page_one_of_small_letters() -> None:
    line = "GEMPA " * 5000
    assert uncapitalised(["TERKINI", line + "x"], [2]) == ["terkini", line[:MAX_LINE_CHARS].lower()]


@given(st.text())
def test_an_error_is_said_on_one_line(text: str) -> None:
    said = first_sentence(ValueError(text))
    assert said
    assert len(said.splitlines()) == 1


def test_hints_for_programmers_are_left_out() -> None:
    assert first_sentence(ValueError("no such key\n    full_key: model\n    object_type=dict")) == "no such key"
