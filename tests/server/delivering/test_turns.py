import asyncio

from server.delivering.turns import Turns


async def test_one_name_is_held_by_one_at_a_time() -> None:
    turns, inside, most = Turns(), 0, 0

    async def visit() -> None:
        nonlocal inside, most
        async with turns.taken(["a"]):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(visit() for _ in range(20)))
    assert most == 1


async def test_two_who_want_the_same_names_never_block() -> None:
    turns, done = Turns(), []

    async def visit(*names: str) -> None:
        async with turns.taken(names):
            await asyncio.sleep(0)
            done.append(names)

    wanted = [("a", "b", "a"), ("b", "a"), ("c",)] * 10
    async with asyncio.timeout(60):
        await asyncio.gather(*(visit(*names) for names in wanted))
    assert sorted(done) == sorted(wanted)


async def test_a_name_that_nobody_holds_is_forgotten() -> None:
    turns = Turns()
    async with turns.taken(["a", "b"]):
        assert len(turns) == 2
    assert len(turns) == 0
