"""A value that must not be seen: it prints as ``***`` wherever a value gets printed.

The plain text is had by `Secret.reveal` alone, which is called where bytes leave for the provider or for the vault.
What must hold plain text for a while, such as the body of a request, is at least `Veiled`.
"""

from typing import Any

import msgspec

MASK = "***"


class Secret:
    """A string that shows itself to nobody who does not ask: not in repr, str, format, logs, errors or tracebacks."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Answer the plain text. Whoever calls this answers for where it goes."""
        return self._value

    def __repr__(self) -> str:
        return MASK

    def __format__(self, format_spec: str) -> str:
        return format(MASK, format_spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __bool__(self) -> bool:
        return bool(self._value)

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("a secret is not pickled or copied")


class Veiled(msgspec.Struct, frozen=True, kw_only=True):
    """A struct that shows its name alone: for bodies, forms and rows that have to hold secrets as plain text.

    Inherited instead of ``msgspec.Struct`` by whatever has such a field; its secrets become `Secret` at the next step.
    """

    def __repr__(self) -> str:
        return f"{type(self).__name__}({MASK})"


def encode_secret(value: Any) -> Any:
    """Encode secrets in plain text: msgspec's ``enc_hook`` for bytes that go to the vault and nowhere else."""
    if isinstance(value, Secret):
        return value.reveal()
    raise TypeError(f"cannot encode {type(value).__name__}")


def decode_secret(kind: type, value: Any) -> Any:
    """Decode strings into secrets: msgspec's ``dec_hook``."""
    if kind is not Secret:
        raise TypeError(f"cannot decode {kind.__name__}")
    if not isinstance(value, str):
        raise ValueError("Expected `str`")  # noqa: TRY004 -- msgspec turns ValueError into one with the path
    return Secret(value)
