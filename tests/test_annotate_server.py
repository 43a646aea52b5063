import json
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, toy_page
from starlette.testclient import TestClient

from pilah.annotate.desk import Desk, Entry
from pilah.annotate.server import build_app, label_keys
from pilah.annotate.store import Store
from pilah.annotate.teach import Teacher
from pilah.labels import LabelSet
from pilah.tagger import LineTagger, TaggedLine

TOKEN = "a-token"
HOME = f"http://127.0.0.1/{TOKEN}/"


@pytest.fixture
def desk(tmp_path: Path, five: LabelSet, tagger: LineTagger) -> Desk:
    (tmp_path / "dumps" / "teluk sagara").mkdir(parents=True)
    for name, seed in (("a", 501), ("teluk sagara/b", 502)):
        (tmp_path / "dumps" / f"{name}.txt").write_text("\n".join(toy_page(seed)[0]) + "\n", encoding="utf-8")
    (tmp_path / "rahasia.txt").write_text("rahasia\n")
    return Desk(Store(tmp_path / "dumps", five), tagger)


@pytest.fixture
def client(desk: Desk, tmp_path: Path) -> Iterator[TestClient]:
    app = build_app(desk, Teacher(desk, [], tmp_path / "model"), TOKEN)
    with TestClient(app, base_url=HOME) as client:
        yield client


def test_the_page_and_its_files_come_with_a_policy_that_names_this_server_alone(client: TestClient) -> None:
    for path, kind in (("", "text/html"), ("app.css", "text/css"), ("app.js", "javascript")):
        found = client.get(path)
        assert found.status_code == 200 and kind in found.headers["content-type"]
        policy = found.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'") and "http" not in policy and "unsafe" not in policy
        assert "://" not in found.text.replace("http://www.w3.org", "")


@pytest.mark.parametrize(
    "path", ["/", "/a-toke/", "/a-tokens/api/dumps", "//api/dumps", "/api/dumps", "/A-TOKEN/", "/%2e%2e/a-token/", "/é/"]
)
def test_without_the_token_nothing_is_answered(client: TestClient, path: str) -> None:
    for method in ("GET", "POST"):
        found = client.request(method, f"http://127.0.0.1{path}")
        assert found.status_code == 403 and "dump" not in found.text


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9"},  # another server on this machine
        {"origin": "https://127.0.0.1"},
        {"host": "evil.example"},  # a name made to point here
        {"host": "127.0.0.1.evil.example"},
        {"host": "[::1"},
        {"host": ""},
    ],
)
def test_a_foreign_page_or_name_is_refused_even_with_the_token(client: TestClient, desk: Desk, headers: dict[str, str]) -> None:
    version = desk.open("a")["version"]
    assert client.get("api/dumps", headers=headers).status_code == 403
    assert client.post("api/dump/a", json={"version": version, "rows": [[0, "pick", "."]]}, headers=headers).status_code == 403
    assert desk.open("a")["rows"][0][1] == "?"


@pytest.mark.parametrize(
    "headers", [{}, {"origin": "http://127.0.0.1"}, {"host": "localhost:8765", "origin": "http://localhost:8765"}]
)
def test_our_own_page_is_let_through(client: TestClient, headers: dict[str, str]) -> None:
    assert client.get("api/dumps", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "..%2frahasia",
        "%2e%2e/rahasia",
        "..%2f..%2f..%2fetc%2fhostname",
        "%2fetc%2fhostname",
        "a%00",
        "no-such",
        "%2e%2e%5crahasia",
        "teluk sagara",
        "a%2f..%2f..%2frahasia",
        "x" * 300,
    ],
)
def test_a_path_outside_the_folder_does_not_exist(client: TestClient, path: str) -> None:
    assert client.get(f"api/dump/{path}").status_code == 404
    assert client.post(f"api/dump/{path}", json={"version": "", "rows": []}).status_code == 404
    assert client.get(f"..%2f{path}").status_code in (403, 404)
    assert client.get("store.py").status_code == 404


def test_a_dump_comes_with_the_guesses_of_the_model(client: TestClient) -> None:
    lines, tags = toy_page(502)
    found = client.get("api/dump/teluk%20sagara/b").json()
    assert [row[0] for row in found["rows"]] == lines
    assert {(row[1], row[2]) for row in found["rows"]} == {("?", ".")}
    assert [row[3] for row in found["rows"]] == [label for label, _ in tags]  # the toy knows pages like this
    assert all(0 < row[5] <= 1 for row in found["rows"])


def test_a_saved_correction_is_there_for_the_next_reader(client: TestClient) -> None:
    opened = client.get("api/dump/a").json()
    saved = client.post("api/dump/a", json={"version": opened["version"], "rows": [[0, "pick", "headline"]]})
    assert saved.status_code == 200
    assert saved.json()["entry"]["left"] == opened["entry"]["left"] - 1
    again = client.get("api/dump/a").json()
    assert again["rows"][0][1:3] == ["pick", "headline"] and again["version"] == saved.json()["version"]


