"""How long a refusal takes tells nobody how close a guess was."""

import os
import random
import statistics
import time
from collections.abc import AsyncIterator

import pytest

from installations.installation import Project
from server.access.errors import Unauthenticated
from server.access.keyring import Keyring
from server.access.keys import new_key, with_checksum
from server.settings import Settings
from server.store.contract import Store
from server.store.opening import open_store
from tests.server.house import START, stored_key
from tests.server.store.samples import MASTER_KEY

CALLS = int(os.environ.get("ISTHMUS_CALLS", "6000"))
"""20,000 are what the promise was measured with."""
KEYS = 200
BOUND = 0.15
"""Of a standard deviation, between the means. With 6,000 calls, chance alone makes it 0.03."""


@pytest.fixture
async def store(sqlite_url: str) -> AsyncIterator[Store]:
    store = open_store(Settings(database_url=sqlite_url, master_keys=(MASTER_KEY,)))
    await store.start()
    try:
        yield store
    finally:
        await store.close()


async def test_a_guess_that_begins_like_a_key_is_refused_as_fast_as_any_other(store: Store) -> None:
    keys = [new_key() for _ in range(KEYS)]
    await store.create_project(Project(id="p1", name="acme", app_name="Acme", org_id="o", create_time=START))
    for key in keys:
        await store.add_api_key("p1", stored_key("p1", key))
    keyring, dice = Keyring(store), random.Random(7)  # noqa: S311 -- to be had again
    took: dict[str, list[float]] = {"near": [], "far": []}
    for number in range(CALLS + 200):
        guess = {"near": near(dice.choice(keys), dice), "far": new_key()}
        kind = dice.choice(("near", "far"))
        began = time.perf_counter()
        with pytest.raises(Unauthenticated):
            await keyring.authenticate(guess[kind])
        if number >= 200:
            took[kind].append(time.perf_counter() - began)
    assert gap(took) < BOUND, gap(took)


def near(key: str, dice: random.Random) -> str:
    """Guess all of a key but the last random letter."""
    body = key[:-7]
    return with_checksum(body + dice.choice([letter for letter in "abcdef" if letter != key[-7]]))


def gap(took: dict[str, list[float]]) -> float:
    """Answer how far the means lie apart, in standard deviations; the slowest hundredth is the machine's, not ours."""
    bound = statistics.quantiles(took["near"] + took["far"], n=100)[-1]
    near_ones, far_ones = ([seconds for seconds in took[kind] if seconds <= bound] for kind in ("near", "far"))
    spread = statistics.stdev(near_ones + far_ones)
    return abs(statistics.fmean(near_ones) - statistics.fmean(far_ones)) / spread
