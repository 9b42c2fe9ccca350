import { flag, list, oneOf, text } from '../kinds.ts'
import { setting, type Setting } from './setting.ts'
import { hostName, fileName, address, port } from './values.ts'

/** What a listener of a service is called in the configuration, in the ready file and in logs, with its two ports. */
export const listenerPorts = {
  https: { offset: 0, own: 8443, standard: 443, tls: true },
  imaps: { offset: 1, own: 10_993, standard: 993, tls: true },
  imap: { offset: 2, own: 10_143, standard: 143, tls: false },
  pop3s: { offset: 3, own: 10_995, standard: 995, tls: true },
  pop3: { offset: 4, own: 10_110, standard: 110, tls: false },
  smtp: { offset: 5, own: 10_025, standard: 25, tls: false },
  submission: { offset: 6, own: 10_587, standard: 587, tls: false },
  submissions: { offset: 7, own: 10_465, standard: 465, tls: true },
} as const
export type ListenerName = keyof typeof listenerPorts
export const listenerNames = Object.keys(listenerPorts) as ListenerName[]

const enabled = (service: string): Setting<boolean> =>
  setting(flag, true, `Whether ${service} is offered.`, `Si ${service} est offert.`)
const portOf = (name: ListenerName): Setting<number> =>
  setting(
    port,
    0,
    `Port of ${name}; 0 is the usual one: ${listenerPorts[name].own}, or ${listenerPorts[name].standard} with standardPorts.`,
    `Port de ${name} ; 0 est l’habituel : ${listenerPorts[name].own}, ou ${listenerPorts[name].standard} avec standardPorts.`,
  )

