// What a product's page does that embeds the published React library 2.16.1, without React: the same requests, the same
// way to open the window, the same two listeners with their different habits. The strict flow is our own addition.
//
// The test puts `settings` into the page: {server, projectId, key, token, request, connectionId}.

const seen = (window.seen = { messages: [], foreign: 0, connection: null, error: null, cancelled: false });
const settings = () => window.settings;

function show(state) {
  document.getElementById('state').textContent = state;
  document.getElementById('error').textContent = seen.error ?? '';
}

function headers(more = {}) {
  const { key, token } = settings();
  const credential = token ? { Authorization: `Bearer ${token}` } : { 'X-Api-Key': key };
  return { ...credential, 'X-Amp-Client': 'react', 'X-Amp-Client-Version': '2.16.1', ...more };
}

async function call(method, path, body) {
  const answer = await fetch(`${settings().server}/v1${path}`, {
    method,
    headers: headers(body ? { 'Content-Type': 'application/json' } : {}),
    body: body && JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  return answer;
}

// The library reads JSON where the media type says so, and text otherwise.
async function link(answer) {
  return /json/i.test(answer.headers.get('content-type')) ? answer.json() : answer.text();
}

function openWindow(url, title) {
  const left = window.screenX + (window.outerWidth - 600) / 2;
  const top = window.screenY + (window.outerHeight - 600) / 2.5;
  return window.open(url, title, `width=600,height=600,left=${left},top=${top}`);
}

function requestOf(more = {}) {
  const { projectId, request } = settings();
  return { projectIdOrName: projectId, enableCSRFProtection: false, providerMetadata: {}, ...request, ...more };
}

async function guarded(act) {
  seen.error = null;
  show('working');
  try {
    await act();
  } catch (error) {
    seen.error = String(error.message ?? error);
    show('failed');
  }
}

// The listener of a first connection: reads data.error, throws without data, closes on any message of our origin.
let firstWindow = null;
window.addEventListener('message', (event) => {
  if (event.origin !== settings()?.server) {
    seen.foreign += 1;
    return;
  }
  if (!firstWindow) return;
  seen.messages.push(event.data);
  if (event.data?.eventType === 'AUTHORIZATION_SUCCEEDED') {
    seen.error = null;
    seen.connection = event.data.data.connection;
    show('connected');
  } else if (event.data?.eventType === 'AUTHORIZATION_FAILED') {
    seen.error = event.data.data.error || 'An error occurred. Please try again.';
    show('failed');
  }
  firstWindow.close();
});

async function connectFirst() {
  firstWindow = openWindow(await link(await call('POST', '/oauth-connect', requestOf())), 'OAuthPopup');
}

// The listener of an update: reads message, puts the connection into its cache, closes on success only, and looks
// every half second whether the window was closed.
async function connectAgain() {
  const { projectId, connectionId } = settings();
  const url = await link(await call('PATCH', `/projects/${projectId}/connections/${connectionId}:oauth-update`));
  const opened = openWindow(url, 'Connect to Provider');
  const receive = (event) => {
    if (event.origin !== settings().server) return;
    seen.messages.push(event.data);
    if (event.data.eventType === 'AUTHORIZATION_SUCCEEDED') {
      const connection = event.data.data?.connection;
      if (!connection) return;
      seen.connection = connection;
      opened?.close();
      show('connected');
    }
    if (event.data.eventType === 'AUTHORIZATION_FAILED') {
      seen.error = event.data.message ?? 'Something went wrong, try refreshing this page, and then try again.';
      show('failed');
    }
  };
  window.addEventListener('message', receive, false);
  const looking = setInterval(() => {
    if (!opened?.closed) return;
    clearInterval(looking);
    if (!seen.connection && !seen.error) {
      seen.cancelled = true;
      show('cancelled');
    }
  }, 500);
}

// What our own element does: it finishes with its own token before any token of the provider's is fetched.
async function connectStrictly() {
  const opened = openWindow(await link(await call('POST', '/oauth-connect', requestOf({ flow: 'strict' }))), 'Strict');
  window.addEventListener('message', async (event) => {
    if (event.origin !== settings().server) return;
    seen.messages.push(event.data);
    const code = event.data?.data?.completionCode;
    if (event.data?.eventType === 'AUTHORIZATION_FAILED') {
      seen.error = event.data.message;
      show('failed');
    }
    if (!code) return;
    await guarded(async () => {
      const answer = await call('POST', '/oauth-connect:complete', {
        projectIdOrName: settings().projectId,
        completionCode: code,
      });
      seen.connection = await answer.json();
      opened?.close();
      show('connected');
    });
  });
}

document.getElementById('first').addEventListener('click', () => guarded(connectFirst));
document.getElementById('update').addEventListener('click', () => guarded(connectAgain));
document.getElementById('strict').addEventListener('click', () => guarded(connectStrictly));
