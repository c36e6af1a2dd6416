"""Secrets at rest: what is sealed, under which key, and for which cell of which table.

A master key comes from outside of the database and only wraps data keys. Each project has its own data key, so that
deleting it makes the project's secrets unreadable in every backup. Everything is AES-256-GCM with a random nonce; the
cell (table, column, project, row) is bound in as associated data, so that a ciphertext copied elsewhere does not open.

The form is ``v1.<key id>.<nonce><ciphertext and tag>``: it names its key, so one try decides. Rotate a data key well
before 2^32 messages (NIST SP 800-38D, section 8.3, https://doi.org/10.6028/NIST.SP.800-38D).
"""

import base64
import binascii
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from server.settings import Settings, SettingsError
from server.store.contract import StoreError

VERSION = b"v1"
NONCE_BYTES = 12
KEY_BYTES = 32
CHECK = b"this master key belongs to this database"
KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
HEAD_BYTES = 72
"""So many bytes of a sealed value hold the id of its key, whatever that is."""


class Unsealable(StoreError):
    """A sealed value does not open: it was changed, moved to another row, or sealed by a key we do not have."""


class UnknownKey(Unsealable):
    """A sealed value names a key that this box does not hold; a newer box of the project may."""

    def __init__(self, message: str, *, project_id: str) -> None:
        super().__init__(message)
        self.project_id = project_id


def new_master_key() -> str:
    """Make a master key in the form that ``ISTHMUS_MASTER_KEYS`` takes."""
    return f"k{os.urandom(4).hex()}:{base64.b64encode(AESGCM.generate_key(bit_length=256)).decode()}"


class Box:
    """Seals and opens with a set of named keys; the first seals, all open."""

    def __init__(self, keys: Mapping[str, bytes], *, project_id: str = "") -> None:
        self.project_id = project_id
        self._keys = {name.encode(): AESGCM(key) for name, key in keys.items()}
        self._first = next(iter(self._keys))

    @property
    def names(self) -> tuple[str, ...]:
        """The key ids, the sealing one first."""
        return tuple(name.decode() for name in self._keys)

    @property
    def sealing(self) -> str:
        """The id of the key that seals."""
        return self._first.decode()

    def seal(self, plain: bytes, *, table: str, column: str, row_id: str) -> bytes:
        """Encrypt for one cell. Nothing stays nothing."""
        if not plain:
            return b""
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._keys[self._first].encrypt(nonce, plain, self._bound(table, column, row_id))
        return b"%b.%b.%b%b" % (VERSION, self._first, nonce, sealed)

    def open(self, sealed: bytes, *, table: str, column: str, row_id: str) -> bytes:
        """Decrypt what was sealed for this cell. Raises `Unsealable`."""
        if not sealed:
            return b""
        version, _, rest = sealed.partition(b".")
        name, _, body = rest.partition(b".")
        key = self._keys.get(name)
        if version != VERSION or key is None:
            message = f"{table}.{column} of {row_id} is sealed by a key that is not here: {name[:64]!r}"
            raise UnknownKey(message, project_id=self.project_id)
        try:
            return key.decrypt(body[:NONCE_BYTES], body[NONCE_BYTES:], self._bound(table, column, row_id))
        except (InvalidTag, ValueError) as error:
            raise Unsealable(f"{table}.{column} of {row_id} was changed or belongs to another row") from error

    def reseal(self, sealed: bytes, *, table: str, column: str, row_id: str) -> bytes:
        """Seal anew with the first key whatever any key opens. Raises `Unsealable`."""
        plain = self.open(sealed, table=table, column=column, row_id=row_id)
        return self.seal(plain, table=table, column=column, row_id=row_id)

    def _bound(self, table: str, column: str, row_id: str) -> bytes:
        return f"v1\0{table}\0{column}\0{self.project_id}\0{row_id}".encode()


def key_of(sealed: bytes) -> str:
    """Tell the id of the key that sealed a value, from its first bytes; empty where nothing is sealed."""
    return sealed[:HEAD_BYTES].split(b".", 2)[1].decode("ascii", "replace") if sealed.count(b".") else ""


