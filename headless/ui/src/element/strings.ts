/**
 * What the element says, in English, and how any of it is said otherwise: another language, or a host page's own words.
 * Messages are text with named places, never markup.
 */

import { formEnglish } from './form-strings.js';

/** Text with places such as `{count}`, or one text for each plural form of `{count}`. */
export type Message = string | Readonly<Partial<Record<Intl.LDMLPluralRule, string>> & { other: string }>;

/** Keys begin with the part of the element that says them: `shell` is the frame, `form` the configuring. */
export const english = {
  'shell.loading': 'Loading the integration',
  'shell.integration': 'Integration',
  'shell.failed': 'This integration could not be loaded',
  'shell.retry': 'Try again',
  'shell.misplaced': 'This element needs the attributes {names}.',
  'shell.account': 'Your {provider} account',
  'shell.accountOf': 'The {provider} account of {group}',
  'shell.notConnected': 'Not connected',
  'shell.connected': 'Connected',
  'shell.installed': 'Installed',
  'shell.broken': 'Needs attention',

  'shell.error.network': 'The server cannot be reached. Check your connection and try again.',
  'shell.error.token': 'Your session has ended. Reload this page.',
  'shell.error.popup-blocked': 'Your browser did not open the window. Allow windows for this page and try again.',
  'shell.error.popup-closed':
    'The window is closed, or out of sight. If it is open, finish there. If not, open it again.',
  'shell.error.server': 'The server could not do this. Try again in a moment.',

  'shell.connect.heading': 'Connect your {provider} account',
  'shell.connect.again': 'Connect {provider} again',
  'shell.connect.window': '{provider} opens in a window, where you log in and give access.',
  'shell.connect.form': 'What you enter is checked with {provider}, stored encrypted, and not shown again.',
  'shell.connect.plain': '{provider} asks for no credentials.',
  'shell.connect.unknown': '{provider} cannot be connected here.',
  'shell.connect.button': 'Connect {provider}',
  'shell.connect.busy': 'Connecting …',
  'shell.connect.waiting': 'Waiting for {provider}',
  'shell.connect.waitingHint': 'Log in and give access in the other window. This page goes on by itself.',
  'shell.connect.reopen': 'Open the window again',
  'shell.connect.required': 'This is needed.',
  'shell.connect.choose': 'Choose …',
  'shell.connect.docs': 'Where to find this',
  'shell.connect.newTab': 'opens in a new tab',
  'shell.connect.show': 'Show',
  'shell.connect.hide': 'Hide',
  'shell.connect.showLabel': 'Show {label}',
  'shell.connect.hideLabel': 'Hide {label}',
  'shell.connect.optional': 'optional',
  'shell.connect.done': '{provider} is connected.',
  'shell.workspace': 'Workspace',
  'shell.apiKey': 'API key',
  'shell.username': 'User name',
  'shell.password': 'Password',
  'shell.clientId': 'Client ID',
  'shell.clientSecret': 'Client secret',
  'shell.scopes': 'Scopes',
  'shell.scopesHint': 'Separated by spaces',

  'shell.repair.heading': '{provider} no longer accepts the connection',
  'shell.repair.text': 'Nothing is written until it is connected again. Your settings stay.',

  'shell.install': 'Install',
  'shell.installing': 'Installing …',
  'shell.save': 'Save changes',
  'shell.saving': 'Saving …',
  'shell.discard': 'Discard',
  'shell.unsaved': 'You have unsaved changes.',
  'shell.clean': 'Everything is saved.',
  'shell.ready': 'Ready to install.',
  'shell.reviewing': 'Checking …',
  'shell.problems': { one: '{count} problem', other: '{count} problems' },
  'shell.warnings': { one: '{count} hint', other: '{count} hints' },
  'shell.notInstalled': 'Not installed',
  'shell.notSaved': 'Not saved',
  'shell.installedNow': '{integration} is installed.',
  'shell.savedNow': 'Your changes are saved.',
  'shell.discarded': 'Your changes are discarded.',

  'shell.workspaceOf': 'Workspace {workspace}',
  'shell.reconnect': 'Reconnect',
  'shell.refresh': 'Refresh fields',
  'shell.refreshing': 'Refreshing …',
  'shell.refreshed': 'The fields of {provider} are up to date.',
  'shell.disconnect': 'Disconnect',
  'shell.disconnected': '{provider} is disconnected.',
  'shell.cancel': 'Cancel',
  'shell.notDone': 'This did not work',

  'shell.uninstall': 'Uninstall',
  'shell.uninstalling': 'Uninstalling …',
  'shell.uninstall.heading': 'Uninstall {integration}?',
  'shell.uninstall.settings': 'Your settings here are deleted.',
  'shell.uninstall.writes': 'Nothing more is written to {provider}.',
  'shell.uninstall.connection': 'The connection to {provider} is deleted, unless something else uses it.',
  'shell.uninstall.records': 'Records that are in {provider} stay there.',
  'shell.uninstalled': '{integration} is uninstalled.',

  ...formEnglish,
} as const satisfies Record<string, Message>;

