"""The pages that a customer sees on the way, as HTML: what stands in them came from outside and is text, never markup.

No page may be framed, leaves a copy, or loads anything. Scripts run by their hash alone, and read what they have to
say from a block of JSON. None sends ``Cross-Origin-Opener-Policy``: it would cut the window off from the page that
opened it and waits for its message. https://www.w3.org/TR/CSP3/#grammardef-hash-source
"""

import base64
import hashlib
from collections.abc import Mapping
from html import escape

import msgspec

from server.connecting.messages import Notice
from server.connecting.starting import Question

ECHOED = "isthmus-echoed"
"""The field that tells a form of our own page."""
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:32rem;margin:15vh auto;padding:0 1.5rem;color:#1c2430;"
    "overflow-wrap:anywhere}h1{font-size:1.3rem}button{font:inherit;padding:.6rem 1.2rem;border:0;border-radius:.4rem;"
    "background:#1f5fd0;color:#fff;cursor:pointer}"
)
_TELL = (
    "(()=>{const n=JSON.parse(document.getElementById('notice').textContent);"
    "if(window.opener&&n.targets.length){"
    "for(const t of n.targets)window.opener.postMessage(n.message,t);window.close()}"
    "else if(n.nextUrl)location.replace(n.nextUrl)})()"
)
"""Says the one message to whoever opened this window, and closes it; a window that nobody opened goes on."""
_SUBMIT = "document.forms[0].submit()"
_UNSAFE = {ord(mark): f"\\u{ord(mark):04x}" for mark in "<>&\u2028\u2029"}


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A document and the headers it needs."""

    html: str
    headers: dict[str, str]


def ending_page(title: str, text: str, notice: Notice) -> Page:
    """Tell the page that asked, and the person, how it ended."""
    link = f'<p><a href="{escape(notice.next_url)}">Go on</a></p>' if notice.next_url else ""
    data = f'<script type="application/json" id="notice">{_json(notice)}</script><script>{_TELL}</script>'
    return _page(title, f"<p>{escape(text)}</p>{link}{data}", script=_TELL)


def question_page(question: Question) -> Page:
    """Ask whether this person started it."""
    app, provider, group = escape(question.app_name), escape(question.provider), escape(question.group)
    body = (
        f"<p><b>{app}</b> asks for access to your <b>{provider}</b> account. "
        f"What is in it will be used for <b>{group}</b>.</p>"
        f"<p>Continue only if you started this yourself in {app}, for {group}. "
        "If somebody sent you this link, close this page.</p>"
        f'<form method="post"><input type="hidden" name="confirmation" value="{escape(question.confirmation)}">'
        f"<button>Continue to {provider}</button></form>"
    )
    # Browsers hold a form's target against ``form-action`` after each redirect, and where a provider redirects to is
    # not ours to list.
    return _page(f"Connect {question.provider} to {question.app_name}", body, form_action=None)


def dead_page(text: str) -> Page:
    """Say why it does not go on. Nobody is told but the person."""
    return _page("This did not work", f"<p>{escape(text)}</p>")


def echo_page(parameters: Mapping[str, str]) -> Page:
    """Send a form that came from elsewhere once more, from our own page: then the browser's cookie comes along."""
    fields = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in {**parameters, ECHOED: "1"}.items()
    )
    body = f'<form method="post">{fields}<button>Go on</button></form><script>{_SUBMIT}</script>'
    return _page("One moment", body, script=_SUBMIT, form_action="'self'")


def _page(title: str, body: str, *, script: str = "", form_action: str | None = "'none'") -> Page:
    html = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body><h1>{escape(title)}</h1>{body}</body></html>"
    )
    return Page(html=html, headers={**_HEADERS, "content-security-policy": _policy(script, form_action)})


def _policy(script: str, form_action: str | None) -> str:
    parts = ["default-src 'none'", f"style-src {_hash(_STYLE)}", "base-uri 'none'", "frame-ancestors 'none'"]
    parts += [f"script-src {_hash(script)}"] if script else []
    return "; ".join([*parts, *([f"form-action {form_action}"] if form_action else [])])


def _hash(source: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}'"


def _json(notice: Notice) -> str:
    """Encode for a script block, which ends at the first ``</script`` whatever stands around it."""
    return msgspec.json.encode(notice).decode().translate(_UNSAFE)


_HEADERS = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
