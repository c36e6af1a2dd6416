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

/** What is there of one customer, of what can be there. */
export interface Standing {
  integration: Integration;
  connection: Connection | undefined;
  installation: Installation | undefined;
}

export interface Found extends Standing {
  provider: Provider;
}

export interface Edited {
  installation: Installation;
  issues: Issue[];
}

export interface Account {
  look(signal: AbortSignal): Promise<Standing>;
  provider(standing: Standing, signal: AbortSignal): Promise<Provider>;
  /** Whether anything is other than it was found, as when another tab has changed it. */
  hasChanged(standing: Standing, signal: AbortSignal): Promise<boolean>;
  /** The manifest with the account's fields; `refresh` asks the provider again. */
  manifest(
    standing: Standing, refresh: 'refresh' | 'cached', signal: AbortSignal,
  ): Promise<HydratedRevision | undefined>;
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

  /** All at once: whatever waits for another answer first is seen later. So connections are had of every provider. */
  async function standing(known: Promise<Integration>, signal: AbortSignal): Promise<Standing> {
    const path = `${project}/connections?${new URLSearchParams({ groupRef })}`;
    const [there, connections, [installation]] = await Promise.all([
      known, api.call<Connection[]>('GET', path, { signal }), installations(signal),
    ]);
    const fitting = connections.find(({ provider }) => provider === there.provider);
    return { integration: there, connection: installation?.connection ?? fitting, installation };
  }

  async function hasChanged(before: Standing, signal: AbortSignal): Promise<boolean> {
    return !same(traits(await standing(Promise.resolve(before.integration), signal)), traits(before));
  }

  function judged(found: Found, content: ConfigContent) {
    return { groupRef, connectionId: found.connection?.id, content };
  }

  return {
    look: (signal) => standing(api.call('GET', integration, { signal }), signal),
    provider: ({ integration: { provider } }, signal) => api.call('GET', `/providers${pathOf(provider)}`, { signal }),
    hasChanged,
    async manifest({ integration: { latestRevision }, connection }, refresh, signal) {
      if (connection === undefined) return undefined;
      const query = new URLSearchParams({ connectionId: connection.id });
      if (refresh === 'refresh') query.set('refresh', 'true');
      const path = `${integration}${pathOf('revisions', latestRevision.id)}:hydrate?${query}`;
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
export function phaseOf({ connection, installation }: Standing): Phase {
  const works = connection !== undefined && connection.status !== 'bad_credentials';
  if (installation !== undefined) return works ? 'installed' : 'broken';
  return works ? 'configure' : 'connect';
}

function traits({ connection, installation }: Standing) {
  return [connection?.id, connection?.status, installation?.id, installation?.config.id];
}
