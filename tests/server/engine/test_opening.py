"""Which engine runs, and what it costs those who do not use it."""

import subprocess
import sys
from pathlib import Path

import pytest

from server.clock import utc_now
from server.engine.embedded import EmbeddedEngine
from server.engine.opening import announcing, is_distributed, open_engine
from server.engine.pgqueuer import PgqueuerEngine, announce
from server.settings import Settings

ROOT = Path(__file__).parents[3]


def test_postgresql_is_for_many_processes_and_sqlite_for_one() -> None:
    many = Settings(database_url="postgresql://somebody@127.0.0.1/isthmus")
    one = Settings(database_url="sqlite:///isthmus.db")
    assert (is_distributed(many), is_distributed(one)) == (True, False)
    assert isinstance(open_engine(many, clock=utc_now), PgqueuerEngine)
    assert isinstance(open_engine(one, clock=utc_now), EmbeddedEngine)
    assert announcing(many) is announce
    assert announcing(one) is None


@pytest.mark.parametrize("module", ["server.commands.serving", "server.commands.database"])
def test_nobody_on_sqlite_imports_what_postgresql_needs(module: str) -> None:
    script = (
        f"import sys, {module}\n"
        "from server.clock import utc_now\n"
        "from server.engine.opening import announcing, open_engine\n"
        "from server.settings import Settings\n"
        "open_engine(Settings(), clock=utc_now), announcing(Settings())\n"
        "print({'pgqueuer', 'pydantic', 'typer'} & set(sys.modules))\n"
    )
    said = subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert said.stdout.strip() == "set()"
