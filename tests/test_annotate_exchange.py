import json
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilah.annotate.__main__ import main
from pilah.annotate.exchange import FORMATS, bring_in, export, labelling_config, to_spans, to_tags
from pilah.annotate.store import Store
from pilah.labels import LabelSet
from pilah.page import InputError

LABELLED = (
    "body\ttitle\tPanen 🌶️ Cabai Randuasri\n?\t.\tPetani lega.\npopular\theading\tTerpopuler\npopular\t.\t\npopular\t.\t- Soto\n"
)

LINE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\n"), max_size=12)
TAGS = st.sampled_from([("?", "."), ("body", "title"), ("body", "."), ("related", "heading"), ("pick", "headline")])


def folder_of(path: Path, five: LabelSet, **files: str) -> Store:
    path.mkdir(parents=True)
    for name, text in files.items():
        stem, _, suffix = name.rpartition("_")
        (path / f"{stem}.{suffix}").write_text(text, encoding="utf-8")
    return Store(path, five)


@pytest.mark.parametrize("kind", FORMATS)
def test_what_was_exported_comes_back_the_same(kind: str, tmp_path: Path, five: LabelSet) -> None:
    one = folder_of(tmp_path / "one", five, cabai_tsv=LABELLED, rawon_txt="Rawon\nTerkini\n")
    count, _ = export(one, kind, tmp_path / "file")
    assert count == 2
    two = folder_of(tmp_path / "two", five)
    assert bring_in(two, kind, tmp_path / "file") == 2
    assert (two.folder / "cabai.tsv").read_text(encoding="utf-8") == LABELLED
    assert sorted(p.name for p in two.folder.iterdir()) == ["cabai.tsv", "cabai.txt", "rawon.txt"]
    assert two.read("rawon").page.lines == ("Rawon", "Terkini")
    assert bring_in(two, kind, tmp_path / "file") == 0  # nothing new the second time


@pytest.mark.parametrize("kind", FORMATS)
@given(rows=st.lists(st.tuples(LINE, TAGS), min_size=1, max_size=8))
def test_every_line_that_can_be_seen_keeps_its_tag(kind: str, rows: list[tuple[str, tuple[str, str]]]) -> None:
    lines, tags = [line for line, _ in rows], [tag for _, tag in rows]
    write, read = FORMATS[kind]
    [(name, text, spans)] = read(write([("nama", "\n".join(lines), to_spans(lines, tags))]))
    assert (name, text) == ("nama", "\n".join(lines))
    back = to_tags(lines, spans)
    assert [tag for line, tag in zip(lines, back, strict=True) if line.strip()] == [
        tag for line, tag in zip(lines, tags, strict=True) if line.strip()
    ]


def test_one_span_over_a_block_labels_all_its_lines() -> None:
    lines = ["Terkini", "Banjir surut", "", "Jembatan dibuka", "Isi berita"]
    # a hand that drags begins in the middle of the first word and ends one character into the last line
    assert to_tags(lines, [(2, 38, "latest"), (38, 47, "body/paragraph")]) == [("latest", ".")] * 4 + [("body", "paragraph")]


def test_a_line_belongs_to_the_span_that_holds_most_of_it() -> None:
    assert to_tags(["abcdefgh"], [(0, 3, "pick"), (3, 8, "body")]) == [("body", ".")]
    assert to_tags(["abcdefgh", "x"], []) == [("?", "."), ("?", ".")]


def test_labelstudio_finds_its_controls(tmp_path: Path, five: LabelSet) -> None:
    store = folder_of(tmp_path / "one", five, cabai_tsv=LABELLED)
    _, interface = export(store, "labelstudio", tmp_path / "tasks.json")
    [task] = json.loads((tmp_path / "tasks.json").read_text(encoding="utf-8"))
    for region in task["annotations"][0]["result"]:
        value = region["value"]
        assert task["data"]["text"][value["start"] : value["end"]] == value["text"]
        assert f'<Label value="{value["labels"][0]}"/>' in interface
        assert f'<Labels name="{region["from_name"]}" toName="{region["to_name"]}">' in interface
    assert labelling_config([("n", "t", [(0, 1, 'a"<b')])]).count("<Label ") == 1


