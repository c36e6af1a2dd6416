"""The commands in ``docs/operations.md`` work as they are printed, in the shell of the README's tutorial."""

from pathlib import Path

import pytest

from tests.journeys.tutorial import opened, shows, steps

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"
STEPS = steps(PAGE)
INSTALLED = "installations -d @installation.json"
"""In the tutorial's last step that the page builds on."""


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Run the tutorial up to the installation, then the page; what each block of that has printed."""
    with opened(tmp_path_factory.mktemp("operator")) as shell:
        for step in steps():
            shell.run(step.commands)
            if INSTALLED in step.commands:
                break
        return [shell.run(step.commands) for step in STEPS]


@pytest.mark.parametrize("number", range(len(STEPS)))
def test_the_page_prints_what_it_says(number: int, printed: list[str]) -> None:
    assert shows(printed[number], STEPS[number].wanted), printed[number]


def test_the_promises_are_those_that_were_given() -> None:
    quoted = [line.removeprefix("> ") for line in PAGE.read_text("utf-8").splitlines() if line.startswith(">")]
    text = " ".join(quoted)
    for number, promise in enumerate(
        (
            "Accepted means stored.",
            "Nothing vanishes.",
            "No silent duplicates.",
            "Tenants are separate.",
            "Credentials stay inside.",
            "Calls stay outside.",
        ),
        start=1,
    ):
        assert f"{number}. **{promise}**" in text
