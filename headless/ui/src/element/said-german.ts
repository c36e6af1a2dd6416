/**
 * What the server says of a config, of credentials and of itself, in German, by the code of the issue or error. One
 * code stands for several sentences of the server: each of these is true for all of them, and stands beside its
 * control.
 */

export const saidGerman = {
  // A config that is held against the account.
  'issue.unknown-field': 'Das Feld {value} gibt es in Ihrem Konto nicht.',
  'issue.unknown-object': 'Dieses Objekt gibt es in Ihrem Konto nicht.',
  'issue.unknown-mapping': 'Diese Zuordnung wird nicht mehr angeboten.',
  'issue.other-case': 'Das Feld schreibt sich in Ihrem Konto anders: Groß- und Kleinschreibung zählt vielleicht.',
  'issue.not-described': 'Das ließ sich nicht mit Ihrem Konto vergleichen.',
  'issue.not-inside': 'In diesem Feld stehen keine weiteren Felder.',
  'issue.read-only': 'Dieses Feld ist in Ihrem Konto schreibgeschützt.',
  'issue.not-writable': 'Dieses Feld kann gelesen, aber nicht geschrieben werden.',
  'issue.same-field': 'Dieses Feld ist noch einem anderen Namen zugeordnet.',
  'issue.no-effect': 'Diese Einstellung bewirkt so nichts.',
  'issue.required-field': 'Ein Pflichtfeld neuer Datensätze wird so nicht gefüllt. Ein Vorgabewert hilft.',
  'issue.wrong-type': 'Dieser Wert passt nicht zu dem, was hier stehen kann.',
  'issue.converted': 'Der Wert ist anders geschrieben, als das Feld es vorsieht. Vielleicht wird er nicht angenommen.',
  'issue.not-a-choice': 'Diesen Wert bietet das Feld nicht an. Wählen Sie einen anderen.',
  'issue.other-choice': 'Diesen Wert bietet das Feld bisher nicht an.',
  'issue.no-picklist': 'Dieses Feld ist keine Auswahl: Andere Werte gehen unverändert durch.',
  'issue.invalid-date': 'Das ist kein Datum.',
  'issue.contradiction': 'Diese Einstellungen widersprechen sich.',
  'issue.not-one-to-one': 'Zwei Werte sind demselben zugeordnet.',
  'issue.duplicate-name': 'Das kommt schon einmal vor.',
  'issue.not-in-manifest': 'Das gehört nicht mehr zu dieser Integration.',
  'issue.not-supported': 'Das ist hier nicht möglich.',
  'issue.not-allowed': 'Das ist hier nicht erlaubt.',
  'issue.too-large': 'Es ist zu viel auf einmal eingestellt.',
  'issue.more-issues': 'Es gibt noch mehr Hinweise als diese.',
  'issue.already-installed': 'Diese Integration ist schon eingerichtet.',
  'issue.unknown-connection': 'Diese Verbindung gibt es nicht mehr.',

  // What is entered to connect.
  'issue.required': 'Diese Angabe wird gebraucht.',
  'issue.bad-value': 'Diese Angabe hat nicht die richtige Form.',
  'issue.unknown-input': 'Danach wird hier nicht gefragt.',
  'issue.credentials': 'Diese Zugangsdaten passen nicht zu dem, was gebraucht wird.',
  'issue.credentials-refused': 'Diese Zugangsdaten wurden abgelehnt.',
  'issue.address-denied': 'Diese Adresse ist nicht erlaubt.',
  'issue.another-workspace': 'Das ist ein anderes Konto als das bisher verbundene.',
  'issue.no-scopes': 'Für diese Verbindung fehlen Berechtigungen. Wenden Sie sich an die App, die Sie benutzen.',
  'issue.no-provider-app': 'Die Verbindung ist noch nicht vorbereitet. Wenden Sie sich an die App, die Sie benutzen.',
  'issue.denied': 'Der Zugriff wurde nicht erlaubt.',
  'issue.not-returned': 'Sie sind noch nicht vom Anbieter zurück.',

  // Errors.
  'issue.invalid': 'Etwas an diesen Angaben stimmt nicht.',
  'issue.forbidden': 'Das ist hier nicht erlaubt.',
  'issue.missing': 'Das gibt es nicht, oder nicht mehr.',
  'issue.conflict': 'Jemand anderes war schneller. Sehen Sie nach, was jetzt dasteht, und speichern Sie noch einmal.',
  'issue.busy': 'Das waren zu viele Anfragen. Versuchen Sie es gleich noch einmal.',
  'issue.server': 'Der Server konnte das nicht ausführen. Versuchen Sie es gleich noch einmal.',
} as const;
