/**
 * The vocabulary of config changes, as data: the Python client, the HTTP API (`…/installations/{id}:edit`) and the
 * browser speak it. What each edit does is told by one table of cases that both implementations run.
 */

import type { DynamicMapping, FieldDefault, FieldSettings, WriteOnCreate, WriteOnUpdate } from './shapes.js';

/** Which block of the config a mapping belongs to. Absent: `read`. */
export type Action = 'read' | 'write';

export type Edit =
  | { edit: 'enableRead' | 'disableRead'; objectName: string }
  | { edit: 'selectField'; objectName: string; fieldName: string; selected: boolean }
  | { edit: 'selectAllFields'; objectName: string; selected: boolean }
  | { edit: 'mapField'; objectName: string; mapToName: string; fieldName: string; action?: Action }
  | { edit: 'unmapField'; objectName: string; mapToName: string; action?: Action }
  | { edit: 'mapValues'; objectName: string; fieldName: string; values: Record<string, string>; action?: Action }
  | { edit: 'offerMappings'; objectName: string; mappings: DynamicMapping[] }
  | { edit: 'enableWrite' | 'disableWrite'; objectName: string }
  | { edit: 'setFieldSettings'; objectName: string; fieldName: string; settings: FieldSettings | null }
  | { edit: 'setDefault'; objectName: string; fieldName: string; value: FieldDefault | null }
  | { edit: 'setWriteOnCreate'; objectName: string; fieldName: string; value: WriteOnCreate | null }
  | { edit: 'setWriteOnUpdate'; objectName: string; fieldName: string; value: WriteOnUpdate | null }
  | { edit: 'enableDeletion' | 'disableDeletion'; objectName: string }
  | { edit: 'setInheritMapping'; objectName: string; inherit: boolean | null }
  | { edit: 'setRemoveUnmappedFields'; objectName: string; remove: boolean | null }
  | { edit: 'removeObject'; objectName: string }
  | { edit: 'enableProxy' | 'disableProxy' };
