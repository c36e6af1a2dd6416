/** What the page gives the element, and when that asks for another installer. */

import type { Options } from '../contract.js';
import type { DynamicMapping } from '../shapes.js';

export interface Given {
  server: string | undefined;
  project: string | undefined;
  integration: string | undefined;
  groupRef: string | undefined;
  groupName: string | undefined;
  consumerRef: string | undefined;
  consumerName: string | undefined;
  token: string | undefined;
  getToken: ((refused?: string) => string | Promise<string>) | undefined;
  apiKey: string | undefined;
  fieldMapping: Record<string, DynamicMapping[]> | undefined;
}

const NEEDED = ['project', 'integration', 'groupRef', 'consumerRef'] as const;

/** The attributes without which nothing can be asked. */
export function missingOptions(given: Given): string[] {
  const names = NEEDED.filter((name) => !given[name]).map((name) => name.replace('Ref', '-ref'));
  return given.token || given.getToken || given.apiKey ? names : [...names, 'token'];
}

/** The token stands behind a function, so that a new one makes no new installer. */
export function optionsOf(given: Given): Options {
  const { server, groupName, consumerName, apiKey, fieldMapping } = given;
  const options: Options = {
    project: given.project ?? '',
    integration: given.integration ?? '',
    groupRef: given.groupRef ?? '',
    consumerRef: given.consumerRef ?? '',
    ...(server && { server }),
    ...(groupName && { groupName }),
    ...(consumerName && { consumerName }),
    ...(apiKey && { apiKey }),
    ...(fieldMapping && { fieldMapping }),
  };
  const hasToken = given.getToken !== undefined || Boolean(given.token);
  return hasToken ? { ...options, token: (refused) => given.getToken?.(refused) ?? given.token ?? '' } : options;
}

/** Frameworks give the same things anew with every drawing, so they are compared by what is in them. */
export function sameOptions(one: Options, other: Options): boolean {
  return spelledOut(one) === spelledOut(other);
}

function spelledOut({ token, ...rest }: Options): string {
  return JSON.stringify([rest, token !== undefined]);
}
