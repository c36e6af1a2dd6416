/** Knows when to look again: when a customer comes back to the page, or while a window is out of sight. */

const LEAST_MS = 3_000;
/** What a window that is out of sight leaves is looked for as long as its link and its consent may take. */
const LOOK_MS = 3_000;
const LOOKS = 300;

/** Calls back when the page is looked at again, but not over and over; answers how to stop. Without a page, never. */
export function onReturn(came: () => void): () => void {
  if (typeof window === 'undefined') return () => undefined;
  let last = Date.now();
  const look = (): void => {
    if (document.visibilityState !== 'visible' || Date.now() - last < LEAST_MS) return;
    last = Date.now();
    came();
  };
  window.addEventListener('focus', look);
  document.addEventListener('visibilitychange', look);
  return () => {
    window.removeEventListener('focus', look);
    document.removeEventListener('visibilitychange', look);
  };
}

/** Looks again and again, one after another, until the signal fires or it has been long enough. */
export function keepLooking(look: () => Promise<void>, signal: AbortSignal, left = LOOKS): void {
  setTimeout(() => {
    if (signal.aborted || left === 0) return;
    void look().finally(() => keepLooking(look, signal, left - 1));
  }, LOOK_MS);
}
