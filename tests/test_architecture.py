"""The shape of the house: who may import whom, who touches the disk, and how long a room may be."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from conftest import ROOT

SOURCE = ROOT / "src" / "pilah"
FILES = {
    ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(SOURCE.rglob("*.py"))
}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in FILES.items()}

FLOW = (
    "labels",
    "params",
    "page",
    "fast",
    "decoding",
    "hashed",
    "features",
    "order",
    "columns",
    "context",
    "tagger",
    "sections",
    "article",
    "render",
    "model_file",
    "batch",
)
"""Every room may use the rooms before it."""

DISK = ("page", "model_file", "batch", "annotate", "training.corpus", "training.report")
"""The rooms that touch the disk."""

HEAVY = {
    "sklearn",
    "joblib",
    "rich",
    "pandas",
    "matplotlib",
    "pyarrow",
    "dask",
    "distributed",
    "starlette",
    "datatrove",
    "yaml",
    "hydra",
    "omegaconf",
    "numba",
}
"""What a start of `predict.py` does not wait for (Hydra apart, which its door needs)."""


def imports(tree: ast.AST, everywhere: bool = True) -> set[str]:
    """The modules that are imported: anywhere, or only those that are when the module itself is (no type checking)."""
    found = set()
    for node in ast.walk(tree) if everywhere else _at_import(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            found.add(node.module or "")
            found |= {f"{node.module}.{alias.name}" for alias in node.names if f"{node.module}.{alias.name}" in FILES}
    return found


def _at_import(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        yield from _at_import(node)


def tops(modules: set[str]) -> set[str]:
    """The packages that modules belong to."""
    return {module.partition(".")[0] for module in modules}


def room(name: str) -> str:
    """The name of a module inside the package."""
    return name.removeprefix("pilah").removeprefix(".")


HOUSE = [name for name in FILES if not room(name).startswith(("training", "annotate"))]
LOADED_BY_PREDICT = [f"pilah.{name}" for name in FLOW]


def test_the_rooms_of_the_flow_are_there() -> None:
    assert {f"pilah.{name}" for name in FLOW} <= set(FILES)


@pytest.mark.parametrize("name", HOUSE)
def test_the_house_uses_neither_training_nor_the_annotator(name: str) -> None:
    assert not {module for module in imports(TREES[name]) if module.startswith(("pilah.training", "pilah.annotate"))}


@pytest.mark.parametrize("name", FLOW)
def test_a_room_uses_only_rooms_before_it(name: str) -> None:
    used = {
        room(module).partition(".")[0]
        for module in imports(TREES[f"pilah.{name}"], everywhere=False)
        if module.startswith("pilah.")
    }
    later = set(FLOW[FLOW.index(name) + 1 :])
    assert not used & later


def test_no_two_modules_need_each_other_to_be_imported() -> None:
    graph = {
        name: {m for m in imports(tree, everywhere=False) if m in FILES and m != "pilah"} - {name}
        for name, tree in TREES.items()
    }
    order = list(TopologicalSorter(graph).static_order())  # raises CycleError where there is a circle
    assert set(order) == set(FILES)


def test_decoding_sees_numbers_only_and_the_grammar_text_only() -> None:
    assert {m for m in imports(TREES["pilah.decoding"]) if m.startswith("pilah")} == {"pilah", "pilah.fast", "pilah.params"}
    assert not {m for m in imports(TREES["pilah.sections"]) if m.startswith("pilah") or m == "numpy"}


def test_hydra_is_known_to_the_two_doors_and_the_training_run_alone() -> None:
    users = {name for name, tree in TREES.items() if "hydra" in tops(imports(tree))}
    assert users == {"pilah.training.run"}
    for door in ("train.py", "predict.py"):
        assert "hydra" in tops(imports(ast.parse((ROOT / door).read_text(encoding="utf-8"))))


@pytest.mark.parametrize("name", [n for n in HOUSE if n != "pilah.datatrove" and not n.startswith("pilah.kernels")])
def test_the_house_imports_nothing_heavy_before_it_is_needed(name: str) -> None:
    assert not tops(imports(TREES[name], everywhere=False)) & HEAVY


def test_a_dump_is_read_and_labelled_without_scikit_learn(model_dir: Path) -> None:
    program = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
import predict
from pilah.model_file import load_model
load_model({str(model_dir)!r}).tag([["Terkini", "-"]])
print(*sorted(set(sys.modules) & {{"sklearn", "joblib", "rich", "pandas", "matplotlib", "scipy.optimize", "pilah.training"}}))
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


# ------------------------------------------------------------------------------------------------------------- disk

_TOUCHING = {"open", "read_text", "write_text", "read_bytes", "write_bytes", "mkdir", "unlink", "rmdir", "touch", "mkstemp", "mkdtemp", "rmtree",
             "copyfile", "copytree", "savez", "savez_compressed", "TemporaryDirectory", "NamedTemporaryFile", "makedirs", "save", "load"}  # fmt: skip
_IN_MEMORY = {"json", "np", "yaml", "OmegaConf"}  # `json.load` and the like work on what someone else has opened


def touches(tree: ast.AST) -> list[str]:
    """Calls that read or write files."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            function = node.func
            name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
            owner = ast.unparse(function.value) if isinstance(function, ast.Attribute) else ""
            imported = name == "read_bytes" and not owner  # `page.read_bytes`, which says what is wrong
            if name in _TOUCHING and not imported and not (name in ("load", "save") and (owner in _IN_MEMORY or not owner)):
                found.append(f"line {node.lineno}: {ast.unparse(function)}")
    return found


