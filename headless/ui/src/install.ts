/** The custom element, and the headless module with it: a page needs this one script. */

// What is alike stands together, and packs better.
import './element/styles.js';
import './element/form-styles.js';
import './element/strings.js';
import './element/form-strings.js';

export * from './headless.js';
export { IsthmusInstall } from './element/element.js';
