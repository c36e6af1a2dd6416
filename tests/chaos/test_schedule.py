"""The schedule kills as often as was asked, within the run, and the same seed does the same."""

import pytest

from tests.chaos.faults import Faults, Mix
from tests.chaos.schedule import Wounds, count, schedule


@pytest.mark.parametrize("seed", range(20))
def test_as_many_are_killed_as_was_asked(seed: int) -> None:
    made = schedule(Wounds(kill=40, stop=3, crash=2), operations=1000, seats=5, seed=seed)
    assert count(made) == 40
    assert [sum(each.wound == wound for each in made) for wound in ("stop", "crash")] == [3, 2]
    assert all(0 < each.after_accepts <= 1000 and 0 <= each.seat < 5 for each in made)
    assert any(each.young_seconds is not None for each in made) or seed


def test_the_same_seed_wounds_the_same() -> None:
    first, second = (schedule(Wounds(kill=40), operations=1000, seats=5, seed=3) for _ in range(2))
    assert first == second
    assert first != schedule(Wounds(kill=40), operations=1000, seats=5, seed=4)


def test_the_same_seed_meets_the_same_faults() -> None:
    def drawn(seed: int) -> list[str | None]:
        faults = Faults(Mix(throttle=100, reset_after=100), seed=seed)
        return [faults.draw() for _ in range(200)]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)
    assert 20 < drawn(1).count("throttle") + drawn(1).count("reset_after") < 80
