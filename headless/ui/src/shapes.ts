/**
 * What the API says and takes, as far as a page needs it. Members are those of the published protocol; those marked
 * *Isthmus* are ours. Nothing here runs.
 */

export type WriteOnCreate = 'always' | 'never';
export type WriteOnUpdate = 'always' | 'never' | 'ifEmpty';

/** Exactly one member is given. The last three are *Isthmus*. */
export interface FieldDefault {
  stringValue?: string;
  integerValue?: number;
  booleanValue?: boolean;
  floatValue?: number;
  listValue?: (string | number | boolean)[];
  /** An RFC 3339 date or date-time. */
  dateValue?: string;
}

/** Default value and overwrite rules of one field; `always` is what counts where nothing is said. */
export interface FieldSettings {
  default?: FieldDefault;
  writeOnCreate?: WriteOnCreate;
  writeOnUpdate?: WriteOnUpdate;
}

export interface MappedValue {
  mappedValue: string;
  mappedDisplayValue: string;
}

/** A mapping that the host page offers at run time: the `fieldMapping` of the published library, one entry. */
export interface DynamicMapping {
  mapToName?: string;
  mapToDisplayName?: string;
  prompt?: string;
  /** With it, only values are mapped. */
  fieldName?: string;
  mappedValues?: MappedValue[];
}

export interface ReadObjectConfig {
  objectName: string;
  schedule?: string;
  destination?: string;
  disabled?: boolean;
  selectedFields?: Record<string, boolean>;
  /** By the product's name: the provider field. */
  selectedFieldMappings?: Record<string, string>;
  selectedFieldsAuto?: 'all';
  /** By provider field: from the product's value to the provider's. */
  selectedValueMappings?: Record<string, Record<string, string>>;
  dynamicMappingsInput?: DynamicMapping[];
  [other: string]: unknown;
}

export interface WriteObjectConfig {
  objectName: string;
  /** By mapped or provider name. */
  selectedFieldSettings?: Record<string, FieldSettings>;
  selectedValueDefaults?: Record<string, unknown>;
  deletionSettings?: { enabled: boolean };
  inheritMapping?: boolean;
  /** *Isthmus*: choices for write-only mappings. */
  selectedFieldMappings?: Record<string, string>;
  /** *Isthmus*. */
  selectedValueMappings?: Record<string, Record<string, string>>;
  /** *Isthmus*. */
  removeUnmappedFields?: boolean;
  [other: string]: unknown;
}

/** What one customer chose. Without `write`, every write object of the manifest is on. */
export interface ConfigContent {
  provider: string;
  read?: { objects: Record<string, ReadObjectConfig> };
  write?: { objects: Record<string, WriteObjectConfig> };
  subscribe?: { objects: Record<string, Record<string, unknown>> };
  proxy?: { enabled: boolean };
}

export type ValueType =
  | 'string' | 'boolean' | 'singleSelect' | 'multiSelect' | 'date' | 'datetime' | 'int' | 'float' | 'reference'
  | 'other';

export interface Choice {
  value: string;
  displayValue: string;
}

/** One field of the customer's own account. */
export interface FieldMetadata {
  fieldName: string;
  displayName: string;
  valueType?: ValueType;
  providerType?: string;
  readOnly?: boolean;
  isCustom?: boolean;
  isRequired?: boolean;
  referenceTo?: string[];
  values?: Choice[];
}

/** A provider field (`fieldName`), or a mapping that asks for one (`mapToName` alone); both: a predefined mapping. */
export interface HydratedField {
  fieldName?: string;
  displayName?: string;
  mapToName?: string;
  mapToDisplayName?: string;
  prompt?: string;
  default?: string;
}

export interface HydratedReadObject {
  objectName: string;
  displayName: string;
  mapToName?: string;
  mapToDisplayName?: string;
  requiredFields?: HydratedField[];
  optionalFields?: HydratedField[];
  optionalFieldsAuto?: 'all';
  allFieldsMetadata?: Record<string, FieldMetadata>;
  /** This object could not be described. */
  error?: string;
  [other: string]: unknown;
}

