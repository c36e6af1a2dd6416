import asyncio
from collections.abc import Sequence

import pytest

from installations.errors import InvalidInput, invalid
from server.settings import Settings
from server.store.commits import LARGEST_GROUP, Commits
from server.store.contract import OperationFilter, Unavailable
from server.store.engine import Session
from server.store.hot import Begin, Move, Result
from server.store.opening import open_store
from tests.server.store.samples import MASTER_KEY, operation, populated


class Ledger:
    """Commits nothing, slowly, and remembers the groups."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self.unavailable = False

    async def commit(self, moves: Sequence[Move]) -> list[Result]:
        names = [str(move.operation[0]) for move in moves if isinstance(move, Begin)]
        self.groups.append(names)
        await asyncio.sleep(0)
        if self.unavailable:
            raise Unavailable("gone")
        if "bad" in names:
            raise invalid("", "bad", code="bad")
        return ["stored" for _ in moves]

    async def announce(self, session: Session, lane_ids: Sequence[str]) -> None:
        """Tell nobody."""


def begin(name: str) -> Begin:
    return Begin(operation=(name,))


async def test_one_alone_waits_for_nobody_and_the_rest_share() -> None:
    ledger = Ledger()
    commits = Commits(ledger)
    first = asyncio.create_task(commits.submit(begin("first")))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await asyncio.gather(first, *(commits.submit(begin(f"{number}")) for number in range(5)))
    assert ledger.groups == [["first"], ["0", "1", "2", "3", "4"]]
    await commits.close()


async def test_a_group_is_bounded() -> None:
    ledger = Ledger()
    commits = Commits(ledger)
    await asyncio.gather(*(commits.submit(begin("x")) for _ in range(LARGEST_GROUP * 2 + 1)))
    assert [len(group) for group in ledger.groups] == [LARGEST_GROUP, LARGEST_GROUP, 1]
    await commits.close()


async def test_one_that_is_refused_fails_alone() -> None:
    ledger = Ledger()
    commits = Commits(ledger)
    names = ("a", "bad", "b")
    results = await asyncio.gather(*(commits.submit(begin(name)) for name in names), return_exceptions=True)
    assert [results[0], results[2]] == ["stored", "stored"]
    assert isinstance(results[1], InvalidInput)
    await commits.close()


async def test_a_database_that_is_gone_fails_the_group_at_once() -> None:
    ledger = Ledger()
    ledger.unavailable = True
    commits = Commits(ledger)
    results = await asyncio.gather(*(commits.submit(begin(f"{n}")) for n in range(3)), return_exceptions=True)
    assert all(isinstance(result, Unavailable) for result in results)
    assert len(ledger.groups) == 1
    await commits.close()


async def test_closing_commits_what_waits_and_takes_no_more() -> None:
    ledger = Ledger()
    commits = Commits(ledger)
    waiting = [asyncio.create_task(commits.submit(begin(f"{number}"))) for number in range(3)]
    await asyncio.sleep(0)
    await commits.close()
    assert await asyncio.gather(*waiting) == ["stored"] * 3
    with pytest.raises(Unavailable):
        await commits.submit(begin("late"))


async def test_neighbours_of_a_refused_operation_are_stored(database_url: str) -> None:
    store = open_store(Settings(database_url=database_url, master_keys=(MASTER_KEY,)))
    await store.start()
    await populated(store)
    names = ["x1", "x2", "x3", "x4"]
    begins = [store.begin(operation(name, object_name="\ud800" if name == "x3" else "contact")) for name in names]
    results = await asyncio.gather(*begins, return_exceptions=True)
    assert [result is None for result in results] == [True, True, False, True]
    assert {
        one.id for one in (await store.operations("p1", OperationFilter(installation_id="n1"), page_size=9)).results
    } == {"o1", "x1", "x2", "x4"}
    await store.close()


async def test_a_caller_that_leaves_does_not_take_the_others_along(database_url: str) -> None:
    store = open_store(Settings(database_url=database_url, master_keys=(MASTER_KEY,)))
    await store.start()
    await populated(store)
    begins = [asyncio.create_task(store.begin(operation(f"x{number}"))) for number in range(10)]
    await asyncio.sleep(0)
    begins[3].cancel()
    answers = await asyncio.gather(*begins, return_exceptions=True)
    assert [answer for answer in answers if answer is not None] == [answers[3]]
    assert isinstance(answers[3], asyncio.CancelledError)
    await store.close()