export type Key = keyof typeof english;
export type Catalogue = Readonly<Record<Key, Message>>;

/** What a host page may give: any message, by its key. */
export type Strings = Readonly<Partial<Record<Key, Message>>>;

export type Values = Readonly<Record<string, string | number>>;

/** What is built says most keys as numbers (`keys.mjs`): each is a place in this list, from 1. */
const keys = Object.keys(english) as Key[];

const RTL_LETTER = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;

const catalogues: Readonly<Record<string, () => Promise<{ default: Catalogue }>>> = {
  de: () => import('./german.js'),
};

/** Says messages in one language. Views ask for nothing else. */
export class Words {
  readonly #plural: Intl.PluralRules;
  readonly #numbers: Intl.NumberFormat;

  readonly #catalogue: Catalogue;
  readonly #own: Strings;

  constructor(
    readonly lang: string, catalogue: Catalogue = english, own: Strings = {},
  ) {
    this.#catalogue = catalogue;
    this.#own = own;
    this.#plural = new Intl.PluralRules(lang);
    this.#numbers = new Intl.NumberFormat(lang);
  }

  say(given: Key, values: Values = {}): string {
    const key = keys[Number(given) - 1] ?? given;
    const message: Message = this.#own[key] ?? this.#catalogue[key] ?? english[key] ?? key;
    const text = typeof message === 'string' ? message : (message[this.#form(values.count)] ?? message.other);
    return text.replace(/\{(\w+)\}/g, (place, name: string) => this.#shown(values[name] ?? place));
  }

  #form(count: string | number | undefined): Intl.LDMLPluralRule {
    return this.#plural.select(Number(count ?? 0));
  }

  /** A name in a script of the other direction is kept apart, else it turns the words around it. */
  #shown(value: string | number): string {
    if (typeof value === 'number') return this.#numbers.format(value);
    return RTL_LETTER.test(value) === (directionOf(this.lang) === 'rtl') ? value : `\u2068${value}\u2069`;
  }
}

/** The language without region and script, such as `de`; nothing where the tag cannot be read. */
function baseLanguage(lang: string): string {
  try {
    return new Intl.Locale(lang).language;
  } catch {
    return '';
  }
}

/**
 * The words of a language: loaded when asked for. English where there is no catalogue, or it cannot be had; but a page
 * that gives words of its own gives them in its language.
 */
export async function wordsFor(lang: string, own: Strings = {}): Promise<Words> {
  const base = baseLanguage(lang);
  const found = await catalogues[base]?.().catch(() => undefined);
  const isSpoken = found !== undefined || base === 'en' || (base !== '' && Object.keys(own).length > 0);
  return new Words(isSpoken ? lang : 'en', found?.default, own);
}

const RIGHT_TO_LEFT = new Set('ar arc ckb dv fa ha he iw ku ks nqo prs ps sd syr ug ur yi'.split(' '));

export function directionOf(lang: string): 'ltr' | 'rtl' {
  return RIGHT_TO_LEFT.has(baseLanguage(lang)) ? 'rtl' : 'ltr';
}
