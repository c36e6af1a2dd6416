/**
 * Knows how to talk to the server: addresses, the credential, which requests are worth another try, and what an answer
 * that is no success means. It keeps the token in memory alone.
 */

import type { Options } from './contract.js';
import { Refusal, asRefusal, isAbort, refusalOf } from './refusal.js';

export type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

export interface Call {
  /** Sent as JSON. */
  body?: unknown;
  signal?: AbortSignal | undefined;
  headers?: Readonly<Record<string, string>>;
  /** It changes nothing, so it may be sent again where it failed. GETs always are. */
  safe?: boolean;
}

export interface Api {
  /** The server's origin. */
  readonly server: string;
  /** Whether the credential stands for one person; a frontend key stands for nobody. */
  readonly knowsPerson: boolean;
  /** `path` stands below `/v1`. Answers decoded JSON, or text. Rejects with a `Refusal`, or an `AbortError`. */
  call<T>(method: Method, path: string, call?: Call): Promise<T>;
}

const TRIES = 3;
const FIRST_PAUSE_MS = 400;
const LONGEST_PAUSE_MS = 5_000;
const PATIENCE_MS = 60_000;
/** A token that is about to die is not worth a request. */
const MARGIN_S = 20;
const ODD = /[^!-~]/;

export function createApi(options: Options): Api {
  const server = originOf(options);
  const credential = new Credential(options);

  async function call<T>(method: Method, path: string, given: Call = {}): Promise<T> {
    const repeatable = given.safe ?? method === 'GET';
    for (let tried = 1; ; tried += 1) {
      const answer = await attempt(method, path, given).catch((thrown: unknown) => {
        if (repeatable && tried < TRIES && thrown instanceof Refusal && thrown.code === 'network') return undefined;
        throw thrown;
      });
      if (answer?.ok) return (await read(answer)) as T;
      if (answer !== undefined && !(repeatable && tried < TRIES && worthAnother(answer.status))) {
        throw refusalOf(answer.status, problemIn(await read(answer)));
      }
      await pause(wait(tried, answer?.headers.get('retry-after')), given.signal);
    }
  }

  async function attempt(method: Method, path: string, given: Call): Promise<Response> {
    const sent = await credential.headers();
    const answer = await send(method, path, given, sent);
    const warning = answer.headers.get('x-isthmus-warning');
    if (warning) console.warn(warning);
    if (answer.status !== 401 || !(await credential.renewed(sent))) return answer;
    return send(method, path, given, await credential.headers());
  }

  function send(method: Method, path: string, given: Call, credentials: Record<string, string>): Promise<Response> {
    const body = given.body === undefined ? undefined : JSON.stringify(given.body);
    const typed = body === undefined ? undefined : { 'Content-Type': 'application/json' };
    const headers = { ...credentials, ...typed, ...given.headers };
    return patiently(`${server}/v1${path}`, { method, headers, ...(body === undefined ? {} : { body }) }, given.signal);
  }

  return { server, knowsPerson: options.token !== undefined, call };
}

/** The path of something below a project; names are escaped, verbs (`:review`) are part of `rest`. */
export function pathOf(...names: string[]): string {
  return names.map((name) => `/${encodeURIComponent(name)}`).join('');
}

function originOf(options: Options): string {
  const server = options.server ?? new URL(import.meta.url).origin;
  // `localhost:8080` is an address as well, of a scheme without origins.
  const origin = URL.canParse(server) ? new URL(server).origin : 'null';
  if (origin !== 'null') return origin;
  const given = JSON.stringify(server);
  throw new TypeError(`'server' has to be an origin such as https://isthmus.example.com, not ${given}`);
}

/** One request with a limit of time. Rejects with a `Refusal` where nobody answers. */
async function patiently(url: string, request: RequestInit, signal: AbortSignal | undefined): Promise<Response> {
  const limit = new AbortController();
  const stop = (): void => limit.abort();
  if (signal?.aborted) stop();
  signal?.addEventListener('abort', stop);
  const timer = setTimeout(stop, PATIENCE_MS);
  try {
    return await fetch(url, {
      ...request, signal: limit.signal, credentials: 'omit', cache: 'no-store', redirect: 'error',
    });
  } catch (thrown) {
    if (signal?.aborted) throw thrown;
    throw unreachable();
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
  }
}

