/** What a customer is asked for, by a provider's scheme, and how that becomes the credentials that are sent. */

import type { Credentials } from '../contract.js';
import type { Choice, Connection, CustomInput, MetadataInput, Provider } from '../shapes.js';
import type { Words } from './strings.js';

/** One input of the form. */
export interface Asked {
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

/** Whether the customer is sent to a page of the provider's. */
export function opensWindow(provider: Provider): boolean {
  const grant = provider.oauth2Opts?.grantType;
  if (provider.authType === 'oauth2') return grant === 'authorizationCode' || grant === 'authorizationCodePKCE';
  return provider.authType === 'custom' && provider.customOpts?.multiStep === true;
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
  const webConsent = provider.authType === 'oauth2' && opensWindow(provider);
  if (connection && webConsent) return [];
  return [...account(provider, words, module, connection), ...secrets(provider, words)];
}

function account(provider: Provider, words: Words, module?: string, connection?: Connection): Asked[] {
  const inputs = (provider.metadata?.input ?? []).filter((input) => belongs(input, module ?? provider.defaultModule));
  const asked = inputs.map((input) => metadata(input, connection));
  if (provider.oauth2Opts?.explicitWorkspaceRequired && !inputs.some(({ name }) => name === 'workspace')) {
    const initial = connection?.providerWorkspaceRef ?? '';
    asked.unshift(text('providerWorkspaceRef', words.say('shell.workspace'), { initial }));
  }
  return asked;
}

/** An input without modules is everybody's; where nobody names a module, all are asked for. */
function belongs(input: MetadataInput, module: string | undefined): boolean {
  return !input.moduleDependencies || !module || module in input.moduleDependencies;
}

function metadata(input: MetadataInput, connection?: Connection): Asked {
  const known = connection?.providerMetadata?.[input.name]?.value;
  return text(`providerMetadata.${input.name}`, input.displayName || input.name, {
    hint: input.prompt,
    docsURL: input.docsURL,
    initial: known ?? input.defaultValue ?? '',
    required: input.defaultValue === undefined,
  });
}

function secrets(provider: Provider, words: Words): Asked[] {
  const { authType, basicOpts, oauth2Opts, customOpts } = provider;
  if (authType === 'apiKey' || (authType === 'basic' && basicOpts?.apiKeyAsBasic)) {
    return [secret('apiKey', words.say('shell.apiKey'))];
  }
  if (authType === 'basic') return person('basicAuth', words);
  if (authType === 'custom') return (customOpts?.inputs ?? []).map(custom);
  if (authType !== 'oauth2' || opensWindow(provider)) return [];
  const path = oauth2Opts?.grantType === 'password' ? 'oauth2PasswordCredentials' : 'oauth2ClientCredentials';
  return [
    ...(path === 'oauth2PasswordCredentials' ? person(path, words) : []),
    text(`${path}.clientId`, words.say('shell.clientId')),
    secret(`${path}.clientSecret`, words.say('shell.clientSecret')),
    ...(oauth2Opts?.explicitScopesRequired
      ? [text(`${path}.scopes`, words.say('shell.scopes'), { hint: words.say('shell.scopesHint') })]
      : []),
  ];
}

function person(path: string, words: Words): Asked[] {
  return [
    text(`${path}.username`, words.say('shell.username')),
    secret(`${path}.password`, words.say('shell.password')),
  ];
}

function custom(input: CustomInput): Asked {
  const { displayName, prompt, docsURL, fieldType, options } = input;
  const kind = fieldType === 'fieldTypeSelect' ? 'choice' : fieldType === 'fieldTypeText' ? 'text' : 'secret';
  const choices = options?.map(({ value, label }) => ({ value, displayValue: label }));
  return {
    path: `customAuth.${input.name}`, label: displayName, hint: prompt, docsURL, kind, required: true, initial: '', choices,
  };
}

function text(path: string, label: string, more: Partial<Asked> = {}): Asked {
  return { path, label, kind: 'text', required: true, initial: '', ...more };
}

function secret(path: string, label: string): Asked {
  return { path, label, kind: 'secret', required: true, initial: '' };
}

/** The paths of required inputs that are empty. */
export function missing(asked: readonly Asked[], values: ReadonlyMap<string, string>): string[] {
  return asked.filter(({ path, required }) => required && !values.get(path)).map(({ path }) => path);
}

/** What is sent. Inputs that were left empty are not. */
export function credentialsOf(provider: Provider, values: ReadonlyMap<string, string>): Credentials {
  const given = [...values].filter(([, value]) => value !== '');
  const under = (member: string): Record<string, string> =>
    Object.fromEntries(given.filter(([path]) => path.startsWith(`${member}.`)).map(([p, v]) => [p.slice(member.length + 1), v]));
  const credentials: Record<string, unknown> = {};
  for (const [path, value] of given) if (!path.includes('.')) credentials[path] = value;
  for (const member of ['basicAuth', 'oauth2ClientCredentials', 'oauth2PasswordCredentials'] as const) {
    const { scopes, ...members } = under(member);
    if (Object.keys(members).length) {
      credentials[member] = { ...members, ...(scopes ? { scopes: scopes.split(/[\s,]+/).filter(Boolean) } : {}) };
    }
  }
  if (provider.authType === 'custom') credentials.customAuth = under('customAuth');
  const metadata = Object.entries(under('providerMetadata')).map(([name, value]) => [name, { value }]);
  if (metadata.length) credentials.providerMetadata = Object.fromEntries(metadata);
  return credentials as Credentials;
}
