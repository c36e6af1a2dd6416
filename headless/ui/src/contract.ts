/**
 * What the parts of the browser side promise each other. `headless.ts` builds an `Installer`; the element's views read
 * its state and call it. A host page that draws its own form uses the same.
 */

import type {
  ConfigContent, Connection, DynamicMapping, Explanation, FieldDefault, FieldMetadata, FieldSettings,
  HydratedRevision, Installation, Integration, Issue, Provider, ReadObjectConfig, WriteObjectConfig, WriteOnCreate,
  WriteOnUpdate,
} from './shapes.js';
import type { Edit } from './edits.js';

/** Where, for whom, and with which credential. */
export interface Options {
  /** The origin of the server, such as `https://isthmus.example.com`; by default that of the script. */
  server?: string;
  /** The project's id or name. */
  project: string;
  /** The integration's id or name. */
  integration: string;
  groupRef: string;
  groupName?: string;
  consumerRef: string;
  consumerName?: string;
  /**
   * A session token, or a function that gets a new one: tokens live ten minutes at most. The function is told the token
   * that has just been refused, where one was, and may take its time.
   */
  token?: string | ((refused?: string) => string | Promise<string>);
  /** A frontend key, for projects that let browsers in without a token. */
  apiKey?: string;
  /** Mappings that the page offers at run time, by object: the `fieldMapping` of the published library. */
  fieldMapping?: Record<string, DynamicMapping[]>;
}

/** Where the customer stands. `broken`: installed, but the provider refuses the credentials. */
export type Phase = 'loading' | 'failed' | 'connect' | 'configure' | 'installed' | 'broken';

/** An immutable snapshot; every change makes a new one. */
export interface State {
  phase: Phase;
  /** What is being done, so that buttons wait: empty when idle. */
  busy: '' | 'loading' | 'connecting' | 'installing' | 'updating' | 'uninstalling' | 'disconnecting' | 'refreshing';
  integration?: Integration;
  provider?: Provider;
  connection?: Connection;
  installation?: Installation;
  /** The manifest, filled in with the account's fields; absent until there is a connection. */
  manifest?: HydratedRevision;
  /** The draft as it is now. */
  content: ConfigContent;
  /** Whether the draft differs from what is installed. Always true before the first installation. */
  dirty: boolean;
  /** From the last review of this very draft, and of the last refusal; errors first. */
  issues: Issue[];
  /** The review of the draft is on its way. */
  reviewing: boolean;
  /** What went wrong last; cleared by the next act. */
  error?: InstallError;
}

/**
 * `network`: the server cannot be reached. `token`: the credential is missing, expired or refused. `popup-blocked`: the
 * browser let no window open; `popup-closed`: it was closed before it was over. `denied`: consent was not given.
 * `forbidden`: this credential may not do that. `missing`: there is no such thing. `conflict`: somebody else changed
 * it, or it is still in use. `invalid`: the server lists issues. `busy`: too many requests. `server`: anything else.
 */
export type ErrorCode =
  | 'network' | 'token' | 'popup-blocked' | 'popup-closed' | 'denied' | 'forbidden' | 'missing' | 'conflict'
  | 'invalid' | 'busy' | 'server';

/** Why an act failed, in words for a person. */
export interface InstallError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly status?: number | undefined;
  readonly issues?: Issue[] | undefined;
}

/** A record as the product would write it. */
export interface Sample {
  objectName: string;
  type: 'create' | 'update' | 'upsert';
  record: Record<string, unknown>;
  /** What the provider has there now, in its own names; for "only if empty". */
  current?: Record<string, unknown>;
  /** With `upsert`: the mapped or provider name of the field to match by. */
  matchKey?: string;
}

/** What a form for credentials sends, by the provider's scheme; members that a scheme does not use are absent. */
export interface Credentials {
  apiKey?: string;
  basicAuth?: { username: string; password: string };
  oauth2ClientCredentials?: { clientId: string; clientSecret: string; scopes?: string[] };
  oauth2PasswordCredentials?: {
    username: string; password: string; clientId?: string; clientSecret?: string; scopes?: string[];
  };
  customAuth?: Record<string, string>;
  providerWorkspaceRef?: string;
  providerMetadata?: Record<string, { value: string; displayName?: string }>;
}

export interface Installer {
  readonly options: Readonly<Options>;
  readonly state: State;
  /** Call `listener` after every change; answers how to stop. */
  subscribe(listener: (state: State) => void): () => void;

