import asyncio

import pytest

from server.store.contract import Missing, Store, Taken, Upload
from tests.server.store.samples import NOW, later, upload


async def test_an_upload_is_filled_once_looked_at_often_and_taken_once(store: Store) -> None:
    await store.create_upload(upload(1, id="u9", md5="bWQ1"))
    assert (await store.upload("u9", now=NOW)).content == b""
    with pytest.raises(Missing):
        await store.take_upload("p1", "u9", now=NOW)
    await store.fill_upload("u9", b"PK\0\x03", now=NOW)
    with pytest.raises(Taken):
        await store.fill_upload("u9", b"again", now=NOW)
    for _ in range(2):
        assert (await store.upload("u9", now=NOW)).content == b"PK\0\x03"
    assert (await store.take_upload("p1", "u9", now=NOW)).md5 == "bWQ1"
    with pytest.raises(Missing):
        await store.take_upload("p1", "u9", now=NOW)


async def test_an_upload_ends(store: Store) -> None:
    for look in (
        store.upload("u1", now=later(600)),
        store.take_upload("p1", "u1", now=later(600)),
        store.fill_upload("u1", b"x", now=later(600)),
        store.upload("nothing", now=NOW),
    ):
        with pytest.raises(Missing):
            await look


async def test_of_parallel_takers_one_wins(store: Store) -> None:
    takers = [store.take_upload("p1", "u1", now=NOW) for _ in range(8)]
    taken = await asyncio.gather(*takers, return_exceptions=True)
    assert sum(isinstance(one, Upload) for one in taken) == 1
    assert sum(isinstance(one, Missing) for one in taken) == 7
