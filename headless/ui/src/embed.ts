/**
 * Knows the page that stands in a frame: what its address says, the token it is handed, and what it tells the page
 * around it. It speaks with pages of the listed origins and with nobody else, and does nothing in a window of its own:
 * whoever opened that might be anybody.
 */

import type { IsthmusInstall } from './declared.js';

const TOLD = ['connected', 'installed', 'updated', 'uninstalled', 'error', 'tokenexpired', 'dirtychange'] as const;
const ASK_AGAIN_MS = 2000;
const PATIENCE_MS = 30_000;

type Message = { type: string } & Record<string, unknown>;

/** The page around this one. */
class Around {
  private readonly listed: readonly string[];
  private targets: readonly string[];

  constructor(listed: readonly string[]) {
    this.listed = listed;
    const known = parentOrigin();
    this.targets = known === undefined ? listed : listed.filter((origin) => origin === known);
  }

  /** A browser delivers to the origin that is named, and to no other. */
  tell(message: Message): void {
    for (const origin of this.targets) window.parent.postMessage(message, origin);
  }

  /** Call `hear` with every message of the page around, and of no other window. */
  listen(hear: (message: Message) => void): void {
    window.addEventListener('message', (event: MessageEvent<unknown>) => {
      if (event.source !== window.parent || !this.listed.includes(event.origin) || !isMessage(event.data)) return;
      this.targets = [event.origin];
      hear(event.data);
    });
  }
}

/** Not every browser says it, and a page may keep it to itself. */
function parentOrigin(): string | undefined {
  const ancestors = location.ancestorOrigins as DOMStringList | undefined;
  if (ancestors?.[0]) return ancestors[0];
  return document.referrer ? new URL(document.referrer).origin : undefined;
}

function isMessage(data: unknown): data is Message {
  return typeof data === 'object' && data !== null && typeof (data as { type?: unknown }).type === 'string';
}

/** The token at hand; the page around is asked for another one when it is needed. */
class Tokens {
  private token = '';
  private waiting: { promise: Promise<string>; settle: (token: string) => void } | undefined;
  private readonly around: Around;

  constructor(around: Around) {
    this.around = around;
  }

  take(token: string): void {
    this.token = token;
    this.waiting?.settle(token);
  }

  get(refused?: string): string | Promise<string> {
    if (this.token && this.token !== refused) return this.token;
    this.waiting ??= this.ask();
    return this.waiting.promise;
  }

  /** A page that is still loading may not listen yet, so it is asked more than once. */
  private ask(): { promise: Promise<string>; settle: (token: string) => void } {
    const want = (): void => this.around.tell({ type: 'isthmus:token-wanted' });
    let settle: (token: string) => void = () => undefined;
    const promise = new Promise<string>((resolve, reject) => {
      const again = setInterval(want, ASK_AGAIN_MS);
      const late = setTimeout(() => end(() => reject(new Error('The page handed no token over.'))), PATIENCE_MS);
      const end = (say: () => void): void => {
        clearInterval(again);
        clearTimeout(late);
        this.waiting = undefined;
        say();
      };
      settle = (token) => end(() => resolve(token));
    });
    want();
    return { promise, settle };
  }
}

/** What the fragment brings is taken out of the address at once, and out of the history. */
function takeFragment(): string {
  const token = new URLSearchParams(location.hash.slice(1)).get('token') ?? '';
  if (location.hash) history.replaceState(null, '', location.pathname + location.search);
  return token;
}

function start(origins: readonly string[]): void {
  const around = new Around(origins);
  const tokens = new Tokens(around);
  const element = document.createElement('isthmus-install');
  const take = (token: string): void => {
    if (!token) return;
    tokens.take(token);
    element.token = token;
  };
  take(takeFragment());
  window.addEventListener('hashchange', () => take(takeFragment()));
  around.listen((message) => {
    if (message.type === 'isthmus:token' && typeof message['token'] === 'string') take(message['token']);
  });
  element.getToken = (refused) => tokens.get(refused);
  describe(element, new URLSearchParams(location.search));
  report(element, around);
  document.body.append(element);
}

/** Names come from the address alone, and go into attributes as text. */
function describe(element: IsthmusInstall, query: URLSearchParams): void {
  const [project, integration] = location.pathname.split('/').slice(2, 4).map(unescaped);
  const attributes: Record<string, string | null | undefined> = {
    server: location.origin,
    project,
    integration,
    'group-ref': query.get('groupRef'),
    'group-name': query.get('groupName'),
    'consumer-ref': query.get('consumerRef'),
    'consumer-name': query.get('consumerName'),
    theme: query.get('theme'),
  };
  for (const [name, value] of Object.entries(attributes)) if (value) element.setAttribute(name, value);
  const root = document.documentElement;
  root.lang = query.get('lang') || 'en';
  root.dir = query.get('dir') === 'rtl' ? 'rtl' : 'ltr';
  root.dataset['theme'] = query.get('theme') ?? '';
}

/** As the server reads it: a percent sign that begins nothing is one. */
function unescaped(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

function report(element: IsthmusInstall, around: Around): void {
  for (const name of TOLD) {
    element.addEventListener(name, (event: Event) => {
      if (event instanceof CustomEvent) around.tell({ type: `isthmus:${name}`, detail: event.detail as unknown });
    });
  }
  new ResizeObserver(() => {
    around.tell({ type: 'isthmus:height', height: Math.ceil(element.getBoundingClientRect().height) });
  }).observe(element);
}

const listed = (document.body.dataset['origins'] ?? '').split(' ').filter(Boolean);
if (window.parent !== window && listed.length > 0) start(listed);
