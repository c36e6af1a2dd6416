/**
 * What the API says and takes, as far as a page needs it. Members are those of the published protocol; those marked
 * *Isthmus* are ours. Nothing here runs.
 */
export type WriteOnCreate = "always" | "never";
export type WriteOnUpdate = "always" | "never" | "ifEmpty";
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
	selectedFieldsAuto?: "all";
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
	deletionSettings?: {
		enabled: boolean;
	};
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
	read?: {
		objects: Record<string, ReadObjectConfig>;
	};
	write?: {
		objects: Record<string, WriteObjectConfig>;
	};
	subscribe?: {
		objects: Record<string, Record<string, unknown>>;
	};
	proxy?: {
		enabled: boolean;
	};
}
export type ValueType = "string" | "boolean" | "singleSelect" | "multiSelect" | "date" | "datetime" | "int" | "float" | "reference" | "other";
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
	optionalFieldsAuto?: "all";
	allFieldsMetadata?: Record<string, FieldMetadata>;
	/** This object could not be described. */
	error?: string;
	[other: string]: unknown;
}
/** The members after `valueDefaults` are *Isthmus*: they come with the header `X-Isthmus-Detail: true`. */
export interface HydratedWriteObject {
	objectName: string;
	displayName: string;
	valueDefaults?: {
		allowAnyFields?: boolean;
	};
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
		read?: {
			objects: HydratedReadObject[];
		};
		write?: {
			objects: HydratedWriteObject[];
		};
		proxy?: {
			enabled: boolean;
		};
	};
}
/** A manifest as it was deployed: what a draft needs where an account could not be asked. */
export interface Integration {
	id: string;
	name: string;
	provider: string;
	latestRevision: {
		id: string;
		content: {
			displayName?: string;
			[other: string]: unknown;
		};
	};
}
export interface Connection {
	id: string;
	projectId: string;
	provider: string;
	status: "created" | "working" | "bad_credentials";
	authScheme: string;
	group: {
		groupRef: string;
		groupName: string;
	};
	consumer: {
		consumerRef: string;
		consumerName: string;
	};
	providerWorkspaceRef?: string;
	providerMetadata?: Record<string, {
		value: string;
		displayName?: string;
	}>;
	[other: string]: unknown;
}
export interface Installation {
	id: string;
	projectId: string;
	integrationId: string;
	connection: Connection;
	group: {
		groupRef: string;
		groupName: string;
	};
	config: {
		id: string;
		revisionId: string;
		createTime: string;
		createdBy: string;
		content: ConfigContent;
	};
	[other: string]: unknown;
}
/** A provider of the catalog: how to connect, and what to ask for. */
export interface Provider {
	name: string;
	displayName: string;
	authType: "none" | "apiKey" | "basic" | "oauth2" | "custom" | "jwt";
	defaultModule?: string;
	apiKeyOpts?: {
		docsURL?: string;
	};
	basicOpts?: {
		apiKeyAsBasic?: boolean;
		apiKeyAsBasicOpts?: {
			fieldUsed?: "username" | "password";
		};
		docsURL?: string;
	};
	oauth2Opts?: {
		grantType: "authorizationCode" | "authorizationCodePKCE" | "clientCredentials" | "password";
		explicitScopesRequired?: boolean;
		explicitWorkspaceRequired?: boolean;
		docsURL?: string;
	};
	customOpts?: {
		inputs?: CustomInput[];
		multiStep?: boolean;
	};
	metadata?: {
		input?: MetadataInput[];
	};
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
	fieldType?: "fieldTypeText" | "fieldTypePassword" | "fieldTypeSelect";
	options?: {
		value: string;
		label: string;
	}[];
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
	severity?: "error" | "warning";
	value?: unknown;
	remedy?: string;
}
export type Fate = "sent" | "pending" | "dropped" | "address";
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
		inputs: {
			name: string;
			fate: Fate;
			because: Reason[];
			field?: string;
		}[];
		fields: {
			field: string;
			fate: Fate;
			because: Reason[];
			inputs?: string[];
			value?: unknown;
		}[];
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
/** Which block of the config a mapping belongs to. Absent: `read`. */
export type Action = "read" | "write";
export type Edit = {
	edit: "enableRead" | "disableRead";
	objectName: string;
} | {
	edit: "selectField";
	objectName: string;
	fieldName: string;
	selected: boolean;
} | {
	edit: "selectAllFields";
	objectName: string;
	selected: boolean;
} | {
	edit: "mapField";
	objectName: string;
	mapToName: string;
	fieldName: string;
	action?: Action;
} | {
	edit: "unmapField";
	objectName: string;
	mapToName: string;
	action?: Action;
} | {
	edit: "mapValues";
	objectName: string;
	fieldName: string;
	values: Record<string, string>;
	action?: Action;
} | {
	edit: "offerMappings";
	objectName: string;
	mappings: DynamicMapping[];
} | {
	edit: "enableWrite" | "disableWrite";
	objectName: string;
} | {
	edit: "setFieldSettings";
	objectName: string;
	fieldName: string;
	settings: FieldSettings | null;
} | {
	edit: "setDefault";
	objectName: string;
	fieldName: string;
	value: FieldDefault | null;
} | {
	edit: "setWriteOnCreate";
	objectName: string;
	fieldName: string;
	value: WriteOnCreate | null;
} | {
	edit: "setWriteOnUpdate";
	objectName: string;
	fieldName: string;
	value: WriteOnUpdate | null;
} | {
	edit: "enableDeletion" | "disableDeletion";
	objectName: string;
} | {
	edit: "setInheritMapping";
	objectName: string;
	inherit: boolean | null;
} | {
	edit: "setRemoveUnmappedFields";
	objectName: string;
	remove: boolean | null;
} | {
	edit: "removeObject";
	objectName: string;
} | {
	edit: "enableProxy" | "disableProxy";
};
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
export type Phase = "loading" | "failed" | "connect" | "configure" | "installed" | "broken";
/** An immutable snapshot; every change makes a new one. */
export interface State {
	phase: Phase;
	/** What is being done, so that buttons wait: empty when idle. */
	busy: "" | "loading" | "connecting" | "installing" | "updating" | "uninstalling" | "disconnecting" | "refreshing";
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
export type ErrorCode = "network" | "token" | "popup-blocked" | "popup-closed" | "denied" | "forbidden" | "missing" | "conflict" | "invalid" | "busy" | "server";
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
	type: "create" | "update" | "upsert";
	record: Record<string, unknown>;
	/** What the provider has there now, in its own names; for "only if empty". */
	current?: Record<string, unknown>;
	/** With `upsert`: the mapped or provider name of the field to match by. */
	matchKey?: string;
}
/** What a form for credentials sends, by the provider's scheme; members that a scheme does not use are absent. */
export interface Credentials {
	apiKey?: string;
	basicAuth?: {
		username: string;
		password: string;
	};
	oauth2ClientCredentials?: {
		clientId: string;
		clientSecret: string;
		scopes?: string[];
	};
	oauth2PasswordCredentials?: {
		username: string;
		password: string;
		clientId?: string;
		clientSecret?: string;
		scopes?: string[];
	};
	customAuth?: Record<string, string>;
	providerWorkspaceRef?: string;
	providerMetadata?: Record<string, {
		value: string;
		displayName?: string;
	}>;
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
	proxy(): {
		enabled: boolean;
		setEnableProxy(): void;
		setDisableProxy(): void;
	};
	/** Switch an object off for reading and writing. */
	removeObject(objectName: string): void;
}
/** The names of the published library's handlers, and ours beside them. */
export interface ReadObjectDraft {
	readonly object: ReadObjectConfig | undefined;
	setEnableRead(): void;
	setDisableRead(): void;
	getSelectedField(fieldName: string): boolean;
	setSelectedField(params: {
		fieldName: string;
		selected: boolean;
	}): void;
	setSelectedFieldsAuto(selected: boolean): void;
	getFieldMapping(mapToName: string): string | undefined;
	setFieldMapping(params: {
		fieldName: string;
		mapToName: string;
	}): void;
	deleteFieldMapping(mapToName: string): void;
	getValueMapping(fieldName: string): Record<string, string> | undefined;
	/** Replaces all of the field's values; an empty object removes them. */
	setValueMapping(params: {
		fieldName: string;
		values: Record<string, string>;
	}): void;
}
export interface WriteObjectDraft {
	readonly object: WriteObjectConfig | undefined;
	readonly enabled: boolean;
	setEnableWrite(): void;
	setDisableWrite(): void;
	getWriteObject(): WriteObjectConfig | undefined;
	/** Exactly the documented form. Settings replace the field's earlier ones; `undefined` removes them. */
	setFieldSettings(params: {
		fieldName: string;
		settings: FieldSettings | undefined;
	}): void;
	getFieldSettings(fieldName: string): FieldSettings | undefined;
	setSelectedFieldSettings(params: {
		fieldName: string;
		settings: FieldSettings | undefined;
	}): void;
	getSelectedFieldSettings(fieldName: string): FieldSettings | undefined;
	getDefaultValues(fieldName: string): FieldDefault | undefined;
	setDefaultValues(params: {
		fieldName: string;
		value: FieldDefault | undefined;
	}): void;
	getWriteOnCreateSetting(fieldName: string): WriteOnCreate | undefined;
	setWriteOnCreateSetting(params: {
		fieldName: string;
		value: WriteOnCreate | undefined;
	}): void;
	getWriteOnUpdateSetting(fieldName: string): WriteOnUpdate | undefined;
	setWriteOnUpdateSetting(params: {
		fieldName: string;
		value: WriteOnUpdate | undefined;
	}): void;
	getFieldMapping(mapToName: string): string | undefined;
	setFieldMapping(params: {
		fieldName: string;
		mapToName: string;
	}): void;
	deleteFieldMapping(mapToName: string): void;
	getValueMapping(fieldName: string): Record<string, string> | undefined;
	setValueMapping(params: {
		fieldName: string;
		values: Record<string, string>;
	}): void;
	readonly deletionEnabled: boolean;
	setEnableDeletion(): void;
	setDisableDeletion(): void;
}
/** The fields of one object of the account, found once. */
export type Fields = Readonly<Record<string, FieldMetadata>>;
/** What an edit needs to know of a manifest; a hydrated one says it, and so does a plain one. */
export interface Manifest {
	provider: string;
	read?: {
		objects: readonly ReadObjectDeclared[];
	};
	write?: {
		objects: readonly {
			objectName: string;
		}[];
	};
	proxy?: {
		enabled: boolean;
	};
}
export interface ReadObjectDeclared {
	objectName: string;
	requiredFields?: readonly HydratedField[];
	optionalFields?: readonly HydratedField[];
}
/**
 * Make the edits, one after the other. Throws a `Refusal` that lists every edit that names what neither the manifest
 * nor the config has (`edits[3].objectName`); then nothing is made.
 */
