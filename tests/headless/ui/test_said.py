"""Whatever a review can say has a sentence in the other languages of the element."""

import re
from pathlib import Path

from tests.headless.ui.conftest import UI

ROOT = Path(__file__).parents[3]
REVIEWS = [
    *sorted((ROOT / "installations").glob("*_review.py")),
    *(
        ROOT / name
        for name in (
            "installations/review.py",
            "installations/value_fit.py",
            "installations/config_checks.py",
            "server/reviewing.py",
            "server/inputs.py",
        )
    ),
]
OPERATORS = {"wrong-provider", "invalid-schedule", "unknown-destination"}
"""About what only builders send: the element has no control for it."""


def test_every_code_of_a_review_is_translated() -> None:
    codes = {code for path in REVIEWS for code in re.findall(r'code="([a-z-]+)"', path.read_text("utf-8"))}
    codes |= {"other-choice", "not-a-choice"}
    said = set(re.findall(r"'issue\.([a-z-]+)'", (UI / "src/element/said-german.ts").read_text("utf-8")))
    assert "unknown-field" in codes
    assert sorted(codes - said - OPERATORS) == []