@pytest.mark.parametrize("name", [n for n in FILES if not room(n).startswith(DISK)])
def test_only_a_few_rooms_touch_the_disk(name: str) -> None:
    assert touches(TREES[name]) == []


def test_the_search_for_disk_access_finds_what_it_looks_for() -> None:
    assert touches(TREES["pilah.page"])
    assert touches(TREES["pilah.model_file"])


# ----------------------------------------------------------------------------------------------------------- manners


@pytest.mark.parametrize("name", list(FILES))
def test_a_module_over_320_lines_says_why_in_its_docstring(name: str) -> None:
    """It says so with the word *long*: 'long because ...'."""
    size = len(FILES[name].read_text(encoding="utf-8").splitlines())
    assert size <= 320 or re.search(r"\blong\b.*\bbecause\b", ast.get_docstring(TREES[name]) or "", re.DOTALL), f"{size} lines"


@pytest.mark.parametrize("name", list(FILES))
def test_no_room_is_a_drawer_for_odds_and_ends(name: str) -> None:
    assert not set(re.split(r"[._]", name)) & {
        "utils",
        "util",
        "helpers",
        "helper",
        "common",
        "misc",
        "core",
        "base",
        "registry",
        "manager",
        "tools",
    }


@pytest.mark.parametrize("name", list(FILES))
def test_every_module_says_what_it_is_for(name: str) -> None:
    assert ast.get_docstring(TREES[name])


@pytest.mark.parametrize("door", ["train.py", "predict.py"])
def test_a_door_is_about_thirty_lines_of_code(door: str) -> None:
    tree = ast.parse((ROOT / door).read_text(encoding="utf-8"))
    tree.body = tree.body[1:] if ast.get_docstring(tree) else tree.body
    assert len(ast.unparse(tree).splitlines()) <= 40


@pytest.mark.parametrize("name", list(FILES))
def test_nothing_is_unpickled(name: str) -> None:
    assert not tops(imports(TREES[name])) & {"pickle", "cloudpickle", "dill", "shelve", "marshal"}
    calls = {ast.unparse(node.func) for node in ast.walk(TREES[name]) if isinstance(node, ast.Call)}
    assert "joblib.load" not in calls
    assert "allow_pickle=True" not in FILES[name].read_text(encoding="utf-8")
