/**
 * Knows the window in which a customer gives consent: opened at once in the click, led on later, heard once, and
 * closed. Messages count only from the server's own origin.
 */

import { Refusal } from './refusal.js';

export interface Popup {
  /** Lead the window to a page of the server's. */
  go(url: string): void;
  /**
   * The next message that `url`'s origin has for us. Rejects with a `Refusal` when the window goes without a word. */
  heard(url: string, signal?: AbortSignal): Promise<unknown>;
  close(): void;
}

const WIDTH = 600;
const HEIGHT = 700;
const LOOK_MS = 300;
/** A message may still be on its way when its window is closed already. */
const LAST_WORD_MS = 600;

/** Browsers allow it in a click's handler only, before anything is waited for. Throws a `Refusal` if not allowed. */
export function openPopup(): Popup {
  const opened = typeof window === 'undefined' ? null : window.open('about:blank', '_blank', place());
  if (opened === null) {
    const words = 'Your browser did not open the window. Allow windows for this page and try again.';
    throw new Refusal('popup-blocked', words);
  }
  return {
    go: (url) => opened.location.replace(url),
    heard: (url, signal) => heard(opened, new URL(url).origin, signal),
    close: () => opened.close(),
  };
}

function place(): string {
  const left = Math.round(screenX + Math.max(0, outerWidth - WIDTH) / 2);
  const top = Math.round(screenY + Math.max(0, outerHeight - HEIGHT) / 3);
  return `popup,width=${WIDTH},height=${HEIGHT},left=${left},top=${top}`;
}

function heard(opened: Window, origin: string, signal: AbortSignal | undefined): Promise<unknown> {
  return new Promise((resolve, reject) => {
    let last: ReturnType<typeof setTimeout> | undefined;
    const looking = setInterval(() => {
      if (opened.closed) last ??= setTimeout(() => end(() => reject(closed())), LAST_WORD_MS);
    }, LOOK_MS);
    const receive = (event: MessageEvent): void => {
      // A window that closes itself right after its word may be no source any more.
      if (event.origin !== origin || (event.source !== opened && event.source !== null)) return;
      end(() => resolve(event.data));
    };
    const stop = (): void => end(() => reject(new DOMException('stopped', 'AbortError')));
    const end = (say: () => void): void => {
      clearInterval(looking);
      clearTimeout(last);
      window.removeEventListener('message', receive);
      signal?.removeEventListener('abort', stop);
      say();
    };
    window.addEventListener('message', receive);
    signal?.addEventListener('abort', stop);
    if (signal?.aborted) stop();
  });
}

function closed(): Refusal {
  const words = 'The window is closed, or out of sight. If it is open, finish there. If not, open it again.';
  return new Refusal('popup-closed', words);
}