/** Where it listens, with which certificates, and whom it believes. */
export const listeners = {
  'listeners.address': setting(
    list(address),
    ['::'],
    'IP addresses to listen on. "::" is every address of the machine, IPv4 too; "127.0.0.1" only the machine itself.',
    'Adresses IP d’écoute. « :: » : toutes celles de la machine, IPv4 aussi ; « 127.0.0.1 » : la machine seule.',
  ),
  'listeners.standardPorts': setting(
    oneOf('off', 'auto', 'on'),
    'off',
    'The known ports (443, 993, 25 …): off; auto where the system allows it; on: refuse to start without.',
    'Les ports connus (443, 993, 25 …) : off ; auto là où le système le permet ; on : ne pas démarrer sans.',
  ),
  'listeners.https.enabled': enabled('HTTPS (ActiveSync, Autodiscover)'),
  'listeners.imaps.enabled': enabled('IMAP4 over TLS'),
  'listeners.imap.enabled': enabled('IMAP4 with STARTTLS'),
  'listeners.pop3s.enabled': enabled('POP3 over TLS'),
  'listeners.pop3.enabled': enabled('POP3 with STLS'),
  'listeners.smtp.enabled': enabled('SMTP from other servers'),
  'listeners.submission.enabled': enabled('SMTP submission with STARTTLS'),
  'listeners.submissions.enabled': enabled('SMTP submission over TLS'),
  'listeners.https.port': portOf('https'),
  'listeners.imaps.port': portOf('imaps'),
  'listeners.imap.port': portOf('imap'),
  'listeners.pop3s.port': portOf('pop3s'),
  'listeners.pop3.port': portOf('pop3'),
  'listeners.smtp.port': portOf('smtp'),
  'listeners.submission.port': portOf('submission'),
  'listeners.submissions.port': portOf('submissions'),

  'tls.certificate': setting(
    fileName,
    '',
    'PEM file with certificate and chain. Empty: tls/certificate.pem of the data folder, made at first start.',
    'Fichier PEM avec certificat et chaîne. Vide : tls/certificate.pem du dossier de données, créé au premier démarrage.',
    { exchange: 'X509CertificateName', live: true },
  ),
  'tls.key': setting(fileName, '', 'PEM file with the private key.', 'Fichier PEM avec la clé privée.', {
    live: true,
  }),
  'tls.minVersion': setting(
    oneOf('TLSv1.2', 'TLSv1.3'),
    'TLSv1.2',
    'Oldest TLS version.',
    'Version TLS la plus ancienne.',
    { live: true },
  ),
  'tls.folder': setting(
    text({ en: 'a folder name', fr: 'un nom de dossier' }),
    '',
    'Folder with further certificates for names of their own: name.pem with chain and name.key. Clients that ask for one of their names get them.',
    'Dossier d’autres certificats pour leurs propres noms : nom.pem avec chaîne et nom.key. Les clients qui demandent un de leurs noms les reçoivent.',
    { live: true },
  ),

  'smime.trust': setting(
    list(fileName, 50),
    [],
    'PEM files with authorities whose certificates are believed in signed mail (S/MIME), beside those of the platform.',
    'Fichiers PEM des autorités dont les certificats sont reconnus dans les messages signés (S/MIME), outre celles du système.',
    { live: true },
  ),
  'smime.systemTrust': setting(
    flag,
    true,
    'Whether authorities that web browsers believe are believed in signed mail, too.',
    'Si les autorités que reconnaissent les navigateurs le sont aussi dans les messages signés.',
    { live: true },
  ),

  'acme.enabled': setting(
    flag,
    false,
    'Gets the certificate from an authority (ACME) and renews it. You accept the terms of service of the authority.',
    'Obtient le certificat d’une autorité (ACME) et le renouvelle. Vous acceptez les conditions d’utilisation de l’autorité.',
  ),
  'acme.directory': setting(
    text(
      { en: 'an http:// or https:// address', fr: 'une adresse http:// ou https://' },
      (value) => URL.canParse(value) && /^https?:$/.test(new URL(value).protocol),
    ),
    'https://acme-v02.api.letsencrypt.org/directory',
    'The authority.',
    'L’autorité.',
    { live: true },
  ),
  'acme.email': setting(
    text({ en: 'an e-mail address', fr: 'une adresse électronique' }, (value) => /^[^@\s]+@[^@\s]+$/.test(value)),
    '',
    'Address the authority may write to.',
    'Adresse à laquelle l’autorité peut écrire.',
    { live: true },
  ),
  'acme.names': setting(
    list(hostName),
    [],
    'Host names of the certificate. Empty: hostName alone.',
    'Noms d’hôte du certificat. Vide : hostName seul.',
    { live: true },
  ),
  'acme.challenge': setting(
    oneOf('tls-alpn-01', 'http-01'),
    'tls-alpn-01',
    'How the authority looks: tls-alpn-01 at port 443 (must lead to https), http-01 at port 80 (must lead to acme.httpPort).',
    'Comment l’autorité vérifie : tls-alpn-01 au port 443 (doit mener à https), http-01 au port 80 (doit mener à acme.httpPort).',
  ),
  'acme.httpPort': setting(
    port,
    0,
    'Port for http-01; 0 is the usual one: 8080, or 80 with standardPorts.',
    'Port pour http-01 ; 0 est l’habituel : 8080, ou 80 avec standardPorts.',
  ),
  'acme.externalAccountKeyId': setting(
    text(),
    '',
    'Key identifier of an account the authority gave you (external account binding).',
    'Identifiant de clé d’un compte donné par l’autorité (external account binding).',
    { live: true },
  ),
  'acme.externalAccountKeyFile': setting(
    fileName,
    '',
    'File with the key of that account, base64url.',
    'Fichier avec la clé de ce compte, base64url.',
    { live: true },
  ),
  'acme.caFile': setting(
    fileName,
    '',
    'PEM file with the authorities that sign the directory’s own certificate. Empty: the usual ones.',
    'Fichier PEM des autorités qui signent le certificat de l’annuaire lui-même. Vide : les habituelles.',
    { live: true },
  ),
} as const
