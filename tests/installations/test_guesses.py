"""What was meant by a misspelt name, and that looking for it ends."""

import time

from installations.guesses import MOST_WORK, Guesses

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789_"


def rotated(by: int) -> str:
    """Spell the same letters in another order: alike enough that only a close look tells."""
    turn = by % len(LETTERS)
    return (LETTERS[turn:] + LETTERS[:turn]) * 2 + str(by)


def test_the_most_similar_name_is_guessed() -> None:
    known = ["email", "phone", "firstName"]
    named = ("emial", "firstname", "nothing")
    assert [Guesses().similar(name, known) for name in named] == ["email", "firstName", None]


def test_all_guesses_share_an_allowance() -> None:
    guesses, known = Guesses(), [rotated(number) for number in range(1000)]
    started = time.process_time()
    found = [guesses.similar(rotated(number) + "x", known) for number in range(1000)]
    assert time.process_time() - started < 3
    assert found[0] == rotated(0)
    assert found.count(None) > 900


def test_a_name_that_costs_too_much_leaves_the_allowance_to_others() -> None:
    guesses = Guesses()
    assert guesses.similar("x" * MOST_WORK, ["email"]) is None
    assert guesses.similar("emial", ["email"]) == "email"
