/**
 * What the element says, in English: the catalogue that every other one follows. Messages are text with named places,
 * never markup.
 */

import { formEnglish } from './form-strings.js';

/** Text with places such as `{count}`, or one text for each plural form of `{count}`. */
export type Message = string | Readonly<Partial<Record<Intl.LDMLPluralRule, string>> & { other: string }>;

/** Keys begin with the part of the element that says them: `shell` is the frame, `form` the configuring. */
export const english = {
  'shell.loading': 'Loading the integration',
  'shell.integration': 'Integration',
  'shell.failed': 'This integration could not be loaded',
  'shell.retry': 'Try again',
  'shell.misplaced': 'This element needs the attributes {names}.',
  'shell.account': 'Your {provider} account',
  'shell.accountOf': 'The {provider} account of {group}',
  'shell.notConnected': 'Not connected',
  'shell.connected': 'Connected',
  'shell.installed': 'Installed',
  'shell.broken': 'Needs attention',

  'shell.error.network': 'The server cannot be reached. Check your connection and try again.',
  'shell.error.token': 'Your session has ended. Reload this page.',
  'shell.error.popup-blocked': 'Your browser did not open the window. Allow windows for this page and try again.',
  'shell.error.popup-closed':
    'The window is closed, or out of sight. If it is open, finish there. If not, open it again.',
  'shell.error.server': 'The server could not do this. Try again in a moment.',

  'shell.connect.heading': 'Connect your {provider} account',
  'shell.connect.again': 'Connect {provider} again',
  'shell.connect.window': '{provider} opens in a window, where you log in and give access.',
  'shell.connect.form': 'What you enter is checked with {provider}, stored encrypted, and not shown again.',
  'shell.connect.plain': '{provider} asks for no credentials.',
  'shell.connect.unknown': '{provider} cannot be connected here.',
  'shell.connect.button': 'Connect {provider}',
  'shell.connect.busy': 'Connecting …',
  'shell.connect.waiting': 'Waiting for {provider}',
  'shell.connect.waitingHint': 'Log in and give access in the other window. This page goes on by itself.',
  'shell.connect.reopen': 'Open the window again',
  'shell.connect.required': 'This is needed.',
  'shell.connect.choose': 'Choose …',
  'shell.connect.docs': 'Where to find this',
  'shell.connect.newTab': 'opens in a new tab',
  'shell.connect.show': 'Show',
  'shell.connect.hide': 'Hide',
  'shell.connect.showLabel': 'Show {label}',
  'shell.connect.hideLabel': 'Hide {label}',
  'shell.connect.optional': 'optional',
  'shell.connect.done': '{provider} is connected.',
  'shell.workspace': 'Workspace',
  'shell.apiKey': 'API key',
  'shell.username': 'User name',
  'shell.password': 'Password',
  'shell.clientId': 'Client ID',
  'shell.clientSecret': 'Client secret',
  'shell.scopes': 'Scopes',
  'shell.scopesHint': 'Separated by spaces',

  'shell.repair.heading': '{provider} no longer accepts the connection',
  'shell.repair.text': 'Nothing is written until it is connected again. Your settings stay.',

  'shell.install': 'Install',
  'shell.installing': 'Installing …',
  'shell.save': 'Save changes',
  'shell.saving': 'Saving …',
  'shell.discard': 'Discard',
  'shell.unsaved': 'You have unsaved changes.',
  'shell.clean': 'Everything is saved.',
  'shell.ready': 'Ready to install.',
  'shell.reviewing': 'Checking …',
  'shell.problems': { one: '{count} problem', other: '{count} problems' },
  'shell.warnings': { one: '{count} hint', other: '{count} hints' },
  'shell.notInstalled': 'Not installed',
  'shell.notSaved': 'Not saved',
  'shell.installedNow': '{integration} is installed.',
  'shell.savedNow': 'Your changes are saved.',
  'shell.discarded': 'Your changes are discarded.',

  'shell.workspaceOf': 'Workspace {workspace}',
  'shell.reconnect': 'Reconnect',
  'shell.refresh': 'Refresh fields',
  'shell.refreshing': 'Refreshing …',
  'shell.refreshed': 'The fields of {provider} are up to date.',
  'shell.disconnect': 'Disconnect',
  'shell.disconnected': '{provider} is disconnected.',
  'shell.cancel': 'Cancel',
  'shell.notDone': 'This did not work',

  'shell.uninstall': 'Uninstall',
  'shell.uninstalling': 'Uninstalling …',
  'shell.uninstall.heading': 'Uninstall {integration}?',
  'shell.uninstall.settings': 'Your settings here are deleted.',
  'shell.uninstall.writes': 'Nothing more is written to {provider}.',
  'shell.uninstall.connection': 'The connection to {provider} is deleted, unless something else uses it.',
  'shell.uninstall.records': 'Records that are in {provider} stay there.',
  'shell.uninstalled': '{integration} is uninstalled.',

  ...formEnglish,
} as const satisfies Record<string, Message>;

export type Key = keyof typeof english;

/** What the server says, by the code of the issue or error: in English there are none, for it speaks English. */
type Said = Readonly<Partial<Record<`issue.${string}`, Message>>>;

export type Catalogue = Readonly<Record<Key, Message>> & Said;

/** What a host page may give: any message, by its key. */
export type Strings = Readonly<Partial<Record<Key, Message>>> & Said;
