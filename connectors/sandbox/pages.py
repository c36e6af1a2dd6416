"""The sandbox's documentation, as the page at ``/``."""

from collections.abc import Iterable
from html import escape

from connectors.sandbox.access import (
    DEMO_KEY,
    DEMO_READ_KEY,
    DEMO_WORKSPACE,
    KEY_HEADER,
    KEY_PARAMETER,
    OPEN_PREFIX,
    REGION_PARAMETER,
    SECRET_HEADER,
    SESSION_HEADER,
    WORKSPACE_HEADER,
)
from connectors.sandbox.fields import Field, SandboxObject
from connectors.sandbox.oauth import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET

_STYLE = """
:root { color-scheme: light dark; --page: #fff; --text: #172523; --code: #eef4f3; --edge: #cfdbd9; }
@media (prefers-color-scheme: dark) { :root { --page: #0f1615; --text: #e6eeec; --code: #1d2927; --edge: #354341; } }
body { font: 16px/1.5 system-ui, sans-serif; max-inline-size: 54rem; margin: 2rem auto; padding: 0 1rem;
  background: var(--page); color: var(--text); overflow-wrap: anywhere; }
h1, h2 { line-height: 1.2; } h2 { margin-block-start: 2.2rem; }
code, pre { font: 14px/1.45 ui-monospace, monospace; background: var(--code); border-radius: 4px; }
code { padding: .1em .3em; } pre { padding: .8rem; overflow-x: auto; } pre code { padding: 0; }
table { border-collapse: collapse; inline-size: 100%; }
th, td { text-align: start; padding: .3rem 0; padding-inline-end: .6rem; border-block-end: 1px solid var(--edge);
  vertical-align: top; }
"""

_ENDPOINTS = (
    ("GET /v1/me", "whose credential this is"),
    ("GET /v1/objects", "the objects"),
    ("GET /v1/objects/{object}/schema", "an object's fields"),
    ("POST /v1/objects/{object}/fields", "add a custom field: name, label, type, values"),
    ("GET /v1/objects/{object}/records", "list: limit, cursor, fields=a,b, filter[email]=…, filter[address.city]=…"),
    ("POST /v1/objects/{object}/records", "create: {fields, associations}"),
    ("GET /v1/objects/{object}/records/{id}", "one record; fields=a,b"),
    ("PATCH /v1/objects/{object}/records/{id}", "update; nested objects are merged, null clears"),
    ("DELETE /v1/objects/{object}/records/{id}", "delete"),
    ("POST /v1/objects/{object}/records:upsert", "{matchField, fields}: create or update by a unique field"),
    (
        "POST /v1/objects/{object}/records:batch",
        (
            "{action: create|update|upsert|delete|read, records: [{id, key, fields, associations}], allOrNone,"
            " matchField}: 200 with a result for each record, refused ones too, or 422 if allOrNone became none"
        ),
    ),
    ("GET, POST /v1/objects/{object}/records/{id}/associations", "links: {associations: [{to: {id}, type}]}"),
    ("DELETE /v1/objects/{object}/records/{id}/associations/{object}/{id}", "remove a link"),
)

_WAYS = (
    (f"{KEY_HEADER}: {{key}}", "a header"),
    (f"?{KEY_PARAMETER}={{key}}", "the query"),
    ("Authorization: Basic {key}:", "the key as a user name"),
    ("Authorization: Basic {workspace}:{key}", "user name and password"),
    (f"{WORKSPACE_HEADER}, {SECRET_HEADER}, ?{REGION_PARAMETER}=eu", "workspace, key and region, each in its place"),
    (f"{SESSION_HEADER}: {{token}}", f'a session: POST /session with {WORKSPACE_HEADER} and {{"secret": "{{key}}"}}'),
    ("GET /connect?callback={url}&session={id}", "a page that sends you back with workspace, secret and region"),
    ("Authorization: Bearer {token}", "OAuth 2, see above; also grant_type=password with workspace and key"),
    (f"{OPEN_PREFIX}/v1/…", "no credential at all, in a workspace of its own"),
)

_SWITCHES = (
    ("PUT /_sandbox/faults?workspace=demo", "what goes wrong next; see below"),
    ("GET /_sandbox/faults?workspace=demo", "what is still to go wrong"),
    ("PUT /_sandbox/pace?workspace=demo", '{"latencyMs": 10, "requests": 100, "perSeconds": 1}: how fast it is'),
    ("GET /_sandbox/counts?workspace=demo", "how many requests, statuses, faults and effects there were"),
    ("DELETE /_sandbox/keys?workspace=demo", "forget every idempotency key before its time"),
    ("GET /_sandbox/requests?workspace=demo&limit=100", "what the sandbox received, newest last"),
    (
        "GET /_sandbox/ledger?workspace=demo&limit=100",
        "what really happened, newest last, with idempotency keys and markers; after=0 pages from the first effect",
    ),
    ("POST /_sandbox/workspaces", '{"name": "acme"}: another workspace, with a key of its own'),
    ("POST /_sandbox/clients", '{"clientId", "clientSecret", "name", "redirectUris"}: register an OAuth client'),
    ("PUT /_sandbox/tokens", '{"lifeSeconds": 60}: how long new tokens live; DELETE ends the time of all'),
    ("DELETE /_sandbox", "start afresh"),
)

