/** What a customer is asked for, by a provider's scheme, and how that becomes the credentials that are sent. */

import { wantsWindow } from '../connecting.js';
import { at } from './form-issues.js';
import type { Credentials } from '../contract.js';
import type { Choice, Connection, CustomInput, MetadataInput, Provider } from '../shapes.js';
import type { Words } from './words.js';

/** The members of `Credentials` that hold others. */
type Member =
  | 'basicAuth' | 'oauth2ClientCredentials' | 'oauth2PasswordCredentials' | 'customAuth' | 'providerMetadata';

/** One input of the form. */
export interface Asked {
  /** Where it goes: a member of `Credentials`, or `name` within one. */
  member: Member | 'apiKey' | 'providerWorkspaceRef';
  name?: string;
  /** Where the server finds fault with it, such as `basicAuth.username`. */
  path: string;
  label: string;
  hint?: string;
  docsURL?: string;
  kind: 'text' | 'secret' | 'choice';
  required: boolean;
  /** What stands in it at first; never a secret. */
  initial: string;
  choices?: Choice[];
}

/** A page about what to fill in: the scheme's own before the provider's. */
export function docsOf(provider: Provider): string | undefined {
  const { apiKeyOpts, basicOpts, oauth2Opts } = provider;
  return apiKeyOpts?.docsURL ?? basicOpts?.docsURL ?? oauth2Opts?.docsURL ?? provider.docsURL;
}

/**
 * What is asked for: the account first, then the credentials. With a `connection` it is connected again: its account is
 * known, and where a window opens nothing but consent is missing.
 */
export function askedFor(
  provider: Provider, words: Words, { module, connection }: { module?: string; connection?: Connection } = {},
): Asked[] {
  if (connection && provider.authType === 'oauth2' && wantsWindow(provider, connection)) return [];
  return [...account(provider, words, module, connection), ...secrets(provider, words, connection)];
}

function account(provider: Provider, words: Words, module?: string, connection?: Connection): Asked[] {
  const inputs = (provider.metadata?.input ?? []).filter((input) => belongs(input, module ?? provider.defaultModule));
  const asked = inputs.map((input) => metadata(input, connection));
  if (provider.oauth2Opts?.explicitWorkspaceRequired && !inputs.some(({ name }) => name === 'workspace')) {
    const initial = connection?.providerWorkspaceRef ?? '';
    asked.unshift({ ...text('providerWorkspaceRef', words.say('shell.workspace')), initial });
  }
  return asked;
}

/** An input without modules is everybody's; where nobody names a module, all are asked for. */
function belongs(input: MetadataInput, module: string | undefined): boolean {
  return !input.moduleDependencies || !module || module in input.moduleDependencies;
}

function metadata(input: MetadataInput, connection?: Connection): Asked {
  const known = connection?.providerMetadata?.[input.name]?.value;
  return {
    ...text('providerMetadata', input.displayName || input.name, input.name),
    hint: input.prompt,
    docsURL: input.docsURL,
    initial: known ?? input.defaultValue ?? '',
    required: input.defaultValue === undefined,
  };
}

/** A connection keeps its scheme, where a provider has several. */
function secrets(provider: Provider, words: Words, connection?: Connection): Asked[] {
  const { authType, basicOpts, oauth2Opts, customOpts } = provider;
  const scheme = connection?.authScheme ?? (basicOpts?.apiKeyAsBasic ? 'apiKey' : authType);
  if (scheme === 'apiKey') return [secret('apiKey', words.say('shell.apiKey'))];
  if (authType === 'basic') return person('basicAuth', words);
  if (authType === 'custom') return (customOpts?.inputs ?? []).map(custom);
  if (authType !== 'oauth2' || wantsWindow(provider, connection)) return [];
  const member = oauth2Opts?.grantType === 'password' ? 'oauth2PasswordCredentials' : 'oauth2ClientCredentials';
  const scopes = { ...text(member, words.say('shell.scopes'), 'scopes'), hint: words.say('shell.scopesHint') };
  return [
    ...(member === 'oauth2PasswordCredentials' ? person(member, words) : []),
    text(member, words.say('shell.clientId'), 'clientId'),
    secret(member, words.say('shell.clientSecret'), 'clientSecret'),
    ...(oauth2Opts?.explicitScopesRequired ? [scopes] : []),
  ];
}

function person(member: Member, words: Words): Asked[] {
  return [
    text(member, words.say('shell.username'), 'username'),
    secret(member, words.say('shell.password'), 'password'),
  ];
}

function custom(input: CustomInput): Asked {
  const { name, displayName, prompt, docsURL, fieldType, options } = input;
  const kind = fieldType === 'fieldTypeSelect' ? 'choice' : fieldType === 'fieldTypeText' ? 'text' : 'secret';
  const choices = options?.map(({ value, label }) => ({ value, displayValue: label }));
  return { ...text('customAuth', displayName || name, name), hint: prompt, docsURL, kind, choices };
}

function text(member: Asked['member'], label: string, name?: string): Asked {
  const path = name === undefined ? member : at(member, name);
  return { member, name, path, label, kind: 'text', required: true, initial: '' };
}

function secret(member: Asked['member'], label: string, name?: string): Asked {
  return { ...text(member, label, name), kind: 'secret' };
}

/** What was typed, by path. Space around it came by pasting, but in a password it may be meant. */
export function cleaned(asked: Asked, typed: string): string {
  return asked.name === 'password' ? typed : typed.trim();
}

/** What is sent. Inputs that were left empty are not. */
export function credentialsOf(asked: readonly Asked[], values: ReadonlyMap<string, string>): Credentials {
  const credentials: Record<string, unknown> = {};
  for (const { member, name, path } of asked) {
    const value = values.get(path);
    if (!value) continue;
    if (name === undefined) credentials[member] = value;
    else credentials[member] = { ...(credentials[member] ?? {}), [name]: sent(member, name, value) };
  }
  return credentials;
}

function sent(member: Asked['member'], name: string, value: string): unknown {
  if (member === 'providerMetadata') return { value };
  if (name === 'scopes' && member !== 'customAuth') return value.split(/[\s,]+/).filter(Boolean);
  return value;
}
