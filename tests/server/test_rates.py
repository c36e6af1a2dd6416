"""Token buckets, on a clock of our own."""

import random
import tracemalloc

import pytest

from server.rates import Buckets, Rate, parse_rate
from server.settings import Settings, SettingsError, from_environment


class Watch:
    """A monotonic clock that stands until it is told to go on."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def watch() -> Watch:
    return Watch()


SPELT = [
    ("100/s", Rate(count=100, seconds=1, burst=100)),
    ("20/m", Rate(count=20, seconds=60, burst=20)),
    ("1/h", Rate(count=1, seconds=3600, burst=1)),
    (" 50/s burst 200 ", Rate(count=50, seconds=1, burst=200)),
    ("50/m burst 1", Rate(count=50, seconds=60, burst=1)),
    ("unlimited", None),
]


@pytest.mark.parametrize(("text", "rate"), SPELT)
def test_a_rate_is_spelt_in_one_way(text: str, rate: Rate | None) -> None:
    assert parse_rate(text) == rate


@pytest.mark.parametrize(
    "text", ["", "100", "0/s", "-1/s", "1/d", "1.5/s", "100/s burst 0", "100/s, 200", "no", "1e9/s"]
)
def test_no_other_spelling_is_guessed(text: str) -> None:
    with pytest.raises(ValueError, match="is no rate such as"):
        parse_rate(text)


def test_the_environment_says_the_rates_and_whose_word_is_believed() -> None:
    settings = from_environment(
        {
            "ISTHMUS_KEY_RATE": "100/s",
            "ISTHMUS_BROWSER_RATE": "unlimited",
            "ISTHMUS_CONNECTION_RATE": "10/s burst 20",
            "ISTHMUS_TRUSTED_PROXIES": "10.0.0.0/8, ::1/128",
        }
    )
    assert (settings.key_rate, settings.browser_rate) == (Rate(count=100, seconds=1, burst=100), None)
    assert settings.connection_rate == Rate(count=10, seconds=1, burst=20)
    assert settings.failure_rate == Settings().failure_rate == Rate(count=20, seconds=60, burst=20)
    assert [str(network) for network in settings.trusted_proxies] == ["10.0.0.0/8", "::1/128"]


@pytest.mark.parametrize("variable", ["ISTHMUS_KEY_RATE", "ISTHMUS_FAILURE_RATE", "ISTHMUS_TRUSTED_PROXIES"])
def test_a_value_that_cannot_be_read_is_named(variable: str) -> None:
    with pytest.raises(SettingsError, match=variable):
        from_environment({variable: "often"})


def test_settings_do_not_show_what_they_hold() -> None:
    settings = Settings(database_url="postgresql://isthmus:hunter2@db/x", master_keys=("k1:hunter2",))
    assert "hunter2" not in f"{settings} {settings!r}"


def test_a_burst_goes_through_and_then_one_at_a_time(watch: Watch) -> None:
    buckets = Buckets(Rate(count=10, seconds=1, burst=5), monotonic=watch)
    assert [buckets.take("a") for _ in range(6)] == [0, 0, 0, 0, 0, 1]
    watch.now += 0.1
    assert [buckets.take("a") for _ in range(2)] == [0, 1]
    watch.now += 3600
    assert [buckets.take("a") for _ in range(6)] == [0, 0, 0, 0, 0, 1]


@pytest.mark.parametrize(
    "rate", [Rate(count=c, seconds=s, burst=b) for c, s, b in [(1, 1, 1), (7, 60, 3), (3, 3600, 9)]]
)
def test_waiting_exactly_as_long_as_was_said_is_enough_and_a_second_less_is_not(watch: Watch, rate: Rate) -> None:
    chance = random.Random(1)  # noqa: S311 -- repeatable, not secret
    buckets = Buckets(rate, monotonic=watch)
    refused = 0
    for number in range(2000):
        watch.now += chance.random() * 2 * rate.seconds / rate.count
        if after := buckets.take("a"):
            refused += 1
            asked = watch.now
            if number % 2 and after > 1:
                watch.now = asked + after - 1
                assert buckets.take("a") > 0, "one second less was enough"
            watch.now = asked + after
            assert buckets.take("a") == 0
    assert refused > 50


def test_over_any_time_no_more_than_the_rate_goes_through(watch: Watch) -> None:
    buckets = Buckets(Rate(count=10, seconds=1, burst=20), monotonic=watch)
    passed = 0
    for _ in range(100_000):
        watch.now += 0.001
        passed += buckets.take("a") == 0
    assert 1019 <= passed <= 20 + 100 * 10


def test_callers_have_a_bucket_each(watch: Watch) -> None:
    buckets = Buckets(Rate(count=1, seconds=60, burst=1), monotonic=watch)
    assert [buckets.take(caller) for caller in ("a", "b", ("a", None), "a")] == [0, 0, 0, 60]


def test_a_flood_of_callers_fills_no_memory_and_forgets_who_has_been_away_longest(watch: Watch) -> None:
    buckets = Buckets(Rate(count=1, seconds=3600, burst=1), monotonic=watch)
    tracemalloc.start()
    for number in range(150_000):
        buckets.take(f"key-{number}")
        buckets.take("regular")
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(buckets) == 100_000
    assert used < 40_000_000
    assert buckets.take("regular") == 3600
    assert buckets.take("key-149999") == 3600
    assert buckets.take("key-0") == 0


def test_what_is_given_back_can_be_taken_again(watch: Watch) -> None:
    buckets = Buckets(Rate(count=1, seconds=1, burst=3), monotonic=watch)
    assert [buckets.take("a") for _ in range(4)] == [0, 0, 0, 1]
    buckets.give_back("a", 2)
    assert [buckets.take("a") for _ in range(3)] == [0, 0, 1]
    buckets.give_back("nobody", 5)
    assert len(buckets) == 1
