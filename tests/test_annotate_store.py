import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilah.annotate.store import ConflictError, MissingError, Store, copy_model
from pilah.labels import LabelSet
from pilah.page import InputError, Page
from pilah.training.corpus import read_labelled

TEXT = "Panen Garam Gagal di Teluk Sagara\nPetani menunggu kemarau.\n\nTerpopuler\n- Soto Kemuning\n"


@pytest.fixture
def store(tmp_path: Path, five: LabelSet) -> Store:
    (tmp_path / "dumps" / "sagara").mkdir(parents=True)
    (tmp_path / "dumps" / "sagara" / "garam.txt").write_text(TEXT, encoding="utf-8")
    (tmp_path / "dumps" / "soto.txt").write_text("Soto Kemuning\n", encoding="utf-8")
    (tmp_path / "outside.txt").write_text("rahasia\n", encoding="utf-8")
    return Store(tmp_path / "dumps", five)


def test_a_dump_is_called_by_its_path_and_begins_undecided(store: Store) -> None:
    (store.folder / ".hidden.txt").write_text("x")
    (store.folder / ".git").mkdir()
    (store.folder / ".git" / "inside.txt").write_text("x")
    (store.folder / "notes.md").write_text("x")
    assert store.names() == ["sagara/garam", "soto"]
    work = store.read("sagara/garam")
    assert work.tags == (("?", "."),) * 5
    assert work.left == [0, 1, 3, 4]  # the blank line needs no one to look at it


def test_a_correction_is_in_the_labelled_file_and_the_raw_dump_stays(store: Store) -> None:
    before = (store.folder / "sagara" / "garam.txt").read_bytes()
    saved = store.save("sagara/garam", store.read("sagara/garam").version, [[3, "popular", "heading"], [4, "popular", "."]])
    lines = (store.folder / "sagara" / "garam.tsv").read_text(encoding="utf-8").splitlines()
    assert lines[3:] == ["popular\theading\tTerpopuler", "popular\t.\t- Soto Kemuning"]
    assert lines[0] == "?\t.\tPanen Garam Gagal di Teluk Sagara"
    assert (store.folder / "sagara" / "garam.txt").read_bytes() == before
    assert store.read("sagara/garam") == saved
    assert saved.left == [0, 1]


def test_training_reads_a_line_that_nobody_has_checked_as_undecided(store: Store, five: LabelSet) -> None:
    store.save("soto", store.read("soto").version, [])
    store.save("sagara/garam", store.read("sagara/garam").version, [[0, "body", "title"]])
    dumps = {dump.name: dump.tags for dump in read_labelled([store.folder], five)}
    assert dumps["soto"] == (("?", "."),)
    assert dumps["sagara/garam"][:2] == (("body", "title"), ("?", "."))


def test_a_decision_can_be_taken_back(store: Store) -> None:
    first = store.save("soto", store.read("soto").version, [[0, "pick", "headline"]])
    assert first.left == []
    assert store.save("soto", first.version, [[0, "?", "whatever"]]).tags == (("?", "."),)


def test_two_hands_do_not_overwrite_each_other(store: Store) -> None:
    opened = store.read("soto").version
    first = store.save("soto", opened, [[0, "latest", "headline"]])
    with pytest.raises(ConflictError, match="changed elsewhere"):
        store.save("soto", opened, [[0, "body", "title"]])
    assert store.read("soto").tags == first.tags == (("latest", "headline"),)


def test_a_change_by_an_editor_is_a_conflict_too(store: Store) -> None:
    version = store.save("soto", store.read("soto").version, [[0, "latest", "headline"]]).version
    (store.folder / "soto.tsv").write_text("body\ttitle\tSoto Kemuning\n", encoding="utf-8")
    with pytest.raises(ConflictError):
        store.save("soto", version, [[0, "pick", "."]])
    assert store.read("soto").tags == (("body", "title"),)


