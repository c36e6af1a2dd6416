"""Where things lie in the REST API, and which names and ids may stand in a URL or a query at all.

Whatever comes from outside is checked or percent-encoded here, so that no object name, field name, id or value can
change which resource a request means. Nothing has been sent when a check fails.
"""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from connectors.connector import Account
from connectors.errors import Refused
from installations.record import Fault

API_VERSION = "v60.0"
"""Spring '24. https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/intro_rest.htm"""

# API names: letters, digits and underscores, beginning with a letter.
# https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/customobject.htm
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,254}")
# A field, or a path over relationships such as Owner.Name.
# https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_relationships_understanding.htm
_FIELD_PATH = re.compile(rf"{_NAME.pattern}(\.{_NAME.pattern}){{0,5}}")
# 15 or 18 characters in practice; only what cannot be an id is refused here, the rest is Salesforce's to judge.
# https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/field_types.htm#i1435616
_ID = re.compile(r"[A-Za-z0-9]{1,32}")
# Values that survive as one path segment. A dot is read as a file extension ("x@y.inc" gives a false 404), "." and ".."
# vanish, and "/" is decoded by proxies on the way.
# https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/dome_upsert.htm
_PLAIN_SEGMENT = re.compile(r"[^./\\;%\x00-\x1f]{1,255}")


def root(account: Account) -> str:
    """Tell the URL of the API's version, without a trailing slash."""
    return f"{account.base_url}/services/data/{API_VERSION}"


def object_name(name: str) -> str:
    """Answer the object's name if it can be one.

    Raises:
        Refused: with kind ``unknown_object``.
    """
    if _NAME.fullmatch(name):
        return name
    raise Refused(Fault(kind="unknown_object", message=f"{name!r} is not the name of a Salesforce object"))


def field_name(name: str) -> str:
    """Answer the field's name, or path over relationships, if it can be one.

    Raises:
        Refused: with kind ``unknown_field``.
    """
    if _FIELD_PATH.fullmatch(name):
        return name
    fault = Fault(kind="unknown_field", message=f"{name!r} is not the name of a Salesforce field", fields=(name,))
    raise Refused(fault)


def field_list(names: Sequence[str]) -> list[str]:
    """Answer the names to read, each once without regard to case, ``Id`` first.

    Raises:
        Refused: with kind ``unknown_field`` if one cannot be a field.
    """
    chosen: dict[str, str] = {"id": "Id"}
    for name in names:
        chosen.setdefault(name.lower(), field_name(name))
    return list(chosen.values())


def record_id(value: str | None) -> str:
    """Answer the record's id if it can be one.

    Raises:
        Refused: with kind ``invalid``.
    """
    if value is not None and _ID.fullmatch(value):
        return value
    raise Refused(Fault(kind="invalid", message=f"{value!r} is not a Salesforce record id"))


def can_stand_in_path(value: Any) -> bool:
    """Whether a match value reaches Salesforce unchanged as one segment of a path."""
    return _PLAIN_SEGMENT.fullmatch(text_of(value)) is not None


def text_of(value: Any) -> str:
    """Write a match value as text: JSON's words for booleans, Python's digits for numbers."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def sobject(account: Account, name: str, *segments: Any) -> str:
    """Build the URL of an object, of one record by id, or of one record by external id.

    https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_list.htm
    """
    tail = "".join(f"/{quote(text_of(segment), safe='')}" for segment in segments)
    return f"{root(account)}/sobjects/{object_name(name)}{tail}"


def collection(account: Account, *segments: str) -> str:
    """Build the URL of the collections resource, of one object or one external id field in it.

    https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections.htm
    """
    return "/".join((f"{root(account)}/composite/sobjects", *segments))
