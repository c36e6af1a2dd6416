"""The official client's models as a schema: what they do not keep through a round trip, HubSpot does not know.

HubSpot's own definitions are not free to copy; the client (Apache-2.0) is generated from them.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from hubspot.crm.contacts import ApiClient, Configuration

_CONFIGURATION = Configuration()
_CONFIGURATION.client_side_validation = True
_CLIENT = ApiClient(_CONFIGURATION)

REQUESTS: tuple[tuple[str, str, str], ...] = (
    ("POST", r"/crm/v3/objects/[^/]+", "SimplePublicObjectInputForCreate"),
    ("PATCH", r"/crm/v3/objects/[^/]+/[^/]+", "SimplePublicObjectInput"),
    ("POST", r"/crm/v3/objects/[^/]+/batch/create", "BatchInputSimplePublicObjectBatchInputForCreate"),
    ("POST", r"/crm/v3/objects/[^/]+/batch/update", "BatchInputSimplePublicObjectBatchInput"),
    ("POST", r"/crm/v3/objects/[^/]+/batch/upsert", "BatchInputSimplePublicObjectBatchInputUpsert"),
    ("POST", r"/crm/v3/objects/[^/]+/batch/archive", "BatchInputSimplePublicObjectId"),
    ("POST", r"/crm/v3/objects/[^/]+/batch/read", "BatchReadInputSimplePublicObjectId"),
    ("POST", r"/crm/v3/objects/[^/]+/search", "PublicObjectSearchRequest"),
)


class _Reply:
    def __init__(self, body: Any) -> None:
        self.data = json.dumps(body)


def problems(body: Any, model: str) -> list[str]:
    """What of a body the model refuses, drops or turns into another type."""
    back = _CLIENT.sanitize_for_serialization(_CLIENT.deserialize(_Reply(body), model))
    return list(_differences(body, back, path=""))


def request_problems(method: str, path: str, body: Any) -> list[str]:
    """The same for the body of a request; a request without a body has none."""
    if body is None:
        return []
    for known, pattern, model in REQUESTS:
        if method == known and re.fullmatch(pattern, path.partition("?")[0]):
            return problems(body, model)
    return [f"{method} {path} is no request the client knows"]


def _differences(sent: Any, kept: Any, *, path: str) -> Iterator[str]:
    if isinstance(sent, dict):
        for key in sent:
            if key not in kept:
                yield f"{path}/{key} unknown"
            else:
                yield from _differences(sent[key], kept[key], path=f"{path}/{key}")
    elif isinstance(sent, list):
        for index, item in enumerate(sent):
            yield from _differences(item, kept[index], path=f"{path}/{index}")
    elif type(sent) is not type(kept):
        yield f"{path} type"
