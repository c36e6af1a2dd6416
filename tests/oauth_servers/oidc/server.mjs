// oidc-provider as a program: `node server.mjs` prints `listening on ORIGIN` and serves on a port of the kernel's.
// What tests want to know or change stands below /_test/; the rest is the provider's own, and contacts that it guards.

import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { Provider } from 'oidc-provider';
import { Adapter, stored } from './adapter.mjs';

const HOUR = 3600;
const tokenRequests = [];
const contacts = new Map();

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const origin = `http://127.0.0.1:${server.address().port}`;
  const provider = makeProvider(origin);
  const callback = provider.callback();
  server.on('request', (request, response) => {
    const url = new URL(request.url, origin);
    const handle = own(url.pathname, provider);
    if (!handle) return callback(request, response);
    return handle(request, url)
      .catch((error) => [500, { error: String(error) }])
      .then(([status, body, headers = {}]) => {
        response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
      });
  });
  console.log(`listening on ${origin}`);
});

function makeProvider(origin) {
  const provider = new Provider(origin, {
    adapter: Adapter,
    pkce: { required: () => true },
    rotateRefreshToken: true,
    cookies: { keys: [randomBytes(16).toString('hex')] },
    issueRefreshToken: async (_context, client) => client.grantTypeAllowed('refresh_token'),
    scopes: ['openid', 'offline_access', 'contacts.read', 'contacts.write'],
    extraClientMetadata: { properties: ['token_life'] },
    features: {
      devInteractions: { enabled: true },
      introspection: { enabled: true },
      revocation: { enabled: true },
      clientCredentials: { enabled: true },
    },
    ttl: {
      AccessToken: (_context, _token, client) => client.token_life ?? HOUR,
      ClientCredentials: (_context, _token, client) => client.token_life ?? HOUR,
      AuthorizationCode: 60,
      Grant: 24 * HOUR,
      Interaction: HOUR,
      RefreshToken: 24 * HOUR,
      Session: 24 * HOUR,
    },
    findAccount: async (_context, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
  });
  provider.use(async (context, next) => {
    await next();
    if (context.path !== '/token') return;
    const { client, params } = context.oidc;
    tokenRequests.push({ clientId: client?.clientId, grantType: params?.grant_type, status: context.status });
  });
  return provider;
}

function own(path, provider) {
  const routes = {
    '/contacts': (request) => guarded(provider, request),
    '/_test/applications': (request) => register(provider, request),
    '/_test/token-requests': async (_request, url) => {
      const requests = tokenRequests.filter((each) => each.clientId === url.searchParams.get('client_id'));
      return [200, { requests }];
    },
    '/_test/tokens': async (_request, url) => {
      const of = (model) => living(model, url.searchParams.get('client_id')).length;
      return [200, { access: of('AccessToken') + of('ClientCredentials'), refresh: of('RefreshToken') }];
    },
    '/_test/expire': async (_request, url) => [200, { expired: expire(url.searchParams.get('client_id')) }],
  };
  return routes[path];
}

async function guarded(provider, request) {
  const [scheme, value = ''] = (request.headers.authorization ?? '').split(' ');
  const token = (await provider.AccessToken.find(value)) ?? (await provider.ClientCredentials.find(value));
  if (scheme.toLowerCase() !== 'bearer' || !token || !token.scope?.split(' ').includes('contacts.read')) {
    return [401, { error: 'invalid_token' }, { 'www-authenticate': 'Bearer error="invalid_token"' }];
  }
  if (request.method !== 'POST') return [200, { contacts: [...contacts.values()] }];
  const contact = { ...(await json(request)), id: String(contacts.size + 1) };
  contacts.set(contact.id, contact);
  return [201, contact];
}

async function register(provider, request) {
  const asked = await json(request);
  const browser = asked.grant === 'authorization-code';
  const clientId = randomBytes(12).toString('hex');
  const secret = asked.public ? {} : { client_secret: randomBytes(24).toString('base64url') };
  await new Adapter('Client').upsert(clientId, {
    client_id: clientId,
    ...secret,
    client_name: asked.name,
    redirect_uris: asked.redirectUris,
    grant_types: browser ? ['authorization_code', 'refresh_token'] : ['client_credentials'],
    response_types: browser ? ['code'] : [],
    token_endpoint_auth_method: asked.public ? 'none' : 'client_secret_post',
    token_life: asked.tokenLife,
  });
  if (!(await provider.Client.find(clientId))) throw new Error('the provider does not know the client');
  return [201, { clientId, clientSecret: secret.client_secret ?? '' }];
}

function living(model, clientId) {
  const now = Date.now() / 1000;
  const all = [...(stored.get(model)?.values() ?? [])];
  return all.filter((each) => each.clientId === clientId && each.exp > now && !each.consumed);
}

function expire(clientId) {
  const tokens = [...living('AccessToken', clientId), ...living('ClientCredentials', clientId)];
  for (const each of tokens) each.exp = 1;
  return tokens.length;
}