def test_the_second_of_two_tabs_is_told_409(client: TestClient) -> None:
    version = client.get("api/dump/a").json()["version"]
    assert client.post("api/dump/a", json={"version": version, "rows": [[0, "pick", "."]]}).status_code == 200
    late = client.post("api/dump/a", json={"version": version, "rows": [[0, "body", "title"]]})
    assert late.status_code == 409 and "changed elsewhere" in late.json()["error"]
    assert client.get("api/dump/a").json()["rows"][0][1] == "pick"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"version": "x"}', b'{"version": "x", "rows": 3}', b'"x"', b"\xff"])
def test_a_malformed_body_gets_400(client: TestClient, body: bytes) -> None:
    assert client.post("api/dump/a", content=body).status_code == 400


def test_a_correction_that_makes_no_sense_gets_400(client: TestClient) -> None:
    version = client.get("api/dump/a").json()["version"]
    for row in ([0, "sport", "."], [999, "body", "."], [0, "pick", "title"], "x"):
        assert client.post("api/dump/a", json={"version": version, "rows": [row]}).status_code == 400


def test_no_other_method_and_no_other_path(client: TestClient) -> None:
    assert client.delete("api/dump/a").status_code == 405
    assert client.get("api/nothing").status_code == 404


class Unsure:
    """A stand-in for a tagger: the confidence of a line is the number it begins with."""

    def __init__(self, labels: LabelSet) -> None:
        self.labels = labels
        self.calls: list[int] = []

    def tag(self, pages: Any) -> list[list[TaggedLine]]:
        self.calls.append(len(pages))
        return [[TaggedLine("body", ".", float(line or 1)) for line in page] for page in pages]


def test_the_most_doubtful_dump_comes_first_and_checked_ones_last(tmp_path: Path, five: LabelSet) -> None:
    files = {
        "sure.txt": "0.9\n0.9\n",
        "half.txt": "0.5\n\n0.9\n",
        "long.txt": "0.7\n0.7\n0.7\n0.7\n",
        "done.tsv": "body\t.\t0.1\n",
    }
    files |= {"part.tsv": "body\t.\t0.1\n?\t.\t0.5\n", "odd.tsv": "sport\t.\t0.1\n"}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    desk = Desk(Store(tmp_path, five), Unsure(five))  # type: ignore[arg-type]
    assert {entry.lines for entry in desk.entries()} == {-1}  # the list is there before anything has been looked at
    desk.catch_up()
    # half: (0.5 + 0.1) / 2 visible lines; long: 4 * 0.3 / 4; part: 0.5 / 2; sure: 2 * 0.1 / 2
    found = [(entry.name, entry.doubt) for entry in desk.entries()]
    assert found == [("half", 0.3), ("long", 0.3), ("part", 0.25), ("sure", 0.1), ("odd", 0.0), ("done", 0.0)]
    assert {entry.name: (entry.lines, entry.left, entry.doubtful) for entry in desk.entries()}["half"] == (3, 2, 1)
    assert "sport" in desk.entries()[4].error


def test_a_folder_of_many_is_labelled_a_few_at_a_time_and_new_files_are_seen(tmp_path: Path, five: LabelSet) -> None:
    for i in range(40):
        (tmp_path / f"{i}.txt").write_text("0.9\n")
    unsure = Unsure(five)
    desk = Desk(Store(tmp_path, five), unsure)  # type: ignore[arg-type]
    desk.catch_up()
    assert sum(unsure.calls) == 40 and max(unsure.calls) <= 16
    (tmp_path / "new.txt").write_text("0.4\n")
    assert Entry("new") in desk.entries()
    desk.catch_up()
    assert desk.entries()[0].name == "new" and unsure.calls[-1] == 1


def test_another_model_looks_at_everything_again(tmp_path: Path, five: LabelSet) -> None:
    (tmp_path / "a.txt").write_text("0.9\n")
    desk = Desk(Store(tmp_path, five), Unsure(five))  # type: ignore[arg-type]
    desk.catch_up()
    desk.open("a")
    other = Unsure(five)
    desk.replace(other)  # type: ignore[arg-type]
    assert desk.entries() == [Entry("a")]
    desk.open("a")
    assert other.calls == [1]


def test_every_label_has_a_key_of_its_own(five: LabelSet) -> None:
    assert label_keys(five) == {"body": "b", "related": "r", "popular": "p", "pick": "k", "latest": "l"}
    many = label_keys(LabelSet("own", ["news", "noise", "answer", "???x"]))
    assert len(set(many.values())) == 4 and not set(many.values()) & set("acghnu")


def test_ctrl_c_ends_the_server_in_peace(tmp_path: Path, model_dir: Path) -> None:
    (tmp_path / "a.txt").write_text("Terkini\n")
    command = [sys.executable, "-m", "pilah.annotate", str(tmp_path), "port=0", f"model={model_dir}"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    with urllib.request.urlopen(f"{address}api/dumps") as found:
        assert json.load(found)["dumps"][0]["name"] == "a"
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(address.rsplit("/", 2)[0])
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 0 and "Traceback" not in said and said.startswith("1 dumps, model:")