def test_of_many_that_save_at_once_exactly_one_wins(store: Store) -> None:
    version, won = store.read("sagara/garam").version, []

    def save(number: int) -> None:
        try:
            store.save("sagara/garam", version, [[number % 5, "body", "."]])
            won.append(number)
        except ConflictError:
            pass

    threads = [threading.Thread(target=save, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert store.read("sagara/garam").left == [i for i in (0, 1, 3, 4) if i != won[0] % 5]


@pytest.mark.parametrize(
    "name",
    [
        "../outside",
        "sagara/../../outside",
        "/etc/hostname",
        "..",
        ".",
        "",
        "sagara//garam",
        "sagara/./garam",
        "no-such",
        "a\x00b",
        ".hidden",
        "x" * 300,
        "link",
        "folder/outside",
        "soto.txt",
    ],
)
def test_what_is_not_a_dump_of_the_folder_is_missing(store: Store, name: str) -> None:
    (store.folder / ".hidden.txt").write_text("x")
    os.symlink(store.folder.parent / "outside.txt", store.folder / "link.txt")
    os.symlink(store.folder.parent, store.folder / "folder")
    for action in (lambda: store.read(name), lambda: store.save(name, "", [[0, "body", "."]])):
        with pytest.raises(MissingError):
            action()
    assert sorted(p.name for p in store.folder.parent.iterdir()) == ["dumps", "outside.txt"]


@pytest.mark.parametrize(
    "row",
    [
        [1, "body", "."],
        [-1, "body", "."],
        ["0", "body", "."],
        [True, "body", "."],
        [0, "sport", "."],
        [0, "pick", "title"],
        [0, None, "."],
        [0, "body\tx", "."],
        [0, "body"],
        "0",
        None,
        [0, "body", "a\nb"],
        [0.0, "body", "."],
    ],
)
def test_a_correction_that_makes_no_sense_changes_nothing(store: Store, row: object) -> None:
    with pytest.raises(InputError):
        store.save("soto", store.read("soto").version, [[0, "body", "title"], row])
    assert not (store.folder / "soto.tsv").exists()


def test_a_save_that_fails_leaves_the_file_as_it_was(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    version = store.save("soto", store.read("soto").version, [[0, "latest", "."]]).version
    before = (store.folder / "soto.tsv").read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(InputError, match="no space left"):
        store.save("soto", version, [[0, "body", "."]])
    assert (store.folder / "soto.tsv").read_bytes() == before
    assert sorted(p.name for p in store.folder.iterdir()) == ["sagara", "soto.tsv", "soto.txt"]


def test_a_label_that_the_set_lacks_is_said(store: Store) -> None:
    (store.folder / "soto.tsv").write_text("sport\t.\tSoto Kemuning\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"soto\.tsv: there is no label 'sport'"):
        store.read("soto")


def test_a_raw_dump_that_was_replaced_is_noticed(store: Store) -> None:
    assert not store.save("soto", store.read("soto").version, [[0, "latest", "."]]).differs
    (store.folder / "soto.txt").write_text("Rawon Kemuning\n", encoding="utf-8")
    work = store.read("soto")
    assert work.differs
    assert work.page.lines == ("Soto Kemuning",)


def test_a_missing_folder_is_said(tmp_path: Path, five: LabelSet) -> None:
    with pytest.raises(InputError, match="there is no folder"):
        Store(tmp_path / "nowhere", five)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1), st.data())
def test_without_its_first_two_columns_a_labelled_file_is_the_dump(tmp_path_factory: pytest.TempPathFactory, five: LabelSet, text: str, data: st.DataObject) -> None:  # fmt: skip
    folder = tmp_path_factory.mktemp("dumps")
    (folder / "a.txt").write_bytes(text.encode())
    store = Store(folder, five)
    work = store.read("a")
    tag = data.draw(st.sampled_from(five.tags))
    saved = store.save("a", work.version, [[i, *tag] for i in range(0, len(work.tags), 2)])
    rows = Page.from_text((folder / "a.tsv").read_bytes().decode())
    raw = Page(tuple(row.split("\t", 2)[2] for row in rows.lines), rows.ends, bom=rows.bom)
    assert raw.text() == text
    again = store.read("a")
    assert (again.tags, again.version, again.page.lines, again.differs) == (saved.tags, saved.version, work.page.lines, False)


def test_a_copied_model_is_the_same_model(tmp_path: Path, model_dir: Path) -> None:
    copy_model(model_dir, tmp_path / "copy")
    for name in ("arrays.npz", "card.json"):
        assert (tmp_path / "copy" / name).read_bytes() == (model_dir / name).read_bytes()
