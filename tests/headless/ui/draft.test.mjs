/** What a draft remembers of what was done to it, and where a refused edit stands. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const { createDraft, applyEdits, Refusal, pathOfEdit, placed } = await import(process.env.ISTHMUS_ELEMENT);

const MANIFEST = { provider: 'crm', read: { objects: [{ objectName: 'a' }, { objectName: 'b' }] }, write: { objects: [{ objectName: 'a' }] } };
const CONTENT = { provider: 'crm' };

function standing() {
  const draft = createDraft(() => undefined);
  draft.stand({ manifest: MANIFEST, content: CONTENT, offers: {} }, 'forget');
  return draft;
}

test('whoever switches fields on and off asks for one edit each', () => {
  const draft = standing();
  const object = draft.readObject('a');
  for (let turn = 0; turn < 2001; turn += 1) object.setSelectedField({ fieldName: `f${turn % 3}`, selected: turn % 2 === 0 });
  assert.equal(draft.edits.length, 3);
});

test('the edits that are kept make the draft, whatever was done', () => {
  let seed = 7;
  const pick = (list) => list[(seed = (seed * 48271) % 2147483647) % list.length];
  const kinds = [
    () => ({ edit: pick(['enableRead', 'disableRead']), objectName: pick(['a', 'b']) }),
    () => ({ edit: 'selectField', objectName: pick(['a', 'b']), fieldName: pick(['x', 'y']), selected: pick([true, false]) }),
    () => ({ edit: 'mapField', objectName: 'a', fieldName: pick(['x', 'y']), mapToName: 'm', action: pick(['read', 'write']) }),
    () => ({ edit: 'unmapField', objectName: 'a', mapToName: 'm', action: pick(['read', 'write']) }),
    () => ({ edit: 'setDefault', objectName: 'a', fieldName: 'x', value: pick([null, { stringValue: 's' }]) }),
    () => ({ edit: 'setWriteOnUpdate', objectName: 'a', fieldName: 'x', value: pick([null, 'never', 'ifEmpty']) }),
    () => ({ edit: pick(['enableWrite', 'disableWrite', 'removeObject']), objectName: 'a' }),
  ];
  for (let round = 0; round < 200; round += 1) {
    const draft = standing();
    for (let turn = 0; turn < 12; turn += 1) draft.apply(pick(kinds)());
    if (draft.edits.length) assert.deepEqual(applyEdits(MANIFEST, CONTENT, draft.edits), draft.content);
  }
});

test('an edit that is refused is told where it was made', () => {
  const write = 'config.content.write.objects';
  const places = [
    [{ edit: 'enableProxy' }, 'config.content.proxy'],
    [{ edit: 'enableRead', objectName: 'a b' }, 'config.content.read.objects["a b"]'],
    [{ edit: 'selectField', objectName: 'a', fieldName: 'x', selected: true }, 'config.content.read.objects.a.selectedFields.x'],
    [{ edit: 'mapField', objectName: 'a', mapToName: 'm', fieldName: 'x' }, 'config.content.read.objects.a.selectedFieldMappings.m'],
    [{ edit: 'unmapField', objectName: 'a', mapToName: 'm', action: 'write' }, `${write}.a.selectedFieldMappings.m`],
    [{ edit: 'mapValues', objectName: 'a', fieldName: 'x', values: {}, action: 'write' }, `${write}.a.selectedValueMappings.x`],
    [{ edit: 'setDefault', objectName: 'a', fieldName: 'x', value: null }, `${write}.a.selectedFieldSettings.x`],
    [{ edit: 'removeObject', objectName: 'a' }, `${write}.a`],
  ];
  for (const [edit, path] of places) assert.equal(pathOfEdit(edit), path);
  const edits = places.map(([edit]) => edit);
  const given = ['edits[1].objectName', 'edits[6].value.stringValue', 'edits[99]', 'edits', 'config.content.read'];
  const refusal = new Refusal('invalid', 'no', 422, given.map((path) => ({ path, message: path })));
  const paths = placed(refusal, edits).issues.map(({ path }) => path);
  assert.deepEqual(paths, [places[1][1], places[6][1], ...given.slice(2)]);
  const other = new Refusal('network', 'no');
  assert.equal(placed(other, edits), other);
});

const { cases } = JSON.parse(readFileSync(process.env.ISTHMUS_DEFAULTS, 'utf8'));
for (const { name, object, fieldName, default: expected } of cases) {
  test(`a default is shown: ${name}`, () => {
    const draft = createDraft(() => undefined);
    const content = { provider: 'crm', write: { objects: { a: { objectName: 'a', ...object } } } };
    draft.stand({ manifest: MANIFEST, content, offers: {} }, 'forget');
    assert.deepEqual(draft.writeObject('a').getDefaultValues(fieldName), expected);
  });
}
