"""The pages that the element's benchmark opens, and the scripts that watch them: what a browser shows, when.

Each page says in ``window.shown`` when it was of use, in milliseconds from the start of its navigation. A task that an
animation frame has posted runs once that frame is on the screen.
"""

import html
import json
from collections.abc import Mapping
from pathlib import Path

WATCH = """
window.afterPaint = (then) => requestAnimationFrame(() => {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => then(performance.now());
  port2.postMessage(0);
});
const look = () => {
  const control = document.querySelector('isthmus-install')?.shadowRoot?.querySelector('[role=switch]');
  if (!control || control.disabled || control.offsetWidth === 0) return requestAnimationFrame(look);
  window.afterPaint((at) => { window.shown = at; });
};
document.addEventListener('DOMContentLoaded', () => document.querySelector('isthmus-install') && look());
"""
"""Runs before a page's own scripts. The form takes input once a switch of its object page stands and is enabled."""

TIMED = """
(kind) => {
  window.took = [];
  window.timing?.abort();
  window.timing = new AbortController();
  const options = { capture: true, signal: window.timing.signal };
  const root = document.querySelector('isthmus-install').shadowRoot;
  root.addEventListener(kind, (event) => window.afterPaint((at) => window.took.push(at - event.timeStamp)), options);
}
"""
"""Measures each event of one kind from when the browser had it until what came of it is on the screen."""

PREVIEWED = """
() => new Promise((resolve) => {
  const root = document.querySelector('isthmus-install').shadowRoot;
  const part = root.querySelector('isthmus-part-preview section');
  let changed;
  root.addEventListener('change', (event) => { changed = event.timeStamp; }, { capture: true, once: true });
  new MutationObserver((_, observer) => {
    if (changed === undefined || part.getAttribute('aria-busy') === 'true') return;
    observer.disconnect();
    window.afterPaint((at) => resolve(at - changed));
  }).observe(part, { attributes: true, attributeFilter: ['aria-busy'] });
})
"""
"""From the next change until the preview has asked the server and drawn what it said."""

_PAGE = """<!doctype html><html lang="en">
<head><meta charset="utf-8"><title>{name}</title><link rel="icon" href="data:,"></head>
<body>{body}<script type="module">{script}</script></body></html>"""
_FETCH = """
const painted = () => window.afterPaint((at) => { window.shown = at; });
const ask = (path) => fetch(SERVER + path, { headers: HEADERS, cache: 'no-store' }).then((answer) => answer.json());
"""
_BYTES = """
const [, found] = await Promise.all([fetch(SERVER + '/ui/install.js').then((answer) => answer.text()), ask(HYDRATE)]);
const button = document.createElement('button');
button.textContent = found.id;
document.body.append(button);
painted();
"""
_SELECT = """
const found = await ask(HYDRATE);
const select = document.createElement('select');
for (const object of found.content.read.objects) {
  const fields = Object.values(object.allFieldsMetadata);
  select.append(...fields.map((field) => new Option(field.displayName, field.fieldName)));
}
document.body.append(select);
painted();
"""
_LIT = """
import { LitElement, html } from './lit.js';
customElements.define('bare-hello', class extends LitElement {
  render() { return html`<label>Hello <input type="checkbox" role="switch"></label>`; }
});
document.body.append(document.createElement('bare-hello'));
painted();
"""


def write_pages(folder: Path, *, origin: str, token: str, hydrate: str, attributes: Mapping[str, str]) -> None:
    """Write ``element.html``, and the pages it is compared with: ``bytes.html``, ``select.html`` and ``lit.html``."""
    values = {"SERVER": origin, "HEADERS": {"Authorization": f"Bearer {token}", "X-Isthmus-Detail": "true"}}
    constants = {**values, "HYDRATE": hydrate}
    head = "".join(f"const {name} = {json.dumps(value)};" for name, value in constants.items()) + _FETCH
    given = " ".join(f'{name}="{html.escape(value)}"' for name, value in attributes.items())
    body = f'<script type="module" src="{origin}/ui/install.js"></script><isthmus-install {given}></isthmus-install>'
    pages = {"element": (body, ""), "bytes": ("", _BYTES), "select": ("", _SELECT), "lit": ("", _LIT)}
    for name, (markup, script) in pages.items():
        whole = script if name == "element" else f"{head}{script}"
        # Imports stand at the top of a module wherever they are written.
        (folder / f"{name}.html").write_text(_PAGE.format(name=name, body=markup, script=whole), "utf-8")
