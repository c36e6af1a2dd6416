"""The databases' own clocks as SQL, for what several processes must agree on.

They tell the moment and not the transaction's start: a statement may have waited for the one that came first.
"""

from server.store.engine import Dialect

SECONDS: dict[Dialect, str] = {
    "sqlite": "CAST(strftime('%s', 'now') AS INTEGER)",
    "postgres": "CAST(floor(extract(epoch FROM clock_timestamp())) AS BIGINT)",
}
MILLISECONDS: dict[Dialect, str] = {
    "sqlite": "CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER)",
    "postgres": "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)",
}
