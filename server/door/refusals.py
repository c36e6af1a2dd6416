"""What is wrong with a request before anybody looks at what it asks for.

RequestError
├── BadRequest         the URL, the query or the framing cannot be understood
├── NotOffered         the published API has it, this version does not
├── TooLarge           more bytes than this route takes
├── TooSlow            the body takes longer than anybody needs
└── WrongMediaType     the body is not JSON, or is encoded
"""


class RequestError(Exception):
    """The root: the request is refused as such. The message is a sentence for the caller."""


class BadRequest(RequestError):
    """The URL, the query or the framing cannot be understood."""


class NotOffered(RequestError):
    """The published API has it, this version does not."""


class TooLarge(RequestError):
    """More bytes than this route takes."""


class TooSlow(RequestError):
    """The body takes longer to arrive than anybody needs."""


class WrongMediaType(RequestError):
    """The body is not JSON, or is encoded."""
