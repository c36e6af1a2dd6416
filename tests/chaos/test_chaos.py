"""A short run of the harness for every change: 2,000 operations, 40 kills, two crashes of the database."""

from pathlib import Path

import pytest

from tests.chaos.databases import StoreKind
from tests.chaos.options import STORES, short
from tests.chaos.telling import told


# Five minutes are the rule. At a load of 35 on two cores PostgreSQL's run took six (2026-11-22), a quiet one takes one.
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("store", STORES)
async def test_nothing_is_lost_and_nothing_happens_twice(store: StoreKind, tmp_path: Path) -> None:
    for run in short(stores=[store], folder=tmp_path):
        report = await run()
        assert report.good, told([report])
