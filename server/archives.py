"""Finds the manifest in an uploaded archive, and believes nothing that the archive says about itself."""

import io
import stat
import zipfile
import zlib

from installations.amp_yaml import MAX_BYTES
from installations.errors import InvalidInput, invalid

MANIFEST_NAME = "amp.yaml"
MAX_ENTRIES = 16
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED = 0x1


def manifest_in(archive: bytes) -> bytes:
    """Answer the bytes of ``amp.yaml`` in a zip. Raises `InvalidInput`; at most `MAX_BYTES` are ever unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            return _read(opened, _entry(opened))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError) as error:
        raise _bad("the upload is no zip archive that can be read") from error


def _entry(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    entries = archive.infolist()
    if len(entries) > MAX_ENTRIES:
        raise _bad(f"the archive holds {len(entries)} entries; at most {MAX_ENTRIES} are allowed")
    found = [entry for entry in entries if entry.filename == MANIFEST_NAME]
    if len(found) != 1:
        raise _bad(f"the archive must hold exactly one {MANIFEST_NAME} at its top, not {len(found)}")
    if found[0].compress_type not in _METHODS or found[0].flag_bits & _ENCRYPTED:
        raise _bad(f"{MANIFEST_NAME} must be deflated or stored, and not encrypted")
    # Many tools leave the kind of file out.
    if stat.S_IFMT(found[0].external_attr >> 16) not in {0, stat.S_IFREG}:
        raise _bad(f"{MANIFEST_NAME} must be a plain file")
    return found[0]


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    with archive.open(entry) as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise _bad(f"{MANIFEST_NAME} is larger than {MAX_BYTES:,} bytes")
    return content


def _bad(message: str) -> InvalidInput:
    return invalid("sourceZipUrl", message, code="bad-archive")
