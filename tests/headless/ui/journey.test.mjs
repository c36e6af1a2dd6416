/**
 * One customer's way through the headless module, as a page of the product's own would go it, against a whole server:
 * connect, configure, see, install, change while another tab does, leave.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

const { createInstaller } = await import(process.env.ISTHMUS_HEADLESS);
const { server, project, token, sandboxKey } = JSON.parse(process.env.ISTHMUS_STAGE);

function tab() {
  return createInstaller({
    server,
    project,
    integration: 'crm',
    groupRef: 'globex',
    groupName: 'Globex',
    consumerRef: 'hank',
    token,
    fieldMapping: { contacts: [{ mapToName: 'level', mapToDisplayName: 'Level' }] },
  });
}

function settled(installer) {
  return new Promise((resolve) => {
    const look = (state) => state.reviewing || resolve(state);
    installer.subscribe(look);
    look(installer.state);
  });
}

const paths = (issues) => issues.filter((each) => each.severity !== 'warning').map((each) => each.path);
const SETTINGS = 'config.content.write.objects.contacts.selectedFieldSettings';

test('a customer installs, changes and leaves', async (context) => {
  const installer = tab();
  const phases = [];
  installer.subscribe(({ phase }) => phases.at(-1) === phase || phases.push(phase));
  assert.equal(installer.state.phase, 'loading');
  await installer.load();
  assert.equal(installer.state.error, undefined);
  assert.equal(installer.state.phase, 'connect');
  assert.equal(installer.state.provider.authType, 'apiKey');

  await context.test('refused credentials are told where they stand', async () => {
    await assert.rejects(installer.connect({ apiKey: 'wrong' }), { code: 'invalid', status: 422 });
    assert.deepEqual(paths(installer.state.error.issues), ['apiKey']);
    assert.deepEqual([installer.state.phase, installer.state.busy], ['connect', '']);
  });

  await context.test('the first draft is what the manifest preselects', async () => {
    await installer.connect({ apiKey: sandboxKey });
    const { phase, error, manifest, content, dirty, connection } = installer.state;
    assert.deepEqual([phase, error, dirty, connection.group.groupName], ['configure', undefined, true, 'Globex']);
    assert.equal(manifest.content.read.objects[0].allFieldsMetadata.score.valueType, 'int');
    assert.equal(manifest.content.read.objects[0].allFields, undefined);
    assert.deepEqual(manifest.content.write.objects.map(({ canDelete }) => canDelete), [true, true]);
    assert.deepEqual(content, {
      provider: 'sandbox',
      read: {
        objects: {
          contacts: {
            objectName: 'contacts',
            selectedFields: { email: true },
            selectedFieldMappings: {},
            dynamicMappingsInput: [{ mapToName: 'level', mapToDisplayName: 'Level' }],
          },
        },
      },
      write: { objects: { contacts: { objectName: 'contacts' }, companies: { objectName: 'companies' } } },
      proxy: { enabled: true },
    });
  });

  await context.test('field settings are set in exactly the documented form', () => {
    const contacts = installer.draft.writeObject('contacts');
    const settings = { default: { stringValue: 'n/a' }, writeOnCreate: 'always', writeOnUpdate: 'ifEmpty' };
    contacts.setFieldSettings({ fieldName: 'phone', settings });
    for (const get of ['getFieldSettings', 'getSelectedFieldSettings']) assert.deepEqual(contacts[get]('phone'), settings);
    assert.deepEqual(contacts.getDefaultValues('phone'), { stringValue: 'n/a' });
    assert.equal(contacts.getWriteOnCreateSetting('phone'), 'always');
    assert.equal(contacts.getWriteOnUpdateSetting('phone'), 'ifEmpty');
    contacts.setDefaultValues({ fieldName: 'phone', value: { stringValue: 'none' } });
    contacts.setWriteOnCreateSetting({ fieldName: 'phone', value: undefined });
    contacts.setWriteOnUpdateSetting({ fieldName: 'phone', value: 'never' });
    assert.deepEqual(contacts.getFieldSettings('phone'), { default: { stringValue: 'none' }, writeOnUpdate: 'never' });
    contacts.setSelectedFieldSettings({ fieldName: 'phone', settings: undefined });
    assert.equal(contacts.getFieldSettings('phone'), undefined);
    assert.equal(contacts.getFieldSettings('constructor'), undefined);
    assert.deepEqual(installer.draft.edits, []);
  });

  await context.test('a draft is reviewed soon after it was changed, and only the last answer counts', async () => {
    const { draft } = installer;
    for (const integerValue of [1, 2, 3]) {
      draft.writeObject('contacts').setDefaultValues({ fieldName: 'jobTitle', value: { integerValue } });
    }
    assert.equal(draft.edits.length, 1);
    assert.equal(installer.state.reviewing, true);
    assert.deepEqual(paths((await settled(installer)).issues), [`${SETTINGS}.jobTitle.default`]);
    draft.writeObject('contacts').setDefaultValues({ fieldName: 'jobTitle', value: { stringValue: 'Chief' } });
    assert.deepEqual(paths(await installer.review()), []);
  });

  await context.test('a sample shows what it would become', async () => {
    installer.draft.readObject('contacts').setFieldMapping({ fieldName: 'lifecycleStage', mapToName: 'level' });
    const sample = { objectName: 'contacts', type: 'create', record: { emailAddress: 'ann@example.com', level: 'lead' } };
    const { change } = await installer.preview(sample);
    assert.deepEqual(change.records[0].fields, { email: 'ann@example.com', lifecycleStage: 'lead', jobTitle: 'Chief' });
  });

  await context.test('installing saves the draft as it stands', async () => {
    const installed = await installer.install();
    const { phase, dirty, content, installation } = installer.state;
    assert.deepEqual([phase, dirty, installer.draft.edits.length], ['installed', false, 0]);
    assert.equal(installation.id, installed.id);
    assert.equal(content.read.objects.contacts.schedule, '0 * * * *');
    assert.equal(content.read.objects.contacts.selectedFieldMappings.level, 'lifecycleStage');
    assert.equal(installed.config.createdBy, 'consumer:hank');
  });

  const other = tab();
  await other.load();

  await context.test('another tab sees it, and nothing in it looks changed', () => {
    assert.deepEqual([other.state.phase, other.state.dirty], ['installed', false]);
  });

  await context.test('what is done and undone is no change', () => {
    const contacts = other.draft.readObject('contacts');
    contacts.setSelectedField({ fieldName: 'score', selected: true });
    assert.deepEqual([other.state.dirty, contacts.getSelectedField('score')], [true, true]);
    contacts.setSelectedField({ fieldName: 'score', selected: false });
    assert.deepEqual([other.state.dirty, other.draft.edits.length], [false, 0]);
    contacts.setDisableRead();
    other.draft.writeObject('contacts').setEnableDeletion();
    assert.deepEqual([other.state.dirty, other.draft.edits.length], [true, 2]);
    contacts.setEnableRead();
    other.draft.writeObject('contacts').setDisableDeletion();
    assert.deepEqual([other.state.dirty, other.draft.edits.length], [false, 0]);
  });

  await context.test('what somebody types is one edit, but for what has switched an object on', () => {
    const companies = other.draft.writeObject('companies');
    const type = (text) => companies.setDefaultValues({ fieldName: 'name', value: text && { stringValue: text } });
    for (const text of ['A', 'Ac', 'Acme']) type(text);
    assert.deepEqual(other.draft.edits.map(({ value }) => value.stringValue), ['Acme']);
    companies.setDisableWrite();
    assert.equal(companies.enabled, false);
    for (const text of ['B', 'Bc', undefined]) type(text);
    assert.deepEqual([companies.enabled, companies.getDefaultValues('name')], [true, undefined]);
    const edits = other.draft.edits.map(({ edit, value }) => [edit, value?.stringValue]);
    assert.deepEqual(edits, []);
    other.draft.reset();
  });

  await context.test('who is late is told, and keeps their changes on top of the other ones', async () => {
    other.draft.writeObject('contacts').setEnableDeletion();
    installer.draft.readObject('contacts').setSelectedField({ fieldName: 'score', selected: true });
    await installer.update();
    assert.deepEqual([installer.state.phase, installer.state.dirty], ['installed', false]);
    await assert.rejects(other.update(), { code: 'conflict', status: 409 });
    assert.deepEqual([other.state.dirty, other.state.error.code], [true, 'conflict']);
    assert.deepEqual(other.draft.edits, [{ edit: 'enableDeletion', objectName: 'contacts' }]);
    const updated = await other.update();
    const { read, write } = updated.config.content;
    assert.equal(read.objects.contacts.selectedFields.score, true);
    assert.deepEqual(write.objects.contacts.deletionSettings, { enabled: true });
    assert.equal(other.state.error, undefined);
  });

  await context.test('what cannot be saved stays in the draft, with the issues', async () => {
    await installer.load();
    installer.draft.writeObject('contacts').setDefaultValues({ fieldName: 'lifecycleStage', value: { stringValue: 'pope' } });
    await assert.rejects(installer.update(), { code: 'invalid', status: 422 });
    assert.deepEqual(paths(installer.state.issues), [`${SETTINGS}.lifecycleStage.default`]);
    assert.equal(installer.state.dirty, true);
    installer.draft.reset();
    assert.deepEqual([installer.state.dirty, installer.draft.edits.length], [false, 0]);
  });

  await context.test('a connection in use is not given up', async () => {
    await assert.rejects(installer.disconnect(), { code: 'conflict', status: 409 });
    assert.equal(installer.state.phase, 'installed');
  });

  await context.test('uninstalling leaves nothing', async () => {
    installer.draft.writeObject('contacts').setEnableDeletion();
    await installer.uninstall();
    assert.deepEqual([installer.draft.edits, installer.state.issues], [[], []]);
    const { phase, connection, installation, error } = installer.state;
    assert.deepEqual([phase, connection, installation, error], ['connect', undefined, undefined, undefined]);
    assert.deepEqual(phases, ['loading', 'connect', 'configure', 'installed', 'connect']);
  });

  installer.close();
  other.close();
});
