/**
 * What the frame of the element and the parts within it promise each other. The frame owns the installer, the words and
 * the live region; a part shows one thing and calls the installer.
 */

import type { Installer, Sample, State } from '../contract.js';
import type { Issue } from '../shapes.js';
import type { Words } from './words.js';

/** `<isthmus-part-form>`: the frame sets these properties, and again whenever one of them has changed. */
export interface FormPart extends HTMLElement {
  installer: Installer;
  state: State;
  words: Words;
  samples: readonly Sample[];
  /** Open what hides the field of an issue and move the focus to it. Answers false where it has no such field. */
  focusIssue(issue: Issue): boolean;
}

/** A part's wish to have something said to screen readers: `dispatchEvent(announce(text))`; the frame listens. */
export const ANNOUNCE = 'isthmus-announce';

export function announce(text: string): CustomEvent<string> {
  return new CustomEvent(ANNOUNCE, { detail: text, bubbles: true });
}
