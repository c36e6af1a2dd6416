/** What the element says, in German. Loaded only where it is wanted. */

import { formGerman } from './form-german.js';
import { saidGerman } from './said-german.js';
import type { Catalogue } from './strings.js';

const german: Catalogue = {
  'shell.loading': 'Die Integration wird geladen',
  'shell.integration': 'Integration',
  'shell.failed': 'Diese Integration konnte nicht geladen werden',
  'shell.retry': 'Noch einmal versuchen',
  'shell.misplaced': 'Dieses Element braucht die Attribute {names}.',
  'shell.account': 'Ihr Konto bei {provider}',
  'shell.accountOf': 'Das Konto von {group} bei {provider}',
  'shell.notConnected': 'Nicht verbunden',
  'shell.connected': 'Verbunden',
  'shell.installed': 'Eingerichtet',
  'shell.broken': 'Gestört',

  'shell.error.network':
    'Der Server ist nicht zu erreichen. Prüfen Sie Ihre Verbindung und versuchen Sie es noch einmal.',
  'shell.error.token': 'Ihre Sitzung ist abgelaufen. Laden Sie diese Seite neu.',
  'shell.error.popup-blocked':
    'Ihr Browser hat das Fenster nicht geöffnet. Erlauben Sie dieser Seite Fenster, oder versuchen Sie es noch einmal.',
  'shell.error.popup-closed':
    'Das Fenster ist geschlossen oder nicht zu sehen. Ist es offen, machen Sie dort weiter. Sonst öffnen Sie es neu.',
  'shell.error.server': 'Der Server konnte das nicht ausführen. Versuchen Sie es gleich noch einmal.',

  'shell.connect.heading': 'Ihr Konto bei {provider} verbinden',
  'shell.connect.again': '{provider} neu verbinden',
  'shell.connect.window': '{provider} öffnet sich in einem Fenster. Dort melden Sie sich an und erlauben den Zugriff.',
  'shell.connect.form':
    'Ihre Angaben werden bei {provider} geprüft, verschlüsselt gespeichert und nicht mehr angezeigt.',
  'shell.connect.plain': '{provider} verlangt keine Zugangsdaten.',
  'shell.connect.unknown': '{provider} kann hier nicht verbunden werden.',
  'shell.connect.button': '{provider} verbinden',
  'shell.connect.busy': 'Wird verbunden …',
  'shell.connect.waiting': 'Warten auf {provider}',
  'shell.connect.waitingHint':
    'Melden Sie sich im anderen Fenster an und erlauben Sie den Zugriff. Hier geht es dann von selbst weiter.',
  'shell.connect.reopen': 'Fenster wieder öffnen',
  'shell.connect.required': 'Diese Angabe wird gebraucht.',
  'shell.connect.choose': 'Bitte wählen …',
  'shell.connect.docs': 'Wo Sie das finden',
  'shell.connect.newTab': 'öffnet sich in einem neuen Tab',
  'shell.connect.show': 'Zeigen',
  'shell.connect.hide': 'Verbergen',
  'shell.connect.showLabel': '{label} zeigen',
  'shell.connect.hideLabel': '{label} verbergen',
  'shell.connect.optional': 'freiwillig',
  'shell.connect.done': '{provider} ist verbunden.',
  'shell.workspace': 'Arbeitsbereich',
  'shell.apiKey': 'API-Schlüssel',
  'shell.username': 'Benutzername',
  'shell.password': 'Passwort',
  'shell.clientId': 'Client-ID',
  'shell.clientSecret': 'Client-Geheimnis',
  'shell.scopes': 'Berechtigungen (Scopes)',
  'shell.scopesHint': 'Durch Leerzeichen getrennt',

  'shell.repair.heading': '{provider} nimmt die Verbindung nicht mehr an',
  'shell.repair.text': 'Bis sie erneuert ist, wird nichts geschrieben. Ihre Einstellungen bleiben, wie sie sind.',

  'shell.install': 'Einrichten',
  'shell.installing': 'Wird eingerichtet …',
  'shell.save': 'Änderungen speichern',
  'shell.saving': 'Wird gespeichert …',
  'shell.discard': 'Verwerfen',
  'shell.unsaved': 'Sie haben ungespeicherte Änderungen.',
  'shell.clean': 'Alles ist gespeichert.',
  'shell.ready': 'Bereit zum Einrichten.',
  'shell.reviewing': 'Wird geprüft …',
  'shell.problems': { one: '{count} Problem', other: '{count} Probleme' },
  'shell.warnings': { one: '{count} Hinweis', other: '{count} Hinweise' },
  'shell.notInstalled': 'Nicht eingerichtet',
  'shell.notSaved': 'Nicht gespeichert',
  'shell.installedNow': '{integration} ist eingerichtet.',
  'shell.savedNow': 'Ihre Änderungen sind gespeichert.',
  'shell.discarded': 'Ihre Änderungen sind verworfen.',

  'shell.workspaceOf': 'Arbeitsbereich {workspace}',
  'shell.reconnect': 'Neu verbinden',
  'shell.refresh': 'Felder neu laden',
  'shell.refreshing': 'Wird geladen …',
  'shell.refreshed': 'Die Felder von {provider} sind auf dem neuesten Stand.',
  'shell.disconnect': 'Trennen',
  'shell.disconnected': '{provider} ist getrennt.',
  'shell.cancel': 'Abbrechen',
  'shell.notDone': 'Das hat nicht geklappt',

  'shell.uninstall': 'Entfernen',
  'shell.uninstalling': 'Wird entfernt …',
  'shell.uninstall.heading': '{integration} entfernen?',
  'shell.uninstall.settings': 'Ihre Einstellungen hier werden gelöscht.',
  'shell.uninstall.writes': 'Es wird nichts mehr in {provider} geschrieben.',
  'shell.uninstall.connection': 'Die Verbindung zu {provider} wird gelöscht, wenn sonst nichts sie braucht.',
  'shell.uninstall.records': 'Datensätze, die in {provider} stehen, bleiben dort.',
  'shell.uninstalled': '{integration} ist entfernt.',

  ...formGerman,
  ...saidGerman,
};

export default german;
