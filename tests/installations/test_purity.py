"""The domain reads no clock, draws no lot, opens no file and logs nothing: such values are arguments."""

import ast
from collections.abc import Iterator
from pathlib import Path

import installations

FOLDER = Path(installations.__file__).parent
CALLS = frozenset({"now", "utcnow", "today", "monotonic", "perf_counter", "sleep", "getenv", "read_text", "write_text"})
BUILTINS = frozenset({"open", "print", "input", "exec", "eval", "__import__"})


def reaching_out(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.Global | ast.Nonlocal):
            yield f"{path.name}:{node.lineno}: {type(node).__name__}"
        elif isinstance(node, ast.Call):
            name = node.func
            if isinstance(name, ast.Attribute) and name.attr in CALLS:
                yield f"{path.name}:{node.lineno}: {name.attr}"
            elif isinstance(name, ast.Name) and name.id in BUILTINS:
                yield f"{path.name}:{node.lineno}: {name.id}"


def test_the_domain_reaches_out_for_nothing() -> None:
    assert [offence for path in sorted(FOLDER.rglob("*.py")) for offence in reaching_out(path)] == []
