/** What the server says about one customer and one integration: the requests, and what they mean together. */

import type { Api } from './api.js';
import { pathOf } from './api.js';
import type { Options, Phase, Sample } from './contract.js';
import type { Edit } from './edits.js';
import { placed } from './paths.js';
import { same } from './records.js';
import type {
  ConfigContent, Connection, Explanation, HydratedRevision, Installation, Integration, Issue, Provider,
} from './shapes.js';

/** What is there, of what can be there. */
export interface Found {
  integration: Integration;
  provider: Provider;
  connection: Connection | undefined;
  installation: Installation | undefined;
}

export interface Edited {
  installation: Installation;
  issues: Issue[];
}

export interface Account {
  look(signal: AbortSignal): Promise<Found>;
  /** Whether anything is other than it was found, as when another tab has changed it. */
  hasChanged(found: Found, signal: AbortSignal): Promise<boolean>;
  /** The manifest with the account's fields; `refresh` asks the provider again. */
  manifest(found: Found, refresh: 'refresh' | 'cached', signal: AbortSignal): Promise<HydratedRevision | undefined>;
  review(found: Found, content: ConfigContent, signal: AbortSignal): Promise<Issue[]>;
  preview(found: Found, content: ConfigContent, sample: Sample, signal?: AbortSignal): Promise<Explanation>;
  install(found: Found, content: ConfigContent): Promise<Installation>;
  edit(installation: Installation, edits: readonly Edit[]): Promise<Edited>;
  uninstall(installation: Installation): Promise<void>;
  disconnect(connection: Connection): Promise<void>;
}

const DETAIL = { 'X-Isthmus-Detail': 'true' };

export function createAccount(api: Api, options: Options): Account {
  const { groupRef } = options;
  const project = pathOf('projects', options.project);
  const integration = `${project}${pathOf('integrations', options.integration)}`;
  // A key names nobody; a token says by itself who it is.
  const createdBy = api.knowsPerson ? {} : { createdBy: `consumer:${options.consumerRef}` };

  function installations(signal: AbortSignal): Promise<Installation[]> {
    return api.call('GET', `${integration}/installations?${new URLSearchParams({ groupRef })}`, { signal });
  }

  function connections(provider: string, signal: AbortSignal): Promise<Connection[]> {
    return api.call('GET', `${project}/connections?${new URLSearchParams({ provider, groupRef })}`, { signal });
  }

  async function look(signal: AbortSignal): Promise<Found> {
    const installed = installations(signal);
    // It is waited for below; until then its failure is nobody's.
    installed.catch(() => undefined);
    const known = await api.call<Integration>('GET', integration, { signal });
    const [provider, [connection], [installation]] = await Promise.all([
      api.call<Provider>('GET', `/providers${pathOf(known.provider)}`, { signal }),
      connections(known.provider, signal),
      installed,
    ]);
    return { integration: known, provider, connection: installation?.connection ?? connection, installation };
  }

  async function hasChanged(found: Found, signal: AbortSignal): Promise<boolean> {
    const [[connection], [installation]] = await Promise.all([
      connections(found.provider.name, signal),
      installations(signal),
    ]);
    const now = { ...found, connection: installation?.connection ?? connection, installation };
    return !same(traits(now), traits(found));
  }

  function judged(found: Found, content: ConfigContent) {
    return { groupRef, connectionId: found.connection?.id, content };
  }

  return {
    look,
    hasChanged,
    async manifest(found, refresh, signal) {
      if (found.connection === undefined) return undefined;
      const query = new URLSearchParams({ connectionId: found.connection.id });
      if (refresh === 'refresh') query.set('refresh', 'true');
      const path = `${integration}${pathOf('revisions', found.integration.latestRevision.id)}:hydrate?${query}`;
      return api.call('GET', path, { headers: DETAIL, signal });
    },
    async review(found, content, signal) {
      const asked = { body: judged(found, content), signal, safe: true };
      return (await api.call<{ issues: Issue[] }>('POST', `${integration}:review`, asked)).issues;
    },
    preview: (found, content, sample, signal) =>
      api.call('POST', `${integration}:preview`, {
        body: { ...judged(found, content), ...sample }, signal, safe: true,
      }),
    install: (found, content) =>
      api.call('POST', `${integration}/installations`, {
        body: { groupRef, connectionId: found.connection?.id, config: { content, ...createdBy } },
      }),
    async edit(installation, edits) {
      const body = { edits, ifConfig: installation.config.id, ...createdBy };
      try {
        return await api.call('POST', `${integration}${pathOf('installations', installation.id)}:edit`, { body });
      } catch (thrown) {
        throw placed(thrown, edits);
      }
    },
    uninstall: (installation) => api.call('DELETE', `${integration}${pathOf('installations', installation.id)}`),
    disconnect: (connection) => api.call('DELETE', `${project}${pathOf('connections', connection.id)}`),
  };
}

/** Where a customer with all this stands. A connection that nothing is installed on is mended by connecting. */
export function phaseOf({ connection, installation }: Found): Phase {
  const works = connection !== undefined && connection.status !== 'bad_credentials';
  if (installation !== undefined) return works ? 'installed' : 'broken';
  return works ? 'configure' : 'connect';
}

function traits({ connection, installation }: Found) {
  return [connection?.id, connection?.status, installation?.id, installation?.config.id];
}
