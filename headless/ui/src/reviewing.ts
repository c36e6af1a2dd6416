/** Knows when a draft is judged: soon after each change, once for many of them, and only the latest answer counts. */

import type { Issue } from './shapes.js';

export interface Reviewer {
  /** Have it judged after a moment without further changes. A failure of that is nobody's concern. */
  soon(): void;
  /** Have it judged at once. */
  now(): Promise<Issue[]>;
  stop(): void;
}

const MOMENT_MS = 350;

export function createReviewer(
  ask: (signal: AbortSignal) => Promise<Issue[]>,
  told: (change: { reviewing: boolean; issues?: Issue[] }) => void,
): Reviewer {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asking: AbortController | undefined;

  function stop(): void {
    clearTimeout(timer);
    asking?.abort();
    asking = undefined;
  }

  async function now(): Promise<Issue[]> {
    stop();
    const mine = new AbortController();
    asking = mine;
    told({ reviewing: true });
    try {
      const issues = errorsFirst(await ask(mine.signal));
      if (asking === mine) told({ reviewing: false, issues });
      return issues;
    } catch (thrown) {
      if (asking === mine) told({ reviewing: false });
      throw thrown;
    }
  }

  function soon(): void {
    stop();
    told({ reviewing: true });
    timer = setTimeout(() => void now().catch(() => undefined), MOMENT_MS);
  }

  return { soon, now, stop };
}

export function errorsFirst(issues: readonly Issue[]): Issue[] {
  const isError = (issue: Issue): boolean => issue.severity !== 'warning';
  return [...issues.filter(isError), ...issues.filter((issue) => !isError(issue))];
}
