/**
 * Knows how a consent comes home whose window was cut off from the page that asked: the server leads that window back
 * to this very page of the product (`returnUrl`), which tells the one that asked, in this browser and by its own origin
 * alone. Whoever got the link elsewhere comes home to a browser where nobody waits.
 */

/** How it ended, as the pages of the server tell it (`docs/connecting.md`). */
export interface Outcome {
  eventType?: string;
  message?: string;
  data?: { error?: string; completionCode?: string };
}

const NAME = 'isthmus-window';
/** How long a window waits for the page that asked, before it ends the flow itself. */
const PATIENCE_MS = 5_000;

/** One flow of this page, and the address that its window comes home to. */
export interface Home {
  url: string;
  /** Never settles where the window is not cut off. */
  outcome: Promise<Outcome>;
  /** Tell the window that it is done. */
  done(): void;
}

/** Wait for a window. Nothing where there is no page, or one that stands in a frame. */
export function homeFor(signal: AbortSignal): Home | undefined {
  if (typeof window === 'undefined' || window.top !== window) return undefined;
  const id = [...crypto.getRandomValues(new Uint8Array(16))].join('');
  const channel = new BroadcastChannel(NAME + id);
  signal.addEventListener('abort', () => channel.close());
  const url = new URL(location.href);
  url.searchParams.set(NAME, id);
  return {
    url: url.href,
    outcome: new Promise((resolve) => (channel.onmessage = ({ data }) => resolve(data as Outcome))),
    done: () => channel.postMessage(''),
  };
}

/**
 * Where this is a window that came home, tell the page that asked and close. Answers what nobody took, and nothing
 * in any other page.
 */
export async function comeHome(): Promise<Outcome | undefined> {
  if (typeof window === 'undefined') return undefined;
  const url = new URL(location.href);
  const take = (name: string): string => {
    const value = url.searchParams.get(name) ?? '';
    url.searchParams.delete(name);
    return value;
  };
  const id = take(NAME);
  if (!id) return undefined;
  const [completionCode, error, connected] = ['completionCode', 'error', 'connectionId'].map(take);
  history.replaceState(history.state, '', url);
  const ending = connected ? 'SUCCEEDED' : completionCode ? 'PENDING' : 'FAILED';
  const outcome = { eventType: `AUTHORIZATION_${ending}`, data: { completionCode, error } } as Outcome;
  const channel = new BroadcastChannel(NAME + id);
  const isTaken = await new Promise<boolean>((resolve) => {
    channel.onmessage = () => resolve(true);
    channel.postMessage(outcome);
    setTimeout(() => resolve(false), PATIENCE_MS);
  });
  channel.close();
  if (!isTaken) return outcome;
  window.close();
  return undefined;
}