class MasterKeys:
    """The keys from outside of the database."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._all = Box(keys)
        self._each = {name: Box({name: key}) for name, key in keys.items()}

    @property
    def names(self) -> tuple[str, ...]:
        """The key ids, the wrapping one first."""
        return self._all.names

    def wrap(self, data_key: bytes, *, data_key_id: str, name: str | None = None) -> bytes:
        """Wrap a data key with the master key of that name, or with the first."""
        box = self._all if name is None else self._each[name]
        return box.seal(data_key, table="data_keys", column="wrapped", row_id=data_key_id)

    def unwrap(self, wrapped: bytes, *, data_key_id: str) -> bytes:
        """Open a data key. Raises `Unsealable`."""
        try:
            return self._all.open(wrapped, table="data_keys", column="wrapped", row_id=data_key_id)
        except UnknownKey as error:  # no newer list of master keys is to be had while we run
            raise Unsealable(f"{error}. Is it missing in ISTHMUS_MASTER_KEYS?") from error

    def check_value(self, name: str) -> bytes:
        """Seal a constant with one key, so that a later start can tell whether it has the same key."""
        return self._each[name].seal(CHECK, table="master_key_checks", column="check_value", row_id=name)

    def proves(self, name: str, check_value: bytes) -> bool:
        """Tell whether our key of this name made the check value."""
        try:
            plain = self._each[name].open(check_value, table="master_key_checks", column="check_value", row_id=name)
        except Unsealable:
            return False
        return plain == CHECK


def parse_master_keys(texts: Iterable[str]) -> MasterKeys:
    """Read ``id:base64`` texts. Raises `SettingsError` naming the one that is wrong, never its key."""
    keys: dict[str, bytes] = {}
    for number, text in enumerate(texts, start=1):
        name, colon, encoded = text.strip().partition(":")
        if not colon or not KEY_ID.fullmatch(name):
            raise SettingsError(f"ISTHMUS_MASTER_KEYS: entry {number} must be id:base64, such as {_example()}")
        if name in keys:
            raise SettingsError(f"ISTHMUS_MASTER_KEYS: the id {name!r} is given twice")
        keys[name] = _key(name, encoded)
    if not keys:
        raise SettingsError(f"ISTHMUS_MASTER_KEYS holds no key. {how_to_make_one()}")
    return MasterKeys(keys)


def _key(name: str, encoded: str) -> bytes:
    try:
        key = base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise SettingsError(f"ISTHMUS_MASTER_KEYS: the key {name!r} is not base64") from error
    if len(key) != KEY_BYTES:
        raise SettingsError(f"ISTHMUS_MASTER_KEYS: the key {name!r} has {len(key)} bytes instead of {KEY_BYTES}")
    return key


def _example() -> str:
    return "k1:" + "A" * 43 + "="


def how_to_make_one() -> str:
    """Tell the operator how to make a master key with what every machine has."""
    return (
        'Make one with: isthmus keys new, or: echo "k1:$(head -c 32 /dev/urandom | base64)". '
        "Keep it outside of the database, and keep a copy: without it nothing sealed can be read again."
    )


def configured_keys(settings: Settings) -> MasterKeys | None:
    """Read the keys that the operator gave, if any. Raises `SettingsError`."""
    if settings.master_keys:
        return parse_master_keys(settings.master_keys)
    if not settings.master_key_file:
        return None
    try:
        text = Path(settings.master_key_file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"ISTHMUS_MASTER_KEY_FILE cannot be read: {error}. {how_to_make_one()}") from error
    return parse_master_keys(_lines(text))


def key_file(database: Path) -> Path:
    """Tell where the keys of a SQLite file lie, unless the operator gave others."""
    return Path(f"{database}.master-key")


def keys_beside(database: Path) -> tuple[MasterKeys, Path | None]:
    """Read the keys beside a SQLite file, or make one there; answer the path if it was made now."""
    path = key_file(database)
    try:
        return parse_master_keys(_lines(path.read_text(encoding="utf-8"))), None
    except FileNotFoundError:
        pass
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"the master key {path} cannot be read: {error}") from error
    made = _write_privately(path, new_master_key() + "\n")
    return parse_master_keys(_lines(path.read_text(encoding="utf-8"))), path if made else None


def _lines(text: str) -> list[str]:
    return [line for line in map(str.strip, text.splitlines()) if line and not line.startswith("#")]


def _write_privately(path: Path, text: str) -> bool:
    """Write a whole file or none, for the owner alone, on the disk before anything depends on it.

    Answers False when another process was faster: then its file stands.
    """
    draft = Path(f"{path}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return True
