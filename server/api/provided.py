"""What handlers are given besides their parameters: the services, and the project the caller may enter."""

from typing import Any

from litestar import Request
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation

from server.access.keyring import Access
from server.door.address import unescape
from server.services import Services

FromApp = NamedDependency[SkipValidation[Services]]
FromAccess = NamedDependency[SkipValidation[Access]]
Entered = NamedDependency[SkipValidation[str]]
"""The id of the project named in the path, once the caller was found to belong to it."""


def access(request: Request[Any, Any, Any]) -> Access:
    """Answer what the caller may enter, as the guard found it."""
    found: Access = request.scope["state"]["access"]
    return found


def project_id(access: FromAccess, project_id_or_name: FromPath[str]) -> str:
    """Answer the id of the project in the path. Raises `Missing` for any project but the caller's own."""
    return access.enter(unescape(project_id_or_name))


def takes(kind: Any) -> dict[str, Any]:
    """Say, for the OpenAPI document, what a handler decodes from its body."""
    return {"body": kind}
