"""No customer is ever disconnected by us: briefly here, in full by ``python -m tests.benchmarks.refreshes``."""

from tests.server.tokens.ordeals import endless, killed_alone, killed_among_others, stampede


async def test_fifty_connections_with_refused_requests_in_two_processes_are_refreshed_fifty_times(
    migrated_postgres_url: str,
) -> None:
    figures = await stampede(migrated_postgres_url, connections=50, each=2)
    assert (figures.requests, figures.failed) == (200, 0)
    assert (figures.refused, figures.sent_again) == (200, 1)
    assert (figures.refreshes, figures.most_refreshes) == (50, 1)


async def test_nobody_reuses_a_refresh_token_where_that_would_cost_the_grant(migrated_postgres_url: str) -> None:
    figures = await endless(migrated_postgres_url, rounds=25)
    assert (figures.lost, figures.reuses, figures.refreshes) == ((), 0, 50)


async def test_a_process_that_is_killed_while_it_renews_loses_no_connection(sqlite_url: str) -> None:
    figures = await killed_alone(sqlite_url, kills=12)
    assert figures.lost == ()
    assert figures.reuses > 0, "no kill came between the provider's answer and our commit"


async def test_processes_that_live_take_up_what_killed_ones_left(migrated_postgres_url: str) -> None:
    figures = await killed_among_others(migrated_postgres_url, kills=8)
    assert figures.lost == ()
    assert figures.reuses > 0, "no kill came between the provider's answer and our commit"
