"""The sandbox's questions to people: whether an application may have access, and whether a key shall be handed out."""

from collections.abc import Iterable
from html import escape
from urllib.parse import urlsplit

from connectors.sandbox.oauth import Consent

_STYLE = """
:root { color-scheme: light dark; --page: #eef4f3; --card: #fff; --edge: #cfdbd9; --text: #172523; --soft: #46595a;
  --fill: #0b6b64; --press: #07524c; --label: #fff; }
@media (prefers-color-scheme: dark) { :root { --page: #0f1615; --card: #18211f; --edge: #354341; --text: #e6eeec;
  --soft: #a9bab7; --fill: #6fd0c4; --press: #9be3d9; --label: #0a1917; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 1rem; min-block-size: 100vh; min-block-size: 100svh; display: grid;
  grid-template-rows: 1fr auto 2fr; justify-items: center; font: 1rem/1.5 system-ui, sans-serif;
  background: var(--page); color: var(--text); overflow-wrap: anywhere; }
main { grid-row: 2; inline-size: 100%; max-inline-size: 28rem; padding: 1.75rem; background: var(--card);
  border: 1px solid var(--edge); border-radius: .75rem; }
h1 { margin: .75rem 0 0; font-size: 1.25rem; line-height: 1.3; }
p, ul { margin: .75rem 0 0; } ul { padding-inline-start: 1.25rem; }
.house { margin: 0; font-weight: 600; color: var(--fill); } .soft { font-size: .875rem; color: var(--soft); }
label { display: block; margin-block-start: 1rem; font-weight: 600; }
select, button { inline-size: 100%; padding: .6rem 1rem; font: inherit; border-radius: .5rem; }
select { margin-block-start: .25rem; color: var(--text); background: var(--card); border: 1px solid var(--soft); }
.choice { display: grid; grid-template-columns: 1fr 1fr; gap: .75rem; margin-block-start: 1.25rem; }
button { font-weight: 600; color: var(--label); background: var(--fill); border: 1px solid var(--fill);
  cursor: pointer; }
button:hover { background: var(--press); }
button.second { color: var(--fill); background: none; } button.second:hover { color: var(--press); }
:focus-visible { outline: .2rem solid var(--fill); outline-offset: .15rem; }
@media (max-width: 26rem), (max-height: 30rem) { body { padding: .75rem; grid-template-rows: 0 auto 1fr; }
  main { padding: 1.125rem; } h1 { font-size: 1.125rem; } }
"""
_MEANINGS = {"records.read": "see your records", "records.write": "add, change and delete records"}
"""What a scope is to the person who gives it."""


def consent_page(consent: Consent, *, ticket: str, workspaces: Iterable[str]) -> str:
    """Build the page that asks whether an application may have access."""
    name = f"<bdi>{escape(consent.client.name)}</bdi>"
    asked = "".join(f"<li>{_MEANINGS.get(scope, escape(scope))}</li>" for scope in consent.scope.split())
    hidden = f'<input type="hidden" name="ticket" value="{escape(ticket)}">'
    body = (
        f"<h1>Allow {name}?</h1><p>It asks for access to one of your workspaces, to:</p><ul>{asked}</ul>"
        f"{_form('/oauth/authorize', hidden, workspaces)}"
        f'<p class="soft">Then you go back to <bdi>{escape(_place(consent.redirect_uri))}</bdi>.</p>'
    )
    return _page("Allow access", body)


def connect_page(callback: str, session: str, *, workspaces: Iterable[str]) -> str:
    """Build the page that asks whether a key shall be handed out."""
    hidden = (
        f'<input type="hidden" name="callback" value="{escape(callback)}">'
        f'<input type="hidden" name="session" value="{escape(session)}">'
    )
    place = f"<bdi>{escape(_place(callback))}</bdi>"
    body = (
        f"<h1>Hand out a key?</h1><p>A new key of one of your workspaces goes to {place}. Whoever has it may:</p>"
        f"<ul>{''.join(f'<li>{meaning}</li>' for meaning in _MEANINGS.values())}</ul>"
        f"{_form('/connect', hidden, workspaces)}"
    )
    return _page("Connect", body)


def refusal_page(message: str) -> str:
    """Build the page for a request that cannot go on."""
    return _page("This did not work", f'<h1>This did not work</h1><p role="alert">{escape(message)}</p>')


def _form(action: str, hidden: str, workspaces: Iterable[str]) -> str:
    options = "".join(f'<option value="{escape(name)}">{escape(name)}</option>' for name in workspaces)
    return (
        f'<form method="post" action="{action}">{hidden}<label for="workspace">Workspace</label>'
        f'<select id="workspace" name="workspace">{options}</select>'
        '<div class="choice"><button name="decision" value="allow">Allow</button>'
        '<button class="second" name="decision" value="deny">Deny</button></div></form>'
    )


def _place(uri: str) -> str:
    """Answer the part of an address that tells people whose it is."""
    return urlsplit(uri).netloc or uri


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)} - Sandbox CRM</title><style>{_STYLE}</style></head>"
        f'<body><main><p class="house">Sandbox CRM</p>{body}</main></body></html>'
    )
