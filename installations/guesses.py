"""What somebody meant who misspelt a name: the most similar of those there are, as long as looking for it is cheap.

To compare two names of a hundred letters takes a quarter of a millisecond, an account may have thousands, and a config
may misspell as many. So all guesses of one review share an allowance, and who has used it up gets none.
"""

from collections.abc import Collection
from difflib import get_close_matches

MOST_WORK = 10_000_000
"""Letters compared with letters: at worst half a second. A name among 500 usual ones takes a hundredth of it."""
_CUTOFF = 0.75


class Guesses:
    """What is left of one review's allowance."""

    def __init__(self) -> None:
        self._left = MOST_WORK

    def similar(self, name: str, known: Collection[str]) -> str | None:
        """Answer the one that was most likely meant; ``None`` where none is like it, or to find it costs too much."""
        work = len(name) * sum(map(len, known))
        if work > self._left:
            return None
        self._left -= work
        return next(iter(get_close_matches(name, known, n=1, cutoff=_CUTOFF)), None)