  /**
   * Load integration, provider, connection, installation and manifest. A failure of this and of `refresh` is told in
   * the state alone; every other act also rejects with it.
   */
  load(): Promise<void>;
  /** Ask the account for its fields again. */
  refresh(): Promise<void>;

  /**
   * Connect, or connect again where the connection is broken: by what the customer typed, or in a window for schemes
   * with consent. Call it in a click's handler: the window is opened at once, else browsers block it.
   * Aborting the signal closes the window and ends the wait without an error.
   */
  connect(credentials?: Credentials, signal?: AbortSignal): Promise<void>;
  /** Give up the connection. Refused while an installation uses it: uninstall first. */
  disconnect(): Promise<void>;

  /** The draft: change it, read it. Each change makes a new state at once and has the draft reviewed soon. */
  readonly draft: Draft;
  /** Have the draft judged now; the answer is also in `state.issues`. */
  review(): Promise<Issue[]>;
  /** What a sample record would become under the draft. No provider is called. */
  preview(sample: Sample, signal?: AbortSignal): Promise<Explanation>;

  /** Install the draft. Rejects with an `InstallError`, which is also in `state.error`. */
  install(): Promise<Installation>;
  /** Send the edits since the installation: all of them hold, or none. */
  update(): Promise<Installation>;
  uninstall(): Promise<void>;
  /** Stop timers, windows and requests. */
  close(): void;
}

export interface Draft {
  readonly content: ConfigContent;
  /** What was done since it was installed or reset. */
  readonly edits: readonly Edit[];
  apply(...edits: Edit[]): void;
  reset(): void;
  readObject(objectName: string): ReadObjectDraft;
  writeObject(objectName: string): WriteObjectDraft;
  proxy(): { enabled: boolean; setEnableProxy(): void; setDisableProxy(): void };
  /** Switch an object off for reading and writing. */
  removeObject(objectName: string): void;
}

/** The names of the published library's handlers, and ours beside them. */
export interface ReadObjectDraft {
  readonly object: ReadObjectConfig | undefined;
  setEnableRead(): void;
  setDisableRead(): void;
  getSelectedField(fieldName: string): boolean;
  setSelectedField(params: { fieldName: string; selected: boolean }): void;
  setSelectedFieldsAuto(selected: boolean): void;
  getFieldMapping(mapToName: string): string | undefined;
  setFieldMapping(params: { fieldName: string; mapToName: string }): void;
  deleteFieldMapping(mapToName: string): void;
  getValueMapping(fieldName: string): Record<string, string> | undefined;
  /** Replaces all of the field's values; an empty object removes them. */
  setValueMapping(params: { fieldName: string; values: Record<string, string> }): void;
}

export interface WriteObjectDraft {
  readonly object: WriteObjectConfig | undefined;
  readonly enabled: boolean;
  setEnableWrite(): void;
  setDisableWrite(): void;
  getWriteObject(): WriteObjectConfig | undefined;
  /** Exactly the documented form. Settings replace the field's earlier ones; `undefined` removes them. */
  setFieldSettings(params: { fieldName: string; settings: FieldSettings | undefined }): void;
  getFieldSettings(fieldName: string): FieldSettings | undefined;
  setSelectedFieldSettings(params: { fieldName: string; settings: FieldSettings | undefined }): void;
  getSelectedFieldSettings(fieldName: string): FieldSettings | undefined;
  getDefaultValues(fieldName: string): FieldDefault | undefined;
  setDefaultValues(params: { fieldName: string; value: FieldDefault | undefined }): void;
  getWriteOnCreateSetting(fieldName: string): WriteOnCreate | undefined;
  setWriteOnCreateSetting(params: { fieldName: string; value: WriteOnCreate | undefined }): void;
  getWriteOnUpdateSetting(fieldName: string): WriteOnUpdate | undefined;
  setWriteOnUpdateSetting(params: { fieldName: string; value: WriteOnUpdate | undefined }): void;
  getFieldMapping(mapToName: string): string | undefined;
  setFieldMapping(params: { fieldName: string; mapToName: string }): void;
  deleteFieldMapping(mapToName: string): void;
  getValueMapping(fieldName: string): Record<string, string> | undefined;
  setValueMapping(params: { fieldName: string; values: Record<string, string> }): void;
  readonly deletionEnabled: boolean;
  setEnableDeletion(): void;
  setDisableDeletion(): void;
}

/** The fields of one object of the account, found once. */
export type Fields = Readonly<Record<string, FieldMetadata>>;
