"""The house rules that a linter can hold: arrows point down, no circles, small modules, no unfinished marks."""

import ast
import re
import subprocess
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("installations", "connectors", "headless", "server")
MAY_IMPORT = {
    "installations": {"installations"},
    "connectors": {"connectors", "installations"},
    "headless": {"headless", "installations"},
    "server": {"server", "connectors", "headless", "installations", "migrations"},
}
# Parsers that do no I/O are welcome downstairs; anything that reaches a network, a disk or a clock is not.
PURE = {"msgspec", "yaml", "jsonpatch", "jsonpointer", "cronsim"}
CLIENTS = {"aiohttp", "socket", "requests", "urllib3", "http", "urllib"}
"""Modules that can reach the network; ``urllib.parse`` is text work and free."""
SERVE = ("connectors/sandbox/", "server/demo/page.py", "server/demo/ports.py")
"""They listen, some with a server of the client's library, and dial nobody."""
MAY_DIAL = ("connectors/gateway.py", "connectors/wire.py", *SERVE)
BROWSER = ROOT / "headless" / "ui" / "src"
DRAWS = {"install.ts", "declared.ts", "declared-check.ts"}
"""Modules beside the element's folder that may know it."""
TOP_LEVEL = {
    *("server", "headless", "connectors", "installations", "migrations", "tests", "pyproject.toml"),
    *("README.md", "CHANGELOG.md", "DECISIONS.md", "LICENSE", "Makefile", "docs", "examples"),
}


def modules() -> dict[str, Path]:
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for room in ROOMS
        for path in sorted((ROOT / room).rglob("*.py"))
    }


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def resolve(name: str, known: dict[str, Path]) -> str | None:
    """Find the module of ours that an imported dotted name lies in."""
    while name and name not in known:
        name = name.rpartition(".")[0]
    return name or None


@pytest.mark.parametrize("room", ROOMS)
def test_arrows_point_down(room: str) -> None:
    offences = [
        f"{module} imports {target}"
        for module, path in modules().items()
        if module.split(".")[0] == room
        for target in imports(path)
        if (top := target.split(".")[0]) in {*ROOMS, "migrations", "tests"} and top not in MAY_IMPORT[room]
    ]
    assert offences == []


def test_no_module_imports_itself_in_a_circle() -> None:
    known = modules()
    graph = {
        module: {found for target in imports(path) if (found := resolve(target, known)) not in {None, module}}
        for module, path in known.items()
    }
    try:
        tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(f"import circle: {' -> '.join(error.args[1])}")


def test_the_domain_imports_nothing_that_does_io() -> None:
    standard = {
        "collections",
        "typing",
        "datetime",
        "enum",
        "re",
        "json",
        "functools",
        "itertools",
        "math",
        "hashlib",
        "difflib",
    }
    standard |= {"base64", "string", "operator", "types", "dataclasses", "copy", "decimal", "unicodedata", "abc"}
    offences = [
        f"{module} imports {target}"
        for module, path in modules().items()
        if module.startswith("installations")
        for target in imports(path)
        if target.split(".")[0] not in {"installations", *PURE, *standard}
    ]
    assert offences == []


def test_one_way_out_to_the_network() -> None:
    offences = [
        f"{module} imports {target}"
        for module, path in modules().items()
        for target in imports(path)
        if target.split(".")[0] in CLIENTS
        and not target.startswith("urllib.parse")
        and target != "http.HTTPStatus"
        and not str(path.relative_to(ROOT)).startswith(MAY_DIAL)
    ]
    assert offences == []


def test_modules_and_functions_stay_small() -> None:
    long = [f"{module}: {n}" for module, path in modules().items() if (n := len(path.read_text().splitlines())) > 400]
    for module, path in modules().items():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno
                if length > 60:
                    long.append(f"{module}.{node.name}: {length}")
    assert long == []


def test_modules_are_named_by_nouns_of_the_domain_and_say_what_they_know() -> None:
    for module, path in modules().items():
        assert not set(module.split(".")) & {"utils", "common", "helpers", "base", "misc", "manager"}, module
        assert ast.get_docstring(ast.parse(path.read_text())), f"{module} does not say what it knows"


def browser_modules() -> dict[str, str]:
    return {path.relative_to(BROWSER).as_posix(): path.read_text("utf-8") for path in sorted(BROWSER.rglob("*.ts"))}


def browser_imports(module: str, text: str) -> Iterator[str]:
    folder = (BROWSER / module).parent
    for target in re.findall(r"(?:from|import) '(\.[^']+)\.js'", text):
        yield (folder / f"{target}.ts").resolve().relative_to(BROWSER).as_posix()


def test_browser_modules_stay_small_and_say_what_they_know() -> None:
    offences = []
    for module, text in browser_modules().items():
        lines = text.splitlines()
        offences += [module] if len(lines) > 400 or not text.startswith("/**") else []
        offences += [f"{module}:{at}" for at, line in enumerate(lines, 1) if len(line) > 120]
        offences += [module] if {"utils", "common", "helpers", "base", "misc", "manager"} & {Path(module).stem} else []
    assert offences == []


def test_browser_modules_import_no_circle_and_the_drawn_half_only_where_things_are_drawn() -> None:
    graph = {module: {*browser_imports(module, text)} for module, text in browser_modules().items()}
    tuple(TopologicalSorter(graph).static_order())
    drawing = {module for module, targets in graph.items() if any(target.startswith("element/") for target in targets)}
    assert {module for module in drawing if not module.startswith("element/")} <= DRAWS


def test_the_top_level_is_as_it_was_promised() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S607
    tops = {line.split("/")[0] for line in tracked.splitlines()}
    assert {top for top in tops if not top.startswith(".")} <= TOP_LEVEL
    assert {"server", "headless", "connectors", "installations", "migrations", "tests", "pyproject.toml"} <= tops


def test_nothing_is_marked_unfinished_and_no_machine_is_named() -> None:
    marks = re.compile("TO" + "DO|FIX" + "ME|X" + "XX|raise NotImpl" + r"ementedError|https?://[^\s\"']*/simple\b")
    for path in [*ROOT.glob("*.md"), *ROOT.glob(".ci/**/*"), *modules().values(), *BROWSER.rglob("*.ts")]:
        if path.is_file():
            assert not marks.search(path.read_text()), path
