/**
 * Every way to a connection: by what a customer types, or by consent in a window; for the first time, or to mend one
 * that there is. Which way it goes is said by the provider's scheme.
 */

import type { Api } from './api.js';
import { pathOf } from './api.js';
import type { Credentials, Options } from './contract.js';
import { homeFor } from './landing.js';
import type { Home, Outcome } from './landing.js';
import { Refusal, asRefusal } from './refusal.js';
import type { Connection, Provider } from './shapes.js';
import { openPopup } from './windows.js';
import type { Popup } from './windows.js';

/** Who connects what. `connection` is the one to mend, where there is one. */
export interface Customer {
  options: Options;
  provider: Provider;
  connection: Connection | undefined;
}

type Way = 'typed' | 'consent' | 'steps';
type Sent = Readonly<Record<string, unknown>>;

/** What a step's page tells. */
interface Brought {
  message?: string;
  source?: string;
  params?: Record<string, string>;
}

interface Step {
  connection?: Connection;
  redirect?: { url: string; sessionId: string };
}

/** Takes a connection that may still come, from a window that is out of sight; until the signal fires. */
export type Later = (connected: Promise<void>) => void;

/**
 * Connect. A window, where one is needed, is opened before anything is waited for. Rejects with a `Refusal`, or an
 * `AbortError` once the signal has fired; the window is closed either way, where it can be reached.
 */
export async function connectBy(
  api: Api, customer: Customer, credentials: Credentials, signal: AbortSignal, later: Later,
): Promise<void> {
  const way = wayOf(customer, credentials);
  if (way === 'typed') return typed(api, customer, credentials, signal);
  const popup = openPopup();
  try {
    if (way === 'consent') await consented(api, customer, credentials, popup, signal, later);
    else await stepped(api, customer, credentials, popup, signal);
  } finally {
    popup.close();
  }
}

/** Whether connecting takes a window, so that only a click may start it. */
export function wantsWindow(provider: Provider, connection?: Connection): boolean {
  return wayOf({ provider, connection }, {}) !== 'typed';
}

function wayOf({ provider, connection }: Pick<Customer, 'provider' | 'connection'>, given: Credentials): Way {
  if (provider.authType === 'custom') return provider.customOpts?.multiStep ? 'steps' : 'typed';
  // At a provider with OAuth a customer may also type in a token.
  if (provider.authType !== 'oauth2' || formsOf(given).length > 0) return 'typed';
  const scheme = connection?.authScheme ?? `oauth2/${provider.oauth2Opts?.grantType ?? ''}`;
  return scheme.startsWith('oauth2/authorizationCode') ? 'consent' : 'typed';
}

function formsOf({ providerWorkspaceRef, providerMetadata, ...forms }: Credentials): string[] {
  return Object.entries(forms).flatMap(([name, value]) => (value === undefined ? [] : [name]));
}

async function typed(api: Api, customer: Customer, credentials: Credentials, signal: AbortSignal): Promise<void> {
  const { options, connection } = customer;
  const given = defined({ ...credentials, ...account(credentials) });
  const path = `${pathOf('projects', options.project)}/connections`;
  if (connection === undefined) {
    await api.call('POST', `${path}:generate`, { body: { ...person(customer), ...given }, signal });
    return;
  }
  const updateMask = Object.keys(given);
  if (updateMask.length === 0) return;
  await api.call('PATCH', `${path}${pathOf(connection.id)}`, { body: { updateMask, connection: given }, signal });
}

async function consented(
  api: Api, customer: Customer, credentials: Credentials, popup: Popup, signal: AbortSignal, later: Later,
): Promise<void> {
  const { project } = customer.options;
  const home = api.knowsPerson ? homeFor(signal) : undefined;
  const link = await linkFor(api, customer, credentials, home, signal);
  popup.go(link);
  const landed = home?.outcome.then((outcome) => finish(api, project, outcome, signal)).finally(home.done);
  landed?.catch(() => undefined);
  const heard = popup.heard(link, signal).then((told) => finish(api, project, told as Outcome, signal));
  try {
    await Promise.race([heard, ...(landed ? [landed] : [])]);
  } catch (thrown) {
    // Closed and cut off look alike.
    if (asRefusal(thrown).code === 'popup-closed') later(landed ?? new Promise(() => undefined));
    throw thrown;
  }
}

