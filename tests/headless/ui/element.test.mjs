/** What the element's parts know without a page: its words, what each scheme asks for, and which input is at fault. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

const { english, german, Words, wordsFor, directionOf, askedFor, credentialsOf, faultsOf, webAddress } =
  await import(process.env.ISTHMUS_ELEMENT);

const words = new Words('en');
const provider = (authType, more = {}) => ({ name: 'crm', displayName: 'CRM', authType, ...more });
const oauth = (grantType, more = {}) => provider('oauth2', { oauth2Opts: { grantType, ...more } });
const places = (message) => [...new Set(Object.values(typeof message === 'string' ? { message } : message)
  .flatMap((text) => text.match(/\{\w+\}/g) ?? []))].sort();

test('both catalogues say the same things', () => {
  const ours = Object.keys(german).filter((key) => !key.startsWith('issue.'));
  assert.deepEqual(ours.sort(), Object.keys(english).sort());
  for (const [key, message] of Object.entries(english)) {
    assert.deepEqual(places(german[key]), places(message), key);
    assert.equal(typeof german[key], typeof message, key);
  }
});

test('no message is empty, or holds markup', () => {
  for (const catalogue of [english, german]) {
    for (const [key, message] of Object.entries(catalogue)) {
      for (const text of typeof message === 'string' ? [message] : Object.values(message)) {
        assert.match(text, /\S/, key);
        assert.doesNotMatch(text, /[<>]|&\w+;/, key);
      }
    }
  }
});

test('numbers have the form of the language', () => {
  const own = { 'shell.problems': { one: '{count} Sache', other: '{count} Sachen' } };
  const said = [1, 2, 1234].map((count) => new Words('de', undefined, own).say('shell.problems', { count }));
  assert.deepEqual(said, ['1 Sache', '2 Sachen', '1.234 Sachen']);
});

test('the server speaks English, and is told in another language or in own words by its code', () => {
  const issue = { path: 'a.b', code: 'unknown-field', message: "has no field 'x'", value: 'x', remedy: "mean 'y'?" };
  const said = (lang, catalogue, own, given = issue) => {
    const { message, remedy } = new Words(lang, catalogue, own).told(given);
    return [message, remedy];
  };
  assert.deepEqual(said('en'), [issue.message, issue.remedy]);
  assert.deepEqual(said('de', german), ['Das Feld x gibt es in Ihrem Konto nicht.', '']);
  assert.deepEqual(said('en', english, { 'issue.unknown-field': 'No {value} here' }), ['No x here', '']);
  for (const code of ['quite-new', 'constructor']) {
    assert.deepEqual(said('de', german, {}, { ...issue, code }), [issue.message, issue.remedy], code);
  }
});

test('names of the other direction are kept apart, and places without a value stay', () => {
  assert.equal(words.say('shell.connect.button', { provider: 'אבג' }), 'Connect \u2068אבג\u2069');
  assert.equal(words.say('shell.connect.button', { provider: 'CRM' }), 'Connect CRM');
  assert.equal(words.say('shell.connect.button'), 'Connect {provider}');
  assert.equal(words.say('shell.connect.button', { provider: '{provider} $& $1' }), 'Connect {provider} $& $1');
});

for (const [lang, own, spoken] of [
  ['de-CH', {}, 'de-CH'], ['en-GB', {}, 'en-GB'], ['fr', {}, 'en'], ['fr', { 'shell.save': 'Enregistrer' }, 'fr'],
  ['', {}, 'en'], ['no language', { 'shell.save': 'x' }, 'en'], ['constructor', {}, 'en'],
]) {
  test(`'${lang}' with ${Object.keys(own).length} own words speaks ${spoken}`, async () => {
    assert.equal((await wordsFor(lang, own)).lang, spoken);
  });
}

test('a language has a direction', () => {
  assert.deepEqual(['ar-EG', 'he', 'de', 'x'].map(directionOf), ['rtl', 'rtl', 'ltr', 'ltr']);
});

const region = { name: 'region', displayName: 'Region' };
const secret = { name: 'secret', displayName: 'Secret' };
const kinds = {
  'nothing': [provider('none'), []],
  'a key': [provider('apiKey'), ['apiKey']],
  'a key in place of a password': [provider('basic', { basicOpts: { apiKeyAsBasic: true } }), ['apiKey']],
  'user name and password': [provider('basic'), ['basicAuth.username', 'basicAuth.password']],
  'consent': [oauth('authorizationCode'), []],
  'consent for a workspace': [oauth('authorizationCodePKCE', { explicitWorkspaceRequired: true }), ['providerWorkspaceRef']],
  'a workspace that is asked for once': [
    { ...oauth('authorizationCode', { explicitWorkspaceRequired: true }), metadata: { input: [{ name: 'workspace' }] } },
    ['providerMetadata.workspace'],
  ],
  'a client and scopes': [
    oauth('clientCredentials', { explicitScopesRequired: true }),
    ['oauth2ClientCredentials.clientId', 'oauth2ClientCredentials.clientSecret', 'oauth2ClientCredentials.scopes'],
  ],
  'a person and a client': [
    oauth('password'),
    ['username', 'password', 'clientId', 'clientSecret'].map((name) => `oauth2PasswordCredentials.${name}`),
  ],
  'inputs of its own': [provider('custom', { customOpts: { inputs: [secret] } }), ['customAuth.secret']],
  'steps': [provider('custom', { customOpts: { multiStep: true } }), []],
  'inputs of the account': [provider('apiKey', { metadata: { input: [region] } }), ['providerMetadata.region', 'apiKey']],
  'inputs of another module': [
    provider('apiKey', { defaultModule: 'crm', metadata: { input: [{ ...region, moduleDependencies: { mail: {} } }] } }),
    ['apiKey'],
  ],
  'an odd name': [provider('custom', { customOpts: { inputs: [{ ...secret, name: 'a.b' }] } }), ['customAuth["a.b"]']],
};

for (const [name, [asking, paths]] of Object.entries(kinds)) {
  test(`a provider asks for ${name}`, () => {
    assert.deepEqual(askedFor(asking, words).map(({ path }) => path), paths);
  });
}

test('a connection is healed by what it was made of', () => {
  const again = (asking, authScheme) => askedFor(asking, words, { connection: { authScheme } }).map(({ path }) => path);
  assert.deepEqual(again(oauth('authorizationCode', { explicitWorkspaceRequired: true }), 'oauth2/authorizationCode'), []);
  assert.deepEqual(again(oauth('authorizationCode'), 'apiKey'), ['apiKey']);
  assert.deepEqual(again(kinds['a key in place of a password'][0], 'basic'), ['basicAuth.username', 'basicAuth.password']);
  assert.deepEqual(again(kinds['inputs of its own'][0], 'none'), ['customAuth.secret']);
});

test('what is known of the account stands there, and no secret does', () => {
  const asking = provider('apiKey', { metadata: { input: [{ ...region, defaultValue: 'eu' }] } });
  const connection = { authScheme: 'apiKey', providerMetadata: { region: { value: 'us' } } };
  assert.deepEqual(askedFor(asking, words).map(({ initial, required }) => [initial, required]), [['eu', false], ['', true]]);
  assert.deepEqual(askedFor(asking, words, { connection }).map(({ initial }) => initial), ['us', '']);
});

test('what was typed goes where the server wants it', () => {
  const asking = { ...kinds['a client and scopes'][0], metadata: { input: [region, { ...region, name: '__proto__' }] } };
  const asked = askedFor(asking, words);
  const typed = ['eu', 'x', 'id', 'shh', 'read, write'];
  const values = new Map(asked.map(({ path }, index) => [path, typed[index]]));
  assert.equal(JSON.stringify(credentialsOf(asked, values)), JSON.stringify({
    providerMetadata: JSON.parse('{"region": {"value": "eu"}, "__proto__": {"value": "x"}}'),
    oauth2ClientCredentials: { clientId: 'id', clientSecret: 'shh', scopes: ['read', 'write'] },
  }));
  assert.deepEqual(credentialsOf(asked, new Map()), {});
});

const basic = askedFor(provider('basic', { metadata: { input: [region] } }), words);
for (const [path, beside, doubted, above] of [
  ['basicAuth.username', ['basicAuth.username'], [], 0],
  ['connection.basicAuth.username', ['basicAuth.username'], [], 0],
  ['basicAuth', [], ['basicAuth.username', 'basicAuth.password'], 1],
  ['providerMetadata.region.value', ['providerMetadata.region'], [], 0],
  ['provider', [], [], 1],
  ['', [], [], 1],
]) {
  test(`an issue of '${path}' stands where it belongs`, () => {
    const faults = faultsOf([{ path, message: 'is wrong', code: 'bad' }], basic);
    assert.deepEqual([[...faults.byPath.keys()], [...faults.doubted], faults.others.length], [beside, doubted, above]);
  });
}

test('only addresses of the web become links', () => {
  const addresses = ['https://a.test/x', 'http://a.test', 'javascript:alert(1)', ' java\nscript:alert(1)', 'data:,x', '/x', '', undefined];
  assert.deepEqual(addresses.map(webAddress), ['https://a.test/x', 'http://a.test/', ...Array(6).fill(undefined)]);
});
