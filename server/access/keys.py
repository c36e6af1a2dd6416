"""What an API key looks like, and what is kept of it.

``isk_`` and 32 random characters (190 bits) and 6 of checksum, all of ``0-9A-Za-z``. The prefix lets secret scanners
find a leaked key, the checksum lets them (and us) tell a key from noise without a look-up.
"""

import hashlib
import secrets
import string
import zlib

PREFIX = "isk_"
SHOWN_CHARACTERS = 10
_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM_CHARACTERS = 32
_CHECKSUM_CHARACTERS = 6
_LENGTH = len(PREFIX) + _RANDOM_CHARACTERS + _CHECKSUM_CHARACTERS


def new_key() -> str:
    """Make a key. It is shown once; `digest` is all that stays."""
    return with_checksum(PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_CHARACTERS)))


def with_checksum(body: str) -> str:
    """Complete a key."""
    return body + _checksum(body)


def digest(key: str) -> bytes:
    """Answer what is stored: the SHA-256 of the whole key. A key is random, so it needs no salt and no slow hash."""
    return hashlib.sha256(key.encode()).digest()


def shown_prefix(key: str) -> str:
    """Answer the first characters, by which a person tells keys apart."""
    return key[:SHOWN_CHARACTERS]


def is_well_formed(text: str) -> bool:
    """Tell whether this can be one of our keys at all."""
    if len(text) != _LENGTH or not text.startswith(PREFIX) or not text.isascii():
        return False
    return secrets.compare_digest(text[-_CHECKSUM_CHARACTERS:], _checksum(text[:-_CHECKSUM_CHARACTERS]))


def _checksum(body: str) -> str:
    number, characters = zlib.crc32(body.encode()), ""
    for _ in range(_CHECKSUM_CHARACTERS):
        number, digit = divmod(number, len(_ALPHABET))
        characters += _ALPHABET[digit]
    return characters
