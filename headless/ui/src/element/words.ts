/** How the element's messages are said: in a language, with values in their places, or in a host page's own words. */

import { english, type Catalogue, type Key, type Message, type Strings } from './strings.js';
import type { Issue } from '../shapes.js';

export type Values = Readonly<Record<string, string | number>>;

const DATE = /^\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:\d\d))?$/;
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

  say(key: Key, values: Values = {}): string {
    const message: Message = this.#own[key] ?? this.#catalogue[key] ?? english[key] ?? key;
    const text = typeof message === 'string' ? message : (message[this.#form(values.count)] ?? message.other);
    return text.replace(/\{(\w+)\}/g, (place, name: string) => this.#shown(values[name] ?? place));
  }

  /** What the server says, in this language; as it came where there are no words for its code. */
  told<T extends Pick<Issue, 'code' | 'message' | 'value'>>(said: T): T {
    const key = `issue.${said.code}` as const;
    if (!(this.#own[key] ?? this.#catalogue[key])) return said;
    return { ...said, message: this.say(key as Key, { value: String(said.value) }), remedy: '' };
  }

  /** A date, or a moment in UTC, as people write it; any other text as it is. */
  date(text: string): string {
    const [isDate, time] = DATE.exec(text) ?? [];
    const at = new Date(text);
    if (!isDate || isNaN(at.getTime())) return text;
    const styles = { dateStyle: 'medium', timeStyle: time ? 'long' : undefined, timeZone: 'UTC' } as const;
    return new Intl.DateTimeFormat(this.lang, styles as Intl.DateTimeFormatOptions).format(at);
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
  return new Words(isSpoken ? lang : 'en', found?.default, await asBuilt(own));
}

/** What is built says most keys as numbers (`keys.mjs`), and only here a page's names of them are needed. */
async function asBuilt(own: Strings): Promise<Strings> {
  if (!Object.keys(own).length) return own;
  const { names } = await import('./names.js');
  return { ...own, ...names.map((name) => own[name]) };
}

const RIGHT_TO_LEFT = new Set('ar arc ckb dv fa ha he iw ku ks nqo prs ps sd syr ug ur yi'.split(' '));

export function directionOf(lang: string): 'ltr' | 'rtl' {
  return RIGHT_TO_LEFT.has(baseLanguage(lang)) ? 'rtl' : 'ltr';
}
