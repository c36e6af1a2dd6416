"""The pages that a customer sees on the way, as HTML: what stands in them came from outside and is text, never markup.

No page may be framed, leaves a copy, or loads anything. Scripts run by their hash alone, and read what they have to
say from a block of JSON. None sends ``Cross-Origin-Opener-Policy``: it would cut the window off from the page that
opened it and waits for its message. https://www.w3.org/TR/CSP3/#grammardef-hash-source
"""

import base64
import hashlib
from collections.abc import Mapping
from html import escape
from typing import Literal

import msgspec

from server.connecting.messages import Notice, brought_notice, notice_of
from server.connecting.returning import Ended, Failure, Waiting
from server.connecting.starting import Question
from server.connecting.stepwise import Brought

ECHOED = "isthmus-echoed"
"""The field that tells a form of our own page."""
_STYLE = """
:root{color-scheme:light dark;--page:#f3f5f8;--card:#fff;--edge:#d6dbe3;--text:#1b2330;--soft:#4a5566;--fill:#1d5bc9;
--press:#17499f;--label:#fff;--good:#17713f;--bad:#b3261e}
@media(prefers-color-scheme:dark){:root{--page:#12151a;--card:#1c2027;--edge:#3a424f;--text:#e9ecf1;--soft:#b0b9c6;
--fill:#8db6fb;--press:#b4cefd;--label:#0e1520;--good:#6fd195;--bad:#ff9d94}}
*{box-sizing:border-box}
body{margin:0;padding:1rem;min-block-size:100vh;min-block-size:100svh;display:grid;grid-template-rows:1fr auto 2fr;
justify-items:center;font:1rem/1.5 system-ui,sans-serif;background:var(--page);color:var(--text);overflow-wrap:anywhere}
main{grid-row:2;inline-size:100%;max-inline-size:28rem;padding:1.75rem;background:var(--card);
border:1px solid var(--edge);border-radius:.75rem}
h1{margin:0;font-size:1.25rem;line-height:1.3}
p{margin:.75rem 0 0}
svg{display:block;margin-block-end:.75rem;inline-size:2.25rem;block-size:2.25rem}
.done{color:var(--good)}.failed{color:var(--bad)}.open,.over,.soft{color:var(--soft)}
.soft{padding-inline-start:.75rem;border-inline-start:.2rem solid var(--edge)}
button,.button{display:block;inline-size:100%;margin-block-start:1.25rem;padding:.6rem 1rem;font:inherit;
font-weight:600;text-align:center;text-decoration:none;color:var(--label);background:var(--fill);
border:1px solid transparent;border-radius:.5rem;cursor:pointer}
button:hover,.button:hover{background:var(--press)}
:focus-visible{outline:.2rem solid var(--fill);outline-offset:.15rem}
@media(max-width:26rem),(max-height:30rem){body{padding:.75rem;grid-template-rows:0 auto 1fr;line-height:1.4}
main{padding:1.125rem}h1{font-size:1.125rem}p{font-size:.9375rem}}
"""
"""Colours keep WCAG 2.2's 4.5:1 for text in both schemes, sides are logical ones, and nothing moves."""
_TELL = (
    "(()=>{const n=JSON.parse(document.getElementById('notice').textContent);"
    "if(window.opener&&n.targets.length){"
    "for(const t of n.targets)window.opener.postMessage(n.message,t);window.close()}"
    "else if(n.nextUrl)location.replace(n.nextUrl)})()"
)
"""Says the one message to whoever opened this window, and closes it; a window that nobody opened goes on."""
_SUBMIT = "document.forms[0].submit()"
_UNSAFE = {ord(mark): f"\\u{ord(mark):04x}" for mark in "<>&\u2028\u2029"}
_CLOSE = "You can close this window."

