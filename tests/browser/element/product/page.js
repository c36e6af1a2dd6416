// What a product's page does with the element: it listens, and puts one into its place. The test calls `show`.

window.told = [];
window.violations = [];

const EVENTS = ['connected', 'installed', 'updated', 'uninstalled', 'error', 'tokenexpired', 'dirtychange'];
for (const name of EVENTS) {
  document.addEventListener(name, ({ detail }) => window.told.push({ name, detail: JSON.parse(JSON.stringify(detail ?? null)) }));
}
document.addEventListener('securitypolicyviolation', (event) => {
  window.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
});

// Properties are set before the element is there, as frameworks do; `getToken` is the test's own function.
window.show = async ({ script, attributes, properties = {}, asks = false }) => {
  await import(script);
  const element = document.createElement('isthmus-install');
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  Object.assign(element, properties);
  if (asks) element.getToken = (refused) => window.freshToken(refused ?? '');
  window.shownAt = performance.now();
  document.getElementById('place').replaceChildren(element);
};