function unreachable(): Refusal {
  return new Refusal('network', 'The server cannot be reached. Check your connection and try again.');
}

async function read(answer: Response): Promise<unknown> {
  const text = await answer.text().catch((thrown: unknown) => {
    throw isAbort(thrown) ? thrown : unreachable();
  });
  if (!/json/i.test(answer.headers.get('content-type') ?? '')) return text;
  try {
    return JSON.parse(text);
  } catch {
    throw new Refusal('server', "The server's answer cannot be read.", answer.status);
  }
}

function problemIn(content: unknown): Record<string, unknown> {
  return typeof content === 'object' && content !== null ? (content as Record<string, unknown>) : {};
}

function worthAnother(status: number): boolean {
  return status === 429 || status >= 500;
}

/** What the server asks for, within bounds; else longer each time. */
function wait(tried: number, retryAfter: string | null | undefined): number {
  const asked = Number(retryAfter || NaN) * 1000;
  return Math.min(asked >= 0 ? asked : FIRST_PAUSE_MS * 2 ** (tried - 1), LONGEST_PAUSE_MS);
}

function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, milliseconds);
    const stop = (): void => {
      clearTimeout(timer);
      reject(new DOMException('stopped', 'AbortError'));
    };
    signal?.addEventListener('abort', stop, { once: true });
  });
}

/** The header that says who asks. A function for tokens is asked when there is none, or none that can still be used. */
class Credential {
  #token: string | undefined;
  #usableUntil = Infinity;
  #asking: Promise<void> | undefined;

  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
  }

  async headers(): Promise<Record<string, string>> {
    const { token, apiKey } = this.#options;
    if (token === undefined) return apiKey === undefined ? {} : { 'X-Api-Key': apiKey };
    if (typeof token === 'string') return { Authorization: `Bearer ${token}` };
    if (this.#token === undefined || Date.now() >= this.#usableUntil) await this.#ask();
    return { Authorization: `Bearer ${this.#token}` };
  }

  /** Whether there is another token than the one that was refused. */
  async renewed(refused: Record<string, string>): Promise<boolean> {
    if (typeof this.#options.token !== 'function') return false;
    if (refused.Authorization === `Bearer ${this.#token}`) await this.#ask(this.#token);
    return refused.Authorization !== `Bearer ${this.#token}`;
  }

  /** However many requests need a new one, it is asked for once. */
  #ask(refused?: string): Promise<void> {
    this.#asking ??= this.#fetched(refused).finally(() => (this.#asking = undefined));
    return this.#asking;
  }

  async #fetched(refused: string | undefined): Promise<void> {
    const { token } = this.#options;
    if (typeof token !== 'function') return;
    try {
      this.#token = String(await token(refused)).trim();
    } catch (thrown) {
      if (isAbort(thrown)) throw thrown;
      throw new Refusal('token', `No token could be had: ${asRefusal(thrown).message}`);
    }
    // Examples have a `…` in its place, which no header can hold.
    if (ODD.test(this.#token)) throw new Refusal('token', 'This is no token.');
    const { groupRef = '', exp, iat } = claimsIn(this.#token);
    // The server would answer that this group has nothing, and refuse what its customer then enters.
    if (groupRef && !ODD.test(groupRef) && groupRef !== this.#options.groupRef) {
      throw new Refusal('token', `The token was signed for another group, '${groupRef}'.`);
    }
    this.#usableUntil = Date.now() + usableFor(Number(exp) - Number(iat)) * 1000;
  }
}

/** How long a token can be used from now, by its own times: the clock of this device is not asked. In seconds. */
function usableFor(life: number): number {
  return Math.max(life - MARGIN_S, 1) || Infinity;
}

/** What a token says, where it can be read: letters beyond ASCII come out wrong. */
function claimsIn(token: string): Claims {
  try {
    return JSON.parse(atob((token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/'))) as Claims;
  } catch {
    return {};
  }
}

interface Claims {
  groupRef?: string;
  exp?: number;
  iat?: number;
}