def test_labelstudio_json_min_and_doccano_relations_are_read() -> None:
    small = [
        {"id": 7, "text": "Terkini\nBanjir", "label": [{"start": 0, "end": 7, "text": "Terkini", "labels": ["latest/heading"]}]}
    ]
    assert list(FORMATS["labelstudio"][1](json.dumps(small))) == [("task-7", "Terkini\nBanjir", [(0, 7, "latest/heading")])]
    row = {
        "id": 3,
        "text": "Terkini",
        "entities": [{"id": 1, "label": "latest", "start_offset": 0, "end_offset": 7}],
        "relations": [],
    }
    assert list(FORMATS["doccano"][1](json.dumps(row) + "\n\n")) == [("task-3", "Terkini", [(0, 7, "latest")])]


def test_a_label_or_text_that_does_not_fit_stops_the_import_before_anything_is_written(tmp_path: Path, five: LabelSet) -> None:
    store = folder_of(tmp_path / "one", five, soto_txt="Soto\n")
    good = {"text": "Rawon", "name": "rawon", "label": [[0, 5, "latest"]]}
    for bad, said in [
        ({"text": "Gulai", "name": "gulai", "label": [[0, 5, "sport"]]}, "no label 'sport'"),
        ({"text": "Gulai", "name": "soto", "label": []}, "other lines"),
        ({"text": "Gulai", "name": "../gulai", "label": []}, "no dump"),
        ({"text": "Gulai", "name": "rawon", "label": []}, "two dumps alike"),
        ({"name": "gulai"}, "not what doccano exports"),
        ({"text": 5, "label": []}, "not what doccano exports"),
        ("[]", "not what doccano exports"),
    ]:
        (tmp_path / "file").write_text(f"{json.dumps(good)}\n{json.dumps(bad)}\n", encoding="utf-8")
        with pytest.raises(InputError, match=said):
            bring_in(store, "doccano", tmp_path / "file")
    assert [p.name for p in store.folder.iterdir()] == ["soto.txt"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "one"]


def test_labels_that_are_there_are_replaced_only_on_demand(
    tmp_path: Path, five: LabelSet, model_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = folder_of(tmp_path / "one", five, soto_tsv="body\ttitle\tSoto\n")
    (tmp_path / "rows").write_text(
        json.dumps({"text": "Soto", "name": "soto", "labels": [[0, 4, "pick/headline"]]}), encoding="utf-8"
    )
    command = ["import", str(store.folder), "format=doccano", f"file={tmp_path / 'rows'}", f"model={model_dir}"]
    assert main(command) == 2
    assert "overwrite=true" in capsys.readouterr().err
    assert store.read("soto").tags == (("body", "title"),)
    assert main([*command, "overwrite=true"]) == 0
    assert store.read("soto").tags == (("pick", "headline"),)


def test_export_says_what_labelstudio_needs(
    tmp_path: Path, five: LabelSet, model_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = folder_of(tmp_path / "one", five, cabai_tsv=LABELLED)
    assert main(["export", str(store.folder), f"file={tmp_path / 'tasks.json'}", f"model={model_dir}"]) == 0
    assert "1 dumps in" in (said := capsys.readouterr().out) and '<Labels name="label"' in said
    assert json.loads((tmp_path / "tasks.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["{dumps}", "prot=0"], "prot"),
        (["{dumps}", "port=many"], "many"),
        (["{dumps}", "port=99999"], "port 99999 cannot be used"),
        ([], ""),
        (["{dumps}", "{dumps}"], "name one folder"),
        (["{dumps}/nowhere"], "there is no folder"),
        (["{dumps}/empty"], "holds no dump"),
        (["{dumps}", "model=no/such"], "there is no model"),
        (["export", "{dumps}"], "name the file to export"),
        (["export", "{dumps}", "format=conll"], "there is no format 'conll'"),
        (["import", "{dumps}", "file={dumps}/no.json"], "there is no file"),
    ],
)
def test_a_wrong_argument_gets_one_sentence(
    arguments: list[str], said: str, tmp_path: Path, model_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "soto.txt").write_text("Soto\n")
    filled = [argument.format(dumps=tmp_path) for argument in arguments]
    if filled and not any(argument.startswith("model=") for argument in filled):
        filled.append(f"model={model_dir}")
    assert main(filled) == 2
    err = capsys.readouterr().err
    assert said in err and err.count("\n") == bool(filled)


def test_what_is_not_installed_is_named(
    tmp_path: Path, model_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "soto.txt").write_text("Soto\n")
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert main([str(tmp_path), f"model={model_dir}"]) == 2
    assert "needs uvicorn: pip install 'pilah[annotate]'" in capsys.readouterr().err
