/** The custom element, and the headless module with it: a page needs this one script. */

export { IsthmusInstall } from './element/element.js';
export * from './headless.js';
