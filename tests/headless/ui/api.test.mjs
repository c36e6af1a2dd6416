/** What becomes of answers that are no success, of retries, and of tokens: against a server that answers as it is told. */

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, beforeEach, test } from 'node:test';

const { createInstaller } = await import(process.env.ISTHMUS_HEADLESS);
const INTEGRATION = { id: 'i1', name: 'crm', provider: 'sandbox', latestRevision: { id: 'r1', content: {} } };
const problem = (status, more = {}) => ({ status, type: 'application/problem+json', body: JSON.stringify(more) });
const json = (body) => ({ status: 200, type: 'application/json', body: JSON.stringify(body) });

let server;
let origin;
let asked;
/** By method and path: answers in their order, the last one for good. */
let answers;

before(async () => {
  server = createServer((request, response) => {
    const name = `${request.method} ${new URL(request.url, 'http://x').pathname.replace('/v1/projects/p', '')}`;
    asked.push({ name, credential: request.headers.authorization ?? request.headers['x-api-key'] });
    const listed = answers[name] ?? [problem(404, { detail: name })];
    const { status, type, body, headers } = listed.length > 1 ? listed.shift() : listed[0];
    if (status === 0) request.socket.destroy();
    else response.writeHead(status, { 'Content-Type': type, ...headers }).end(body);
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  origin = `http://127.0.0.1:${server.address().port}`;
});
after(() => server.close());
beforeEach(() => {
  asked = [];
  answers = {
    'GET /integrations/crm': [json(INTEGRATION)],
    'GET /integrations/crm/installations': [json([])],
    'GET /v1/providers/sandbox': [json({ name: 'sandbox', displayName: 'Sandbox', authType: 'apiKey' })],
    'GET /connections': [json([])],
  };
});

function installer(more = { token: 'one' }) {
  return createInstaller({ server: origin, project: 'p', integration: 'crm', groupRef: 'g', consumerRef: 'c', ...more });
}

async function loaded(more) {
  const made = installer(more);
  await made.load();
  return made.state;
}

const tries = (name) => asked.filter((each) => each.name === name).length;

test('what is there is loaded', async () => {
  const { phase, error, provider, connection } = await loaded();
  assert.deepEqual([phase, error, provider.displayName, connection], ['connect', undefined, 'Sandbox', undefined]);
});

const CODES = { 400: 'invalid', 401: 'token', 403: 'forbidden', 404: 'missing', 409: 'conflict', 418: 'server', 422: 'invalid' };
for (const [status, code] of Object.entries(CODES)) {
  test(`a ${status} is told as ${code}, and not tried again`, async () => {
    answers['GET /integrations/crm'] = [problem(Number(status), { title: 'No', detail: 'Because.' })];
    const { phase, error } = await loaded();
    assert.deepEqual([phase, error.code, error.message, error.status], ['failed', code, 'Because.', Number(status)]);
    assert.equal(tries('GET /integrations/crm'), 1);
  });
}

test('issues come with their paths, whatever else is in them', async () => {
  const issues = [
    { type: 'urn:x', title: 'Required', detail: 'is required', in: 'body', name: 'customAuth.region', code: 'required' },
    { detail: 'is odd', name: 'provider', code: 'odd', severity: 'warning', value: 0, remedy: 'Mend it.' },
  ];
  answers['POST /connections:generate'] = [problem(422, { title: 'Invalid', issues })];
  const made = installer();
  await made.load();
  await assert.rejects(made.connect({ apiKey: 'wrong' }), { code: 'invalid', message: 'Invalid' });
  assert.deepEqual(made.state.issues, []);
  assert.deepEqual(made.state.error.issues, [
    { path: 'customAuth.region', message: 'is required', code: 'required', severity: 'error' },
    { path: 'provider', message: 'is odd', code: 'odd', severity: 'warning', value: 0, remedy: 'Mend it.' },
  ]);
  assert.deepEqual([made.state.busy, made.state.phase, made.state.error.code], ['', 'connect', 'invalid']);
});

test('an answer that is no JSON is told by its status', async () => {
  answers['GET /integrations/crm'] = [{ status: 403, type: 'text/html', body: '<h1>Proxy</h1>' }];
  assert.equal((await loaded()).error.message, 'The server answered 403.');
});

test('JSON that cannot be read is the server\'s fault', async () => {
  answers['GET /connections'] = [{ status: 200, type: 'application/json', body: '[{' }];
  assert.equal((await loaded()).error.code, 'server');
});

for (const status of [0, 429, 500, 503]) {
  test(`a question is asked again after ${status || 'no answer'}`, async () => {
    const bad = { ...problem(status), headers: { 'Retry-After': '0' } };
    answers['GET /connections'] = [bad, bad, json([])];
    assert.equal((await loaded()).phase, 'connect');
    assert.equal(tries('GET /connections'), 3);
  });
}

test('a question is asked three times and no more', async () => {
  answers['GET /connections'] = [{ ...problem(503, { detail: 'Away.' }), headers: { 'Retry-After': '0' } }];
  const { phase, error } = await loaded();
  assert.deepEqual([phase, error.code, error.message, tries('GET /connections')], ['failed', 'server', 'Away.', 3]);
});

test('what changes something is sent once', async () => {
  answers['POST /connections:generate'] = [{ ...problem(503, { detail: 'Away.' }), headers: { 'Retry-After': '0' } }];
  const made = installer();
  await made.load();
  await assert.rejects(made.connect({ apiKey: 'key' }), { code: 'server' });
  assert.equal(tries('POST /connections:generate'), 1);
});

test('a failed start can be tried again', async () => {
  answers['GET /integrations/crm'] = [problem(403), json(INTEGRATION)];
  const made = installer();
  await made.load();
  assert.equal(made.state.phase, 'failed');
  await made.load();
  assert.deepEqual([made.state.phase, made.state.error], ['connect', undefined]);
});

test('a frontend key goes into its own header', async () => {
  await loaded({ apiKey: 'key' });
  assert.deepEqual(new Set(asked.map((each) => each.credential)), new Set(['key']));
});

test('a function for tokens is asked once for all', async () => {
  let given = 0;
  await loaded({ token: async () => ` t${(given += 1)}\n` });
  assert.equal(given, 1);
  assert.deepEqual(new Set(asked.map((each) => each.credential)), new Set(['Bearer t1']));
});

test('a function for tokens is asked again when one is refused, and told which', async () => {
  const told = [];
  answers['GET /integrations/crm'] = [problem(401), json(INTEGRATION)];
  const { phase } = await loaded({ token: (refused) => `t${told.push(refused)}` });
  assert.deepEqual([phase, told], ['connect', [undefined, 't1']]);
});

test('a token that stays refused is an error of its own', async () => {
  answers['GET /integrations/crm'] = [problem(401, { detail: 'The token has expired.' })];
  assert.equal((await loaded({ token: () => 'same' })).error.code, 'token');
  assert.equal(tries('GET /integrations/crm'), 1);
});

test('a function for tokens that fails is an error of the token', async () => {
  const { error } = await loaded({ token: () => Promise.reject(new Error('logged out')) });
  assert.deepEqual([error.code, error.message], ['token', 'No token could be had: logged out']);
});

test('a token is replaced before it dies, by its own times', async (context) => {
  context.mock.timers.enable({ apis: ['Date'] });
  const claims = Buffer.from(JSON.stringify({ iat: 1_000_000, exp: 1_000_600 })).toString('base64url');
  let given = 0;
  const made = installer({ token: () => `h.${claims}.${(given += 1)}` });
  for (const [seconds, expected] of [[0, 1], [500, 1], [600, 2]]) {
    context.mock.timers.setTime(seconds * 1000);
    await made.load();
    assert.equal(given, expected);
  }
});

const tokenFor = (claims) => `h.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.s`;
for (const [name, token, message] of [
  ['that stands in an example', '…', 'This is no token.'],
  ['of another group', tokenFor({ groupRef: 'globex' }), "The token was signed for another group, 'globex'."],
]) {
  test(`a token ${name} is told before anything is asked`, async () => {
    const { phase, error } = await loaded({ token: () => token });
    assert.deepEqual([phase, error.code, error.message, asked], ['failed', 'token', message, []]);
  });
}

test('a token of a group in any script is sent', async () => {
  assert.equal((await loaded({ groupRef: 'Zürich', token: () => tokenFor({ groupRef: 'Zürich' }) })).phase, 'connect');
});

for (const server of ['isthmus', 'localhost:8080', 'file:///isthmus']) {
  test(`a server such as '${server}' is refused at once`, () => {
    assert.throws(() => createInstaller({ server, project: 'p' }), /TypeError: 'server' has to be an origin/);
  });
}

test('nothing is told after closing', async () => {
  const made = installer();
  let told = 0;
  made.subscribe(() => (told += 1));
  const loading = made.load();
  const before = told;
  made.close();
  await loading;
  assert.equal(told, before);
});
