/**
 * What every inner part of the element is: one that draws into the shadow root of its host, so that styles,
 * `::part` and the ids that labels refer to work across parts.
 */

import { Reactive } from './reactive.js';

export abstract class LightElement extends Reactive {
  protected override createRenderRoot(): HTMLElement {
    // One name for all of them in the styles.
    this.className = 'part';
    return this;
  }
}

const ids = new Map<string, string>();

/** An id for a name: the same for the same name, and safe whatever the name holds. */
export function idFor(name: string): string {
  let id = ids.get(name);
  if (id === undefined) ids.set(name, (id = `isthmus-${ids.size}`));
  return id;
}
