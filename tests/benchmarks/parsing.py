"""What strict reading of a write costs, against the bare decoder, which lets doubled names and huge numbers through.

``python -m tests.benchmarks.parsing``

Figures are the best of several rounds, in microseconds for one body.
"""

import json
import timeit
from collections.abc import Callable

import msgspec

from installations.record import WriteRequest
from installations.shape import parse_json

ROUNDS = 7
RECORD = {
    "email": "ada@example.com",
    "site": "https://example.com/x",
    "amount": 1200.5,
    "count": 5,
    **{f"field_{number}": f"value {number}" for number in range(20)},
}


def cost(run: Callable[[], object], *, calls: int) -> float:
    """Measure one call, in microseconds."""
    return min(timeit.repeat(run, number=calls, repeat=ROUNDS)) / calls * 1e6


def report(name: str, body: bytes, *, calls: int) -> None:
    """Print one line."""
    bare = cost(lambda: decoder.decode(body), calls=calls)
    strict = cost(lambda: parse_json(body, WriteRequest), calls=calls)
    print(f"{name}, {len(body)} bytes: bare {bare:.1f} us, strict {strict:.1f} us, {strict - bare:.1f} us more")


decoder = msgspec.json.Decoder(WriteRequest)

if __name__ == "__main__":
    one = {"groupRef": "g", "type": "create", "record": RECORD}
    many = {"groupRef": "g", "type": "create", "batch": [{"record": RECORD}] * 100}
    report("one record", json.dumps(one).encode(), calls=20_000)
    report("a hundred records", json.dumps(many).encode(), calls=300)
