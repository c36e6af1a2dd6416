"""The guarded contacts, and what a test may ask or change of the toolkit's own tables."""

import json
import secrets
import threading
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from oauth2_provider.models import AccessToken, Application, RefreshToken

from tests.oauth_servers.toolkit.facts import set_token_life, token_requests

_contacts: dict[str, dict[str, Any]] = {}
_lock = threading.Lock()


def contacts(request: HttpRequest, contact_id: str = "") -> JsonResponse:
    """List, show, create or change contacts; who has a token has them all."""
    if request.method == "GET" and contact_id:
        found = _contacts.get(contact_id)
        return JsonResponse(found or {}, status=200 if found else 404)
    if request.method == "GET":
        return JsonResponse({"contacts": list(_contacts.values())})
    with _lock:
        kept_as = contact_id or str(len(_contacts) + 1)
        _contacts[kept_as] = {**_contacts.get(kept_as, {}), **json.loads(request.body), "id": kept_as}
    return JsonResponse(_contacts[kept_as], status=200 if contact_id else 201)


def register(request: HttpRequest) -> JsonResponse:
    """Make an application."""
    asked = json.loads(request.body)
    secret = "" if asked["public"] else secrets.token_urlsafe()
    made = Application.objects.create(
        name=asked["name"],
        client_secret=secret,
        redirect_uris=" ".join(asked["redirectUris"]),
        client_type="public" if asked["public"] else "confidential",
        authorization_grant_type=asked["grant"],
        user=User.objects.get(username="alice"),
    )
    set_token_life(made.client_id, asked["tokenLife"])
    return JsonResponse({"clientId": made.client_id, "clientSecret": secret}, status=201)


def list_token_requests(request: HttpRequest) -> JsonResponse:
    """Tell what was asked of the token endpoint in an application's name."""
    return JsonResponse({"requests": token_requests(request.GET["client_id"])})


def count_tokens(request: HttpRequest) -> JsonResponse:
    """Count an application's living tokens."""
    of = {"application__client_id": request.GET["client_id"]}
    access = AccessToken.objects.filter(**of, expires__gt=timezone.now()).count()
    return JsonResponse({"access": access, "refresh": RefreshToken.objects.filter(**of, revoked__isnull=True).count()})


def expire(request: HttpRequest) -> JsonResponse:
    """Let every living access token of an application end now."""
    living = AccessToken.objects.filter(application__client_id=request.GET["client_id"], expires__gt=timezone.now())
    return JsonResponse({"expired": living.update(expires=timezone.now())})
