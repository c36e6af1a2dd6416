/** Why something failed, made from what the server, the network or the browser says; worded for a person. */

import type { ErrorCode, InstallError } from './contract.js';
import type { Issue, Problem } from './shapes.js';

/** What every act of an installer rejects with. */
export class Refusal extends Error implements InstallError {
  override readonly name = 'Refusal';

  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly status?: number,
    readonly issues?: Issue[],
  ) {
    super(message);
  }
}

/** An issue of a problem document: `name` is the path, `detail` the words. */
interface ProblemIssue {
  name?: string;
  path?: string;
  detail?: string;
  message?: string;
  code?: string;
  severity?: 'error' | 'warning';
  value?: unknown;
  remedy?: string;
}

const CODES: Readonly<Record<number, ErrorCode>> = {
  400: 'invalid',
  401: 'token',
  403: 'forbidden',
  404: 'missing',
  409: 'conflict',
  422: 'invalid',
  429: 'busy',
};

/** From an answer that is no success. Where it is no problem document, the status says what there is to say. */
export function refusalOf(status: number, problem: Problem): Refusal {
  const issues = Array.isArray(problem.issues) ? (problem.issues as ProblemIssue[]).map(issueOf) : undefined;
  const words = problem.detail ?? problem.title ?? `The server answered ${status}.`;
  return new Refusal(CODES[status] ?? 'server', words, status, issues);
}

/** From whatever was thrown. */
export function asRefusal(thrown: unknown): Refusal {
  if (thrown instanceof Refusal) return thrown;
  return new Refusal('server', thrown instanceof Error ? thrown.message : String(thrown));
}

/** Whether this is no failure but somebody's wish to stop. */
export function isAbort(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.name === 'AbortError';
}

function issueOf(given: ProblemIssue): Issue {
  return {
    path: given.name ?? given.path ?? '',
    message: given.detail ?? given.message ?? '',
    code: given.code ?? 'invalid',
    severity: given.severity ?? 'error',
    ...('value' in given ? { value: given.value } : {}),
    ...(given.remedy === undefined ? {} : { remedy: given.remedy }),
  };
}
