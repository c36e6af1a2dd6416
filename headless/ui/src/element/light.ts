/**
 * What every inner part of the element is: a Lit element that draws into the shadow root of its host, so that styles,
 * `::part` and the ids that labels refer to work across parts.
 */

import { LitElement } from 'lit';

export abstract class LightElement extends LitElement {
  protected override createRenderRoot(): HTMLElement {
    return this;
  }
}

/** A property that is set by other parts and never by markup. */
export const GIVEN = { attribute: false } as const;
/** What only the part itself remembers. */
export const OWN = { state: true } as const;

/** Define an element once, also where the module was loaded twice. */
export function define(name: string, element: CustomElementConstructor): void {
  if (!customElements.get(name)) customElements.define(name, element);
}

const ids = new Map<string, string>();

/** An id for a name: the same for the same name, and safe whatever the name holds. */
export function idFor(name: string): string {
  let id = ids.get(name);
  if (id === undefined) ids.set(name, (id = `isthmus-${ids.size}`));
  return id;
}