_FAULTS = (
    ("rate_limit", "429 with Retry-After: retryAfterSeconds, retryAfterForm seconds|date|none"),
    (
        "status",
        "any error: status 400 to 599; when before|after the request is carried out; stored: its key says it again",
    ),
    ("overload", "503 not_processed with Retry-After: the only 5xx here that says nothing was done"),
    ("drop", "the connection is closed without an answer; when before|after the request is carried out"),
    ("reset", "the same by a TCP reset"),
    ("delay", "the answer waits delayMs; when before|after the request is carried out"),
    ("broken_json", "the request is carried out, its answer is cut in half"),
)


_REPEATS = (
    ("contacts", "email is unique: a second one is refused with 409, which names the first"),
    ("companies", "an idempotency key: the header Idempotency-Key, or key beside the fields in a batch"),
    ("deals", "externalId is unique, and yours to make up"),
    ("tickets", "externalId may be shared, but filter[externalId] finds a ticket from the moment it is there"),
    ("x_subscriptions", "nothing: sent twice, it is there twice"),
)


def documentation_page(objects: Iterable[SandboxObject], *, origin: str, idempotency: str) -> str:
    """Build the page at ``/``. ``origin`` is how the reader reached us."""
    create = (
        f"curl -s {origin}/v1/objects/contacts/records -H '{KEY_HEADER}: {DEMO_KEY}' \\\n"
        """  -H 'Content-Type: application/json' -d '{"fields": {"email": "ann@example.com", "firstName": "Ann"}}'"""
    )
    fault = (
        f"curl -s -X PUT '{origin}/_sandbox/faults?workspace=demo' -H 'Content-Type: application/json' \\\n"
        """  -d '{"faults": [{"kind": "rate_limit", "times": 2, "retryAfterSeconds": 3}]}'"""
    )
    keys = "are remembered for a day" if idempotency == "header" else "are ignored here"
    parts = [
        "<h1>Sandbox CRM</h1><p>A small CRM with a real HTTP API, for trying out integrations. It keeps everything in",
        " memory and can be told to misbehave.</p>",
        f"<h2>A key</h2><p>Send <code>{KEY_HEADER}: {escape(DEMO_KEY)}</code>;",
        f" <code>{escape(DEMO_READ_KEY)}</code> may only read. Or use OAuth 2 with the client",
        f" <code>{escape(DEMO_CLIENT_ID)}</code> and its secret <code>{escape(DEMO_CLIENT_SECRET)}</code>:",
        " <code>/oauth/authorize</code> (PKCE with S256), <code>/oauth/token</code> (authorization_code,",
        " refresh_token, client_credentials, password) and <code>/oauth/revoke</code>.</p>",
        f"<p>The workspace is <code>{escape(DEMO_WORKSPACE)}</code>. All ways to show a key:</p>{_table(_WAYS)}",
        f"<h2>A first record</h2><pre><code>{escape(create)}</code></pre>",
        f"<h2>Endpoints</h2>{_table(_ENDPOINTS)}",
        "<p>Refusals answer <code>{code, message, errors: [{field, code, message}]}</code> and name everything that is",
        " wrong: 422 for values, 409 for duplicates, 404, 403, 401. After a 5xx nobody knows, save for 503",
        " <code>not_processed</code>.</p>",
        f"<h2>A create that came before</h2><p>Objects tell it in different ways:</p>{_table(_REPEATS)}",
        f"<p>Idempotency keys {keys}: the same record with the same key is answered as it was, alone or in a",
        " batch, with <code>Idempotent-Replayed: true</code>; another record with it is refused with 422",
        " <code>idempotency_conflict</code>. A refused record does not use its key up.</p>",
        f"<h2>Switches</h2>{_table(_SWITCHES)}<h2>Faults</h2>{_table(_FAULTS)}",
        "<p>Each fault also takes <code>times</code> (1; <code>null</code> is always), <code>skip</code>,",
        " <code>probability</code>, <code>method</code>, <code>path</code> (a prefix) and <code>object</code>, to",
        " choose the requests it hits. <code>seed</code> beside <code>faults</code> makes the draws repeatable.</p>",
        f"<pre><code>{escape(fault)}</code></pre><h2>Objects</h2>",
        *(_object_section(each) for each in objects),
    ]
    return _page("Sandbox CRM", "".join(parts))


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>{body}</body></html>"
    )


def _table(rows: Iterable[tuple[str, ...]]) -> str:
    lines = (f"<tr><td><code>{escape(first)}</code></td><td>{escape(second)}</td></tr>" for first, second in rows)
    return f"<table>{''.join(lines)}</table>"


def _object_section(definition: SandboxObject) -> str:
    rows = ((field.name, f"{field.type}{_facts(field)}") for field in definition.fields.values())
    return f"<h3><code>{escape(definition.name)}</code></h3>{_table(rows)}"


def _facts(field: Field) -> str:
    facts = [word for word, holds in _flags(field) if holds]
    if field.references:
        facts.append(f"to {field.references}")
    if field.values:
        facts.append(" | ".join(option.value for option in field.values))
    if field.fields:
        facts.append(", ".join(inner.name for inner in field.fields))
    return "".join(f", {fact}" for fact in facts)


def _flags(field: Field) -> tuple[tuple[str, bool], ...]:
    return (
        ("required", field.required),
        ("read-only", field.read_only),
        ("unique", field.unique),
        ("custom", field.custom),
    )