Mark = Literal["done", "open", "over", "failed"]
_MARKS: dict[Mark, str] = {
    "done": "M7 12.5l3.5 3.5L17 9",
    "open": "M12 7v5l3.5 2",
    "over": "M12 11v6M12 7.4v.1",
    "failed": "M12 7v6M12 16.5v.1",
}
"""A tick, a clock, an i and an exclamation mark, as paths in a circle."""


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A document and the headers it needs."""

    html: str
    headers: dict[str, str]


def question_page(question: Question) -> Page:
    """Ask whether this person started it. Nothing has the focus, so that a key that is held down answers nothing."""
    app, provider, group = _name(question.app_name), _name(question.provider), _name(question.group)
    body = (
        f"<h1>Connect {provider} to {app}</h1>"
        f"<p><b>{app}</b> asks for access to your <b>{provider}</b> account. "
        f"What is in it will be used for <b>{group}</b>.</p>"
        '<p class="soft" id="care">Continue only if you started this yourself. '
        "If somebody sent you this link, close this page.</p>"
        f'<form method="post"><input type="hidden" name="confirmation" value="{escape(question.confirmation)}">'
        f'<button aria-describedby="care">Continue to {provider}</button></form>'
    )
    # Browsers hold a form's target against ``form-action`` after each redirect, and where a provider redirects to is
    # not ours to list.
    return _page(f"Connect {question.provider} to {question.app_name}", body, form_action=None)


def ending_page(ended: Ended) -> Page:
    """Tell the page that asked, and the person, how it ended."""
    app, notice = _name(ended.app_name), notice_of(ended)
    match ended.result:
        case Failure(reason=reason):
            said = f'<p dir="auto">{escape(reason)}</p><p>{_CLOSE}</p>'
            return _telling("Not connected", said, notice, mark="failed")
        case Waiting():
            said = f"<p>{app} finishes the connection. You can close this window once it says so.</p>"
            return _telling("Almost done", said, notice, mark="open")
        case _:
            said = f"<p>{_name(ended.provider)} is connected to {app}. {_CLOSE}</p>"
            return _telling("Connected", said, notice, mark="done")


def bringing_page(brought: Brought) -> Page:
    """Hand what a stepwise customer came back with to the page that asked."""
    said = f"<p>{_name(brought.app_name)} goes on from here. {_CLOSE}</p>"
    return _telling("Almost done", said, brought_notice(brought.pages, brought.parameters), mark="open")


def dead_page(text: str) -> Page:
    """Say why it does not go on. Nobody is told but the person."""
    return _page("This did not work", _told("This did not work", f"<p>{escape(text)}</p>", mark="failed"))


def finished_page(text: str) -> Page:
    """Say that there is nothing left to do, well or badly. Nobody is told but the person."""
    return _page("Finished already", _told("Finished already", f"<p>{escape(text)}</p>", mark="over"))


def echo_page(parameters: Mapping[str, str]) -> Page:
    """Send a form that came from elsewhere once more, from our own page: then the browser's cookie comes along."""
    fields = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in {**parameters, ECHOED: "1"}.items()
    )
    form = f'<form method="post">{fields}<button>Go on</button></form>'
    return _page("One moment", f"<h1>One moment</h1>{form}", script=_SUBMIT, form_action="'self'")


def _telling(title: str, said: str, notice: Notice, *, mark: Mark) -> Page:
    link = f'<a class="button" href="{escape(notice.next_url)}">Go on</a>' if notice.next_url else ""
    data = f'<script type="application/json" id="notice">{_json(notice)}</script>'
    return _page(title, f"{_told(title, said, mark=mark)}{link}", data=data, script=_TELL)


def _told(title: str, said: str, *, mark: Mark) -> str:
    """Lay out how something ended; screen readers say it at once."""
    role = "alert" if mark == "failed" else "status"
    drawing = (
        f'<svg class="{mark}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" '
        f'stroke-linecap="round" aria-hidden="true"><circle cx="12" cy="12" r="10"/><path d="{_MARKS[mark]}"/></svg>'
    )
    return f'{drawing}<h1>{escape(title)}</h1><div role="{role}">{said}</div>'


def _name(text: str) -> str:
    """Spell a name of whatever script inside a sentence, whose order it leaves alone."""
    return f"<bdi>{escape(text)}</bdi>"


def _page(title: str, body: str, *, data: str = "", script: str = "", form_action: str | None = "'none'") -> Page:
    run = f"{data}<script>{script}</script>" if script else ""
    html = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body><main>{body}</main>{run}</body></html>"
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
