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

export {};
