/**
 * The draft: the config as the customer has it on the screen, and the edits that lead to it. Its handlers bear the
 * names of the published library's, and record what they do as edits.
 */

import { applyEdits } from './applying.js';
import type { Manifest } from './applying.js';
import type { Draft, ReadObjectDraft, WriteObjectDraft } from './contract.js';
import { settingsIn } from './defaults.js';
import type { Action, Edit } from './edits.js';
import type { Offers } from './filling.js';
import { sameMeaning } from './meaning.js';
import { own, same } from './records.js';
import type { ConfigContent, FieldSettings, WriteObjectConfig } from './shapes.js';

/** What the draft starts from. */
export interface Ground {
  /** What an edit is judged by; without it there is nothing to edit yet. */
  manifest: Manifest;
  content: ConfigContent;
  offers: Offers;
}

export interface LocalDraft extends Draft {
  /** Whether saving would change anything. */
  readonly changed: boolean;
  /** What the server is asked for: what the page offers, and then what the customer did. */
  readonly asked: readonly Edit[];
  /** Put it on another ground. Edits that still make sense there are kept, where that is wanted. */
  stand(ground: Ground, edits: 'keep' | 'forget'): void;
}

export const NOTHING: Ground = { manifest: { provider: '' }, content: { provider: '' }, offers: {} };

export function createDraft(changed: () => void): LocalDraft {
  let ground = NOTHING;
  /** The ground with what the page offers: from here the customer's own changes count. */
  let start = NOTHING.content;
  let offered: Edit[] = [];
  let content = start;
  let edits: Edit[] = [];

  function make(edit: Edit): void {
    const began = content;
    content = applyEdits(ground.manifest, began, [edit]);
    if (same(content, began)) return;
    record(edit);
    for (const offer of offersFor(began)) make(offer);
    if (sameMeaning(content, start)) [content, edits] = [start, []];
  }

  /** Of edits about the same thing the last one says it all: unless an earlier one has also begun something. */
  function record(edit: Edit): void {
    const target = targetOf(edit);
    const folded = [...edits.filter((each) => targetOf(each) !== target), edit];
    const isEnough = folded.length <= edits.length && same(applyEdits(ground.manifest, start, folded), content);
    edits = isEnough ? folded : [...edits, edit];
  }

  /** An object that has just been switched on gets what the page offers for it. */
  function offersFor(began: ConfigContent): Edit[] {
    const names = Object.keys(content.read?.objects ?? {}).filter((name) => !own(began.read?.objects, name));
    return names.flatMap((name) => offersOf(ground, content, name));
  }

  function apply(...wanted: Edit[]): void {
    const was = content;
    // All of them or none: what cannot be is thrown here.
    applyEdits(ground.manifest, content, wanted);
    wanted.forEach(make);
    if (content !== was) changed();
  }

  function reset(): void {
    content = start;
    edits = [];
    changed();
  }

  function stand(next: Ground, which: 'keep' | 'forget'): void {
    const kept = which === 'keep' ? edits : [];
    ground = next;
    offered = Object.keys(next.content.read?.objects ?? {}).flatMap((name) => offersOf(next, next.content, name));
    start = applyEdits(next.manifest, next.content, offered);
    content = start;
    edits = [];
    for (const edit of kept) {
      try {
        make(edit);
      } catch {
        // The object is gone from the manifest, and with it the change.
      }
    }
  }

  return {
    get content() {
      return content;
    },
    get edits() {
      return edits;
    },
    get changed() {
      return !sameMeaning(content, ground.content);
    },
    get asked() {
      return [...offered, ...edits];
    },
    apply,
    reset,
    stand,
    readObject: (objectName) => readHandlers(() => content, apply, objectName),
    writeObject: (objectName) =>
      writeHandlers(() => content, apply, objectName, () => isWritten(ground, content, objectName)),
    proxy: () => ({
      enabled: content.proxy?.enabled ?? false,
      setEnableProxy: () => apply({ edit: 'enableProxy' }),
      setDisableProxy: () => apply({ edit: 'disableProxy' }),
    }),
    removeObject: (objectName) => apply({ edit: 'removeObject', objectName }),
  };
}

function offersOf(ground: Ground, content: ConfigContent, objectName: string): Edit[] {
  const mappings = own(ground.offers, objectName);
  const found = own(content.read?.objects, objectName)?.dynamicMappingsInput ?? [];
  if (mappings === undefined || same(found, mappings)) return [];
  return [{ edit: 'offerMappings', objectName, mappings }];
}

