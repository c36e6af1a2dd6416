"""Why somebody on the way to a connection cannot go on. The messages are sentences for the person at the page.

ConnectError
├── DeadLink         the link or the page is unknown, was used already, or its time is over
├── Finished         a callback that was taken already comes once more
├── StrangeBrowser   another browser came back than the one that set out
└── StrangePage      the link was opened from a page that did not ask for it
"""


class ConnectError(Exception):
    """The root. None of these says anything about the customer whose way it was."""


class DeadLink(ConnectError):
    """Unknown, used or expired; nobody is told which."""

    def __init__(self) -> None:
        super().__init__("This link or page is unknown, was used already, or has expired. Start again in the product.")


class Finished(ConnectError):
    """The callback was taken already, as the key shows that it came with: a reload, mostly.

    It may have ended well or not, or be under way still; so this says neither.
    """

    def __init__(self) -> None:
        super().__init__(
            "This was finished already, so nothing more has happened. You can close this window. "
            "The product shows what is connected."
        )


class StrangeBrowser(ConnectError):
    """The cookie of the browser that set out is missing or wrong."""


class StrangePage(ConnectError):
    """The link was opened from elsewhere, or by something that is no person at a window."""

    def __init__(self) -> None:
        super().__init__("This link was opened from a page that did not ask for it. Start again in the product.")