/** The members after `valueDefaults` are *Isthmus*: they come with the header `X-Isthmus-Detail: true`. */
export interface HydratedWriteObject {
  objectName: string;
  displayName: string;
  valueDefaults?: { allowAnyFields?: boolean };
  inheritMapping?: boolean;
  mapToName?: string;
  mapToDisplayName?: string;
  /** Write-only mappings of the manifest. */
  fieldMappings?: HydratedField[];
  /** The manifest's settings, which count under the customer's. */
  fieldSettings?: Record<string, FieldSettings>;
  upsertKeys?: string[];
  removeUnmappedFields?: boolean;
  /** Whether the connector can delete records of it. */
  canDelete?: boolean;
  /** Only where no read object of the same name carries it. */
  allFieldsMetadata?: Record<string, FieldMetadata>;
  error?: string;
}

export interface HydratedRevision {
  id: string;
  specVersion: string;
  createTime: string;
  content: {
    name: string;
    displayName?: string;
    provider: string;
    module?: string;
    read?: { objects: HydratedReadObject[] };
    write?: { objects: HydratedWriteObject[] };
    proxy?: { enabled: boolean };
  };
}

/** A manifest as it was deployed: what a draft needs where an account could not be asked. */
export interface Integration {
  id: string;
  name: string;
  provider: string;
  latestRevision: { id: string; content: { displayName?: string; [other: string]: unknown } };
}

export interface Connection {
  id: string;
  projectId: string;
  provider: string;
  status: 'created' | 'working' | 'bad_credentials';
  authScheme: string;
  group: { groupRef: string; groupName: string };
  consumer: { consumerRef: string; consumerName: string };
  providerWorkspaceRef?: string;
  providerMetadata?: Record<string, { value: string; displayName?: string }>;
  [other: string]: unknown;
}

export interface Installation {
  id: string;
  projectId: string;
  integrationId: string;
  connection: Connection;
  group: { groupRef: string; groupName: string };
  config: { id: string; revisionId: string; createTime: string; createdBy: string; content: ConfigContent };
  [other: string]: unknown;
}

/** A provider of the catalog: how to connect, and what to ask for. */
export interface Provider {
  name: string;
  displayName: string;
  authType: 'none' | 'apiKey' | 'basic' | 'oauth2' | 'custom' | 'jwt';
  defaultModule?: string;
  apiKeyOpts?: { docsURL?: string };
  basicOpts?: {
    apiKeyAsBasic?: boolean; apiKeyAsBasicOpts?: { fieldUsed?: 'username' | 'password' }; docsURL?: string;
  };
  oauth2Opts?: {
    grantType: 'authorizationCode' | 'authorizationCodePKCE' | 'clientCredentials' | 'password';
    explicitScopesRequired?: boolean;
    explicitWorkspaceRequired?: boolean;
    docsURL?: string;
  };
  customOpts?: { inputs?: CustomInput[]; multiStep?: boolean };
  metadata?: { input?: MetadataInput[] };
  media?: Record<string, unknown>;
  labels?: Record<string, string>;
  docsURL?: string;
}

export interface CustomInput {
  name: string;
  displayName: string;
  prompt?: string;
  docsURL?: string;
  /** Absent means a masked field. */
  fieldType?: 'fieldTypeText' | 'fieldTypePassword' | 'fieldTypeSelect';
  options?: { value: string; label: string }[];
}

export interface MetadataInput {
  name: string;
  displayName?: string;
  defaultValue?: string;
  prompt?: string;
  docsURL?: string;
  moduleDependencies?: Record<string, unknown>;
}

/** One finding. A warning never blocks. */
export interface Issue {
  /** Such as `config.content.write.objects.contacts.selectedFieldSettings.phone.default`. */
  path: string;
  message: string;
  code: string;
  severity?: 'error' | 'warning';
  value?: unknown;
  remedy?: string;
}

export type Fate = 'sent' | 'pending' | 'dropped' | 'address';

export interface Reason {
  rule: string;
  deed: string;
  words: string;
  setting?: string;
  insteadOf?: string;
  choice?: string;
}

/** What a write would send and why. */
export interface Explanation {
  objectName: string;
  action: string;
  records: {
    path: string;
    id?: string;
    inputs: { name: string; fate: Fate; because: Reason[]; field?: string }[];
    fields: { field: string; fate: Fate; because: Reason[]; inputs?: string[]; value?: unknown }[];
  }[];
  change: Record<string, unknown>;
}

/** What the server says where it refuses. */
export interface Problem {
  title?: string;
  status?: number;
  detail?: string;
  issues?: Issue[];
  [other: string]: unknown;
}