export declare function applyEdits(manifest: Manifest, content: ConfigContent, edits: readonly Edit[]): ConfigContent;
/** Whether connecting takes a window, so that only a click may start it. */
export declare function wantsWindow(provider: Provider, connection?: Connection): boolean;
/** See one customer's installation of one integration. Nothing is asked of the server before `load()`. */
export declare function createInstaller(options: Options): Installer;
/**
 * What the element says, in English: the catalogue that every other one follows. Messages are text with named places,
 * never markup.
 */
/** Text with places such as `{count}`, or one text for each plural form of `{count}`. */
export type Message = string | Readonly<Partial<Record<Intl.LDMLPluralRule, string>> & {
	other: string;
}>;
declare const english: {
	readonly "form.app": "this app";
	readonly "form.nothing": "There is nothing to set up here.";
	readonly "form.noManifest": "The fields of your account could not be loaded.";
	readonly "form.astray": "Something else is not right";
	readonly "form.objects": "Objects";
	readonly "form.object": "Object";
	readonly "form.searchObjects": "Search objects";
	readonly "form.noObjectFound": "No object found.";
	readonly "form.readAndWritten": "Read and written";
	readonly "form.isRead": "Read";
	readonly "form.isWritten": "Written";
	readonly "form.off": "Off";
	readonly "form.unknown": "Not available";
	readonly "form.errors": {
		readonly one: "{count} problem";
		readonly other: "{count} problems";
	};
	readonly "form.warnings": {
		readonly one: "{count} hint";
		readonly other: "{count} hints";
	};
	readonly "form.read": "Read from {provider}";
	readonly "form.readAlways": "This integration always reads it.";
	readonly "form.write": "Write to {provider}";
	readonly "form.delete": "Allow deleting in {provider}";
	readonly "form.objectOff": "This object is off. Nothing is read or written.";
	readonly "form.notDescribed": "The fields of this object could not be loaded.";
	readonly "form.refresh": "Try again";
	readonly "form.mappings": "Field mapping";
	readonly "form.mappingsHint": "Choose the field in {provider} that stands for each name.";
	readonly "form.optional": "optional";
	readonly "form.required": "required";
	readonly "form.chooseField": "Choose a field";
	readonly "form.clear": "Remove the choice";
	readonly "form.isMapped": "is mapped to";
	readonly "form.fixed": "preset";
	readonly "form.notInAccount": "Your account has no such field";
	readonly "form.found": {
		readonly one: "{count} field found";
		readonly other: "{count} fields found";
	};
	readonly "form.noneFound": "No field found.";
	readonly "form.moreFields": {
		readonly one: "{count} more field. Type to find it.";
		readonly other: "{count} more fields. Type to find them.";
	};
	readonly "form.custom": "custom";
	readonly "form.readOnly": "read-only";
	readonly "form.values": "Values of {field}";
	readonly "form.chooseValue": "Choose \u2026";
	readonly "form.matchValues": "Match equal names";
	readonly "form.type.string": "Text";
	readonly "form.type.boolean": "Yes or no";
	readonly "form.type.singleSelect": "One choice";
	readonly "form.type.multiSelect": "Several choices";
	readonly "form.type.date": "Date";
	readonly "form.type.datetime": "Date and time";
	readonly "form.type.int": "Whole number";
	readonly "form.type.float": "Number";
	readonly "form.type.reference": "Link to a record";
	readonly "form.type.other": "Other";
	readonly "form.fields": "Fields to read";
	readonly "form.requiredFields": "Always read";
	readonly "form.optionalFields": "{count} of {all} further fields chosen";
	readonly "form.allFields": "Read every field ({count})";
	readonly "form.allFieldsHint": "Also those added to your account later.";
	readonly "form.searchFields": "Search fields";
	readonly "form.chosenOnly": "Chosen only";
	readonly "form.selectAll": "All";
	readonly "form.selectFound": "Choose these {count}";
	readonly "form.selectNone": "None";
	readonly "form.showMore": "Show more ({count})";
	readonly "form.rules": "Defaults and overwriting";
	readonly "form.rulesHint": "What is written to {provider}, and when it may replace what is there.";
	readonly "form.default": "When {app} sends no value";
	readonly "form.noDefault": "No default";
	readonly "form.defaultOf": "Preset: {value}";
	readonly "form.yes": "Yes";
	readonly "form.no": "No";
	readonly "form.onCreate": "When a record is created";
	readonly "form.createAlways": "Write this field";
	readonly "form.createNever": "Leave it out";
	readonly "form.onUpdate": "When a record is updated";
	readonly "form.updateAlways": "Overwrite what is there";
	readonly "form.updateIfEmpty": "Write only if it is empty in {provider}";
	readonly "form.updateNever": "Never overwrite";
	readonly "form.setBy": "set by {app}";
	readonly "form.saysNothing": "Always written";
	readonly "form.saysDefault": "Default: {value}";
	readonly "form.saysNotOnCreate": "Not on create";
	readonly "form.saysNotOnUpdate": "Never overwritten";
	readonly "form.saysIfEmpty": "Only if empty";
	readonly "form.resetRule": "Back to what {app} has set";
	readonly "form.removeRule": "Remove this rule";
	readonly "form.addRule": "Add a rule for another field";
	readonly "form.addRuleFor": "Field";
	readonly "form.preview": "Preview";
	readonly "form.previewHint": "What {provider} gets from a sample record. Nothing is sent.";
	readonly "form.previewKind": "The record is";
	readonly "form.newRecord": "New record";
	readonly "form.existingRecord": "Existing record";
	readonly "form.previewEmpty": "Map a field to see what becomes of a record.";
	readonly "form.previewFailed": "There is no preview just now.";
	readonly "form.previewChanged": {
		readonly one: "Preview: {count} field has changed";
		readonly other: "Preview: {count} fields have changed";
	};
	readonly "form.sends": "The record has {name}";
	readonly "form.notInRecord": "not in the record";
	readonly "form.hasNow": "{provider} has now";
	readonly "form.sampleCurrent": "an older value";
	readonly "form.empty": "empty";
	readonly "form.notSent": "Not sent";
	readonly "form.why.nothing": "Nothing is sent, so nothing changes.";
	readonly "form.why.values.translated": "Translated by your value mapping.";
	readonly "form.why.defaults.filled": "The record leaves it out: the default is filled in.";
	readonly "form.why.defaults.written": "The record leaves it out: the default is filled in.";
	readonly "form.why.defaults.withheld": "The default is for new records only.";
	readonly "form.why.defaults.dropped": "The default is for new records only.";
	readonly "form.why.mapping.stripped": "No field is chosen for it.";
	readonly "form.why.unmapped.dropped": "It is neither mapped nor chosen.";
	readonly "form.why.overwrite.dropped.never": "Your rule keeps it back.";
	readonly "form.why.overwrite.dropped.ifEmpty": "There is a value already.";
	readonly "form.why.overwrite.written.ifEmpty": "It was empty there.";
	readonly "shell.loading": "Loading the integration";
	readonly "shell.integration": "Integration";
	readonly "shell.failed": "This integration could not be loaded";
	readonly "shell.retry": "Try again";
	readonly "shell.misplaced": "This element needs the attributes {names}.";
	readonly "shell.account": "Your {provider} account";
	readonly "shell.accountOf": "The {provider} account of {group}";
	readonly "shell.notConnected": "Not connected";
	readonly "shell.connected": "Connected";
	readonly "shell.installed": "Installed";
	readonly "shell.broken": "Needs attention";
	readonly "shell.error.network": "The server cannot be reached. Check your connection and try again.";
	readonly "shell.error.token": "Your session has ended. Reload this page.";
	readonly "shell.error.popup-blocked": "Your browser did not open the window. Allow windows for this page and try again.";
	readonly "shell.error.popup-closed": "The window is closed, or out of sight. If it is open, finish there. If not, open it again.";
	readonly "shell.error.server": "The server could not do this. Try again in a moment.";
	readonly "shell.connect.heading": "Connect your {provider} account";
	readonly "shell.connect.again": "Connect {provider} again";
	readonly "shell.connect.window": "{provider} opens in a window, where you log in and give access.";
	readonly "shell.connect.form": "What you enter is checked with {provider}, stored encrypted, and not shown again.";
	readonly "shell.connect.plain": "{provider} asks for no credentials.";
	readonly "shell.connect.unknown": "{provider} cannot be connected here.";
	readonly "shell.connect.button": "Connect {provider}";
	readonly "shell.connect.busy": "Connecting \u2026";
	readonly "shell.connect.waiting": "Waiting for {provider}";
	readonly "shell.connect.waitingHint": "Log in and give access in the other window. This page goes on by itself.";
	readonly "shell.connect.reopen": "Open the window again";
	readonly "shell.connect.required": "This is needed.";
	readonly "shell.connect.choose": "Choose \u2026";
	readonly "shell.connect.docs": "Where to find this";
	readonly "shell.connect.newTab": "opens in a new tab";
	readonly "shell.connect.show": "Show";
	readonly "shell.connect.hide": "Hide";
	readonly "shell.connect.showLabel": "Show {label}";
	readonly "shell.connect.hideLabel": "Hide {label}";
	readonly "shell.connect.optional": "optional";
	readonly "shell.connect.done": "{provider} is connected.";
	readonly "shell.workspace": "Workspace";
	readonly "shell.apiKey": "API key";
	readonly "shell.username": "User name";
	readonly "shell.password": "Password";
	readonly "shell.clientId": "Client ID";
	readonly "shell.clientSecret": "Client secret";
	readonly "shell.scopes": "Scopes";
	readonly "shell.scopesHint": "Separated by spaces";
	readonly "shell.repair.heading": "{provider} no longer accepts the connection";
	readonly "shell.repair.text": "Nothing is written until it is connected again. Your settings stay.";
	readonly "shell.install": "Install";
	readonly "shell.installing": "Installing \u2026";
	readonly "shell.save": "Save changes";
	readonly "shell.saving": "Saving \u2026";
	readonly "shell.discard": "Discard";
	readonly "shell.unsaved": "You have unsaved changes.";
	readonly "shell.clean": "Everything is saved.";
	readonly "shell.ready": "Ready to install.";
	readonly "shell.reviewing": "Checking \u2026";
	readonly "shell.problems": {
		readonly one: "{count} problem";
		readonly other: "{count} problems";
	};
	readonly "shell.warnings": {
		readonly one: "{count} hint";
		readonly other: "{count} hints";
	};
	readonly "shell.notInstalled": "Not installed";
	readonly "shell.notSaved": "Not saved";
	readonly "shell.installedNow": "{integration} is installed.";
	readonly "shell.savedNow": "Your changes are saved.";
	readonly "shell.discarded": "Your changes are discarded.";
	readonly "shell.workspaceOf": "Workspace {workspace}";
	readonly "shell.reconnect": "Reconnect";
	readonly "shell.refresh": "Refresh fields";
	readonly "shell.refreshing": "Refreshing \u2026";
	readonly "shell.refreshed": "The fields of {provider} are up to date.";
	readonly "shell.disconnect": "Disconnect";
	readonly "shell.disconnected": "{provider} is disconnected.";
	readonly "shell.cancel": "Cancel";
	readonly "shell.notDone": "This did not work";
	readonly "shell.uninstall": "Uninstall";
	readonly "shell.uninstalling": "Uninstalling \u2026";
	readonly "shell.uninstall.heading": "Uninstall {integration}?";
	readonly "shell.uninstall.settings": "Your settings here are deleted.";
	readonly "shell.uninstall.writes": "Nothing more is written to {provider}.";
	readonly "shell.uninstall.connection": "The connection to {provider} is deleted, unless something else uses it.";
	readonly "shell.uninstall.records": "Records that are in {provider} stay there.";
	readonly "shell.uninstalled": "{integration} is uninstalled.";
};
export type Key = keyof typeof english;
/** What the server says, by the code of the issue or error: in English there are none, for it speaks English. */
export type Said = Readonly<Partial<Record<`issue.${string}`, Message>>>;
/** What a host page may give: any message, by its key. */
export type Strings = Readonly<Partial<Record<Key, Message>>> & Said;
/** What the element tells the page; every event bubbles, and leaves shadow roots. */
export interface IsthmusInstallEvents {
	connected: CustomEvent<{
		connection: Connection;
	}>;
	installed: CustomEvent<{
		installation: Installation;
	}>;
	updated: CustomEvent<{
		installation: Installation;
	}>;
	uninstalled: CustomEvent<{
		installationId: string;
	}>;
	error: CustomEvent<InstallError>;
	/** The token is refused and nothing gets another one: set `token`, or have `getToken`. */
	tokenexpired: CustomEvent<void>;
	dirtychange: CustomEvent<{
		dirty: boolean;
	}>;
}
/** `<isthmus-install>`. Attributes are spelt with hyphens: `group-ref`. */
export interface IsthmusInstall extends HTMLElement {
	/** The origin of the server; by default that of the script. */
	server: string | undefined;
	project: string | undefined;
	integration: string | undefined;
	groupRef: string | undefined;
	groupName: string | undefined;
	consumerRef: string | undefined;
	consumerName: string | undefined;
	/** A session token. A new one may be set at any time, and nothing that was begun is lost. */
	token: string | undefined;
	apiKey: string | undefined;
	/** Asked whenever a token is needed, with the one that has just been refused. Goes before `token`. */
	getToken: ((refused?: string) => string | Promise<string>) | undefined;
	fieldMapping: Options["fieldMapping"];
	/** `light` or `dark`; else what the customer's system says. */
	theme: string | undefined;
	/** Own words for any message, by its key. */
	strings: Strings | undefined;
	/** Records to preview, as the product would write them. */
	samples: readonly Sample[] | undefined;
	/** What the element itself works with: for pages that want more than it shows. */
	readonly installer: Installer | undefined;
	/** Whether something would be lost if the page were left now. */
	readonly dirty: boolean;
	addEventListener<K extends keyof IsthmusInstallEvents>(type: K, listener: (this: IsthmusInstall, event: IsthmusInstallEvents[K]) => unknown, options?: boolean | AddEventListenerOptions): void;
	addEventListener(type: string, listener: EventListenerOrEventListenerObject, options?: boolean | AddEventListenerOptions): void;
}
export declare const IsthmusInstall: {
	new (): IsthmusInstall;
	prototype: IsthmusInstall;
};
declare global {
	interface HTMLElementTagNameMap {
		"isthmus-install": IsthmusInstall;
	}
}

export {};
