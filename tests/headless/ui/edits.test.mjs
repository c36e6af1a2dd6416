/** The one table of edits, as the browser carries them out. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const { applyEdits } = await import(process.env.ISTHMUS_HEADLESS);
const { cases } = JSON.parse(readFileSync(process.env.ISTHMUS_EDITS, 'utf8'));

function frozen(value) {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(frozen);
  return value;
}

for (const { name, manifest, content, edits, result, issues } of cases) {
  test(name, () => {
    const made = () => applyEdits(frozen(manifest), frozen(content), frozen(edits));
    if (result !== undefined) {
      assert.deepEqual(JSON.parse(JSON.stringify(made())), result);
      return;
    }
    assert.throws(made, (refusal) => {
      assert.deepEqual(refusal.issues.map(({ path, code }) => ({ path, code })), issues);
      return true;
    });
  });
}

for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
  test(`a field named ${name} is a field like any other`, () => {
    const manifest = { provider: 'crm', write: { objects: [{ objectName: name }] } };
    const settings = { writeOnUpdate: 'never' };
    const edits = [{ edit: 'setFieldSettings', objectName: name, fieldName: name, settings }];
    const made = JSON.stringify(applyEdits(manifest, { provider: 'crm' }, edits));
    const object = `{"objectName":"${name}","selectedFieldSettings":{"${name}":{"writeOnUpdate":"never"}}}`;
    assert.equal(made, `{"provider":"crm","write":{"objects":{"${name}":${object}}}}`);
    assert.equal({}.writeOnUpdate, undefined);
  });
}
