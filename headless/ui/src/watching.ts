/** Knows when a customer comes back to the page, after which another tab may have changed what it shows. */

const LEAST_MS = 3_000;

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
