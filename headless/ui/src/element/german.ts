/** What the element says, in German. Loaded only where it is wanted. */

import type { Catalogue } from './strings.js';

const german: Catalogue = {
  'shell.loading': 'Die Integration wird geladen',

  'form.heading': 'Einstellungen',
};

export default german;