/** Without a word about writing, every write object of the manifest is on. */
function isWritten(ground: Ground, content: ConfigContent, objectName: string): boolean {
  if (content.write !== undefined) return own(content.write.objects, objectName) !== undefined;
  return ground.manifest.write?.objects.some((each) => each.objectName === objectName) ?? false;
}

const TARGETS = new WeakMap<Edit, string>();

/** What an edit changes: two of the same are about the same thing. */
function targetOf(edit: Edit): string {
  const known = TARGETS.get(edit);
  if (known !== undefined) return known;
  const { edit: kind, objectName, fieldName, mapToName, action } = edit as Partial<Record<string, string>>;
  const target = JSON.stringify([kind, objectName, mapToName ?? fieldName, action]);
  TARGETS.set(edit, target);
  return target;
}

type Make = (...edits: Edit[]) => void;
type Content = () => ConfigContent;

function mappingHandlers(content: Content, apply: Make, objectName: string, action: Action) {
  const object = () => own(content()[action]?.objects, objectName);
  return {
    getFieldMapping: (mapToName: string) => own(object()?.selectedFieldMappings, mapToName),
    setFieldMapping: ({ fieldName, mapToName }: { fieldName: string; mapToName: string }) =>
      apply({ edit: 'mapField', objectName, mapToName, fieldName, action }),
    deleteFieldMapping: (mapToName: string) => apply({ edit: 'unmapField', objectName, mapToName, action }),
    getValueMapping: (fieldName: string) => own(object()?.selectedValueMappings, fieldName),
    setValueMapping: ({ fieldName, values }: { fieldName: string; values: Record<string, string> }) =>
      apply({ edit: 'mapValues', objectName, fieldName, values, action }),
  };
}

function readHandlers(content: Content, apply: Make, objectName: string): ReadObjectDraft {
  const object = () => own(content().read?.objects, objectName);
  return {
    get object() {
      return object();
    },
    setEnableRead: () => apply({ edit: 'enableRead', objectName }),
    setDisableRead: () => apply({ edit: 'disableRead', objectName }),
    getSelectedField: (fieldName) => own(object()?.selectedFields, fieldName) ?? false,
    setSelectedField: ({ fieldName, selected }) => apply({ edit: 'selectField', objectName, fieldName, selected }),
    setSelectedFieldsAuto: (selected) => apply({ edit: 'selectAllFields', objectName, selected }),
    ...mappingHandlers(content, apply, objectName, 'read'),
  };
}

function writeHandlers(content: Content, apply: Make, objectName: string, isOn: () => boolean): WriteObjectDraft {
  const object = (): WriteObjectConfig | undefined => own(content().write?.objects, objectName);
  const getFieldSettings = (fieldName: string): FieldSettings | undefined =>
    own(object()?.selectedFieldSettings, fieldName);
  const setFieldSettings: WriteObjectDraft['setFieldSettings'] = ({ fieldName, settings }) =>
    apply({ edit: 'setFieldSettings', objectName, fieldName, settings: settings ?? null });
  return {
    get object() {
      return object();
    },
    get enabled() {
      return isOn();
    },
    get deletionEnabled() {
      return object()?.deletionSettings?.enabled ?? false;
    },
    setEnableWrite: () => apply({ edit: 'enableWrite', objectName }),
    setDisableWrite: () => apply({ edit: 'disableWrite', objectName }),
    getWriteObject: object,
    setFieldSettings,
    getFieldSettings,
    setSelectedFieldSettings: setFieldSettings,
    getSelectedFieldSettings: getFieldSettings,
    getDefaultValues: (fieldName) => own(settingsIn(object()), fieldName)?.default,
    setDefaultValues: ({ fieldName, value }) =>
      apply({ edit: 'setDefault', objectName, fieldName, value: value ?? null }),
    getWriteOnCreateSetting: (fieldName) => getFieldSettings(fieldName)?.writeOnCreate,
    setWriteOnCreateSetting: ({ fieldName, value }) =>
      apply({ edit: 'setWriteOnCreate', objectName, fieldName, value: value ?? null }),
    getWriteOnUpdateSetting: (fieldName) => getFieldSettings(fieldName)?.writeOnUpdate,
    setWriteOnUpdateSetting: ({ fieldName, value }) =>
      apply({ edit: 'setWriteOnUpdate', objectName, fieldName, value: value ?? null }),
    ...mappingHandlers(content, apply, objectName, 'write'),
    setEnableDeletion: () => apply({ edit: 'enableDeletion', objectName }),
    setDisableDeletion: () => apply({ edit: 'disableDeletion', objectName }),
  };
}