/** End a flow, with the page's own credential where the window brought a code. Rejects where consent was not given. */
export async function finish(api: Api, project: string, outcome: Outcome, signal: AbortSignal): Promise<void> {
  const { eventType, data, message } = outcome;
  if (eventType === 'AUTHORIZATION_SUCCEEDED') return;
  if (eventType === 'AUTHORIZATION_PENDING' && data?.completionCode) {
    const body = { projectIdOrName: project, completionCode: data.completionCode };
    await api.call('POST', '/oauth-connect:complete', { body, signal });
    return;
  }
  throw new Refusal('denied', message || data?.error || 'Access was not given.');
}

/**
 * Where a token says who is in front of the page, the flow ends with it, so that a link that was passed on connects
 * nobody else's account. That takes a page that a window can come home to, which the project lists; without one, a
 * window that is cut off could never end it, so the flow is strict only where the project insists.
 */
async function linkFor(
  api: Api, customer: Customer, credentials: Credentials, home: Home | undefined, signal: AbortSignal,
): Promise<string> {
  const flows: Sent[] = [{}];
  if (home !== undefined) flows.unshift({ flow: 'strict', returnUrl: home.url });
  if (api.knowsPerson) flows.push({ flow: 'strict' });
  for (;;) {
    const flow = flows.shift() ?? {};
    try {
      return await linkBy(api, customer, credentials, flow, signal);
    } catch (thrown) {
      const isOfFlow = asRefusal(thrown).issues?.some(({ path }) => path === 'flow' || path === 'returnUrl');
      if (!isOfFlow || flows.length === 0) throw thrown;
    }
  }
}

function linkBy(
  api: Api, customer: Customer, credentials: Credentials, flow: Sent, signal: AbortSignal,
): Promise<string> {
  const { options, connection } = customer;
  if (connection !== undefined) {
    const path = pathOf('projects', options.project, 'connections', connection.id);
    return api.call('PATCH', `${path}:oauth-update`, { body: flow, signal });
  }
  const body = { projectIdOrName: options.project, ...person(customer), ...account(credentials), ...flow };
  return api.call('POST', '/oauth-connect', { body, signal });
}

/** A scheme of a provider's own: the customer goes to its page and brings something back, until it is enough. */
async function stepped(
  api: Api, customer: Customer, credentials: Credentials, popup: Popup, signal: AbortSignal,
): Promise<void> {
  const project = { projectIdOrName: customer.options.project };
  const { providerMetadata } = account(credentials);
  const start = { ...person(customer), customAuth: credentials.customAuth, providerMetadata };
  let body: Sent = { ...project, ...start };
  for (;;) {
    const { redirect } = await api.call<Step>('POST', '/custom-auth/connect', { body, signal });
    if (redirect === undefined) return;
    popup.go(redirect.url);
    const { source, params, message } = (await popup.heard(redirect.url, signal)) as Brought;
    if (source !== 'ampersand-custom-auth') throw new Refusal('denied', message ?? 'Access was not given.');
    body = { ...project, sessionId: redirect.sessionId, callbackParams: params ?? {} };
  }
}

function person({ options, provider }: Customer): Sent {
  const { groupRef, groupName, consumerRef, consumerName } = options;
  return defined({ provider: provider.name, groupRef, groupName, consumerRef, consumerName });
}

/** The workspace is said twice on the wire: by its own name, and among the other facts about the account. */
function account({ providerWorkspaceRef, providerMetadata }: Credentials) {
  const workspace = providerWorkspaceRef ?? providerMetadata?.workspace?.value;
  return defined({ providerWorkspaceRef: workspace || undefined, providerMetadata });
}

function defined<T extends object>(members: T): Partial<T> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Partial<T>;
}
