/**
 * What the element says, in English, and how any of it is said otherwise: another language, or a host page's own words.
 * Messages are text with named places, never markup.
 */

/** Text with places such as `{count}`, or one text for each plural form of `{count}`. */
export type Message = string | Readonly<Partial<Record<Intl.LDMLPluralRule, string>> & { other: string }>;

/** Keys begin with the part of the element that says them: `shell` is the frame, `form` the configuring. */
export const english = {
  'shell.loading': 'Loading the integration',

  'form.heading': 'Settings',
} as const satisfies Record<string, Message>;

export type Key = keyof typeof english;
export type Catalogue = Readonly<Record<Key, Message>>;

/** What a host page may give: any message, by its key. */
export type Strings = Readonly<Partial<Record<Key, Message>>>;

export type Values = Readonly<Record<string, string | number>>;

const catalogues: Readonly<Record<string, () => Promise<{ default: Catalogue }>>> = {
  de: () => import('./german.js'),
};

/** Says messages in one language. Views ask for nothing else. */
export class Words {
  private readonly plural: Intl.PluralRules;
  private readonly numbers: Intl.NumberFormat;

  constructor(readonly lang: string, private readonly catalogue: Catalogue = english, private readonly own: Strings = {}) {
    this.plural = new Intl.PluralRules(lang);
    this.numbers = new Intl.NumberFormat(lang);
  }

  say(key: Key, values: Values = {}): string {
    const message: Message = this.own[key] ?? this.catalogue[key] ?? english[key];
    const text = typeof message === 'string' ? message : (message[this.form(values.count)] ?? message.other);
    return text.replace(/\{(\w+)\}/g, (place, name: string) => this.shown(values[name] ?? place));
  }

  private form(count: string | number | undefined): Intl.LDMLPluralRule {
    return this.plural.select(Number(count ?? 0));
  }

  private shown(value: string | number): string {
    return typeof value === 'number' ? this.numbers.format(value) : value;
  }
}

/** The language without region and script, such as `de`; English where the tag cannot be read. */
export function baseLanguage(lang: string): string {
  try {
    return new Intl.Locale(lang).language;
  } catch {
    return 'en';
  }
}

/** A tag that `Intl` understands; English where it does not. */
export function knownTag(lang: string): string {
  return baseLanguage(lang) === 'en' && !/^en\b/i.test(lang) ? 'en' : lang;
}

/** The words of a language: loaded when asked for; English where there is no catalogue, or it cannot be had. */
export async function wordsFor(lang: string, own: Strings = {}): Promise<Words> {
  const load = catalogues[baseLanguage(lang)];
  if (load === undefined) return new Words(knownTag(lang), english, own);
  try {
    return new Words(lang, (await load()).default, own);
  } catch {
    return new Words('en', english, own);
  }
}

const RIGHT_TO_LEFT = new Set('ar arc ckb dv fa ha he iw ku ks nqo prs ps sd syr ug ur yi'.split(' '));

export function directionOf(lang: string): 'ltr' | 'rtl' {
  return RIGHT_TO_LEFT.has(baseLanguage(lang)) ? 'rtl' : 'ltr';
}
