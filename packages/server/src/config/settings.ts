import { isIP } from 'node:net'
import { verbatim } from '@postrider/domain'
import { domainKey, domainValid } from '@postrider/store/directory'
import { parseS3Url, showS3Url } from '@postrider/store/s3'
import { duration, flag, hidden, integer, type Kind, list, oneOf, size, text } from './kinds.ts'

export interface Setting<T> {
  readonly kind: Kind<T>
  readonly default: T
  readonly en: string
  readonly fr: string
  /** The name an Exchange administrator looks for. */
  readonly exchange?: string
  /** A running server takes it over by `postrider reload`; others need a restart. */
  readonly live?: boolean
}

const setting = <T>(
  kind: Kind<T>,
  standard: T,
  en: string,
  fr: string,
  more: { exchange?: string; live?: boolean } = {},
): Setting<T> => ({ kind, default: standard, en, fr, ...more })

const hostName = text({ en: 'a host name', fr: 'un nom d’hôte' }, (value) => domainValid(domainKey(value)))
const fileName = text({ en: 'a file name', fr: 'un nom de fichier' })
const address = text({ en: 'an IP address', fr: 'une adresse IP' }, (value) => isIP(value) !== 0)
const url = text({ en: 'an https:// address without a path', fr: 'une adresse https:// sans chemin' }, (value) => {
  if (!URL.canParse(value)) return false
  const { protocol, pathname, search, hash, username } = new URL(value)
  return protocol === 'https:' && pathname === '/' && `${search}${hash}${username}` === ''
})
const hostAndPort = text({ en: 'host or host:port', fr: 'hôte ou hôte:port' }, (value) =>
  /^(?:\[[\da-fA-F:]+\]|[A-Za-z0-9_.-]+)(?::\d{1,5})?$/.test(value),
)
const archivePlace = hidden(
  text(
    {
      en: 'a folder, or s3://key:secret@host:port/bucket/folder',
      fr: 'un dossier, ou s3://clé:secret@hôte:port/seau/dossier',
    },
    (value) => !value.startsWith('s3://') || parseS3Url(value) !== undefined,
  ),
  (value) => (value.startsWith('s3://') ? showS3Url(value) : value),
)
const reachedAt = text({ en: 'host:port', fr: 'hôte:port' }, (value) =>
  /^(?:\[[\da-fA-F:]+\]|[A-Za-z0-9_.-]+):\d{1,5}$/.test(value),
)
const serverAddress = hidden(
  text(verbatim('postgres://user:password@host:port/database'), (value) =>
    /^postgres(?:ql)?:\/\/(?:[^@/\s]*@)?[^@/\s]+\/[^\s]+$/.test(value),
  ),
  // The password goes from the first colon behind the scheme to the last @ before the host.
  (value) => value.replace(/^(\w+:\/\/[^:@/]*):[^@/]*@/, '$1:***@'),
)
const bucketAddress = hidden(
  text(verbatim('s3://key:secret@host:port/bucket/folder'), (value) => parseS3Url(value) !== undefined),
  showS3Url,
)
const port = integer(0, 65_535)
const KB = 1024
const MB = 1024 * KB
const GB = 1024 * MB
const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

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

const external = (service: string, example: string): Setting<string> =>
  setting(
    text({ en: 'host:port:SSL or host:port:TLS', fr: 'hôte:port:SSL ou hôte:port:TLS' }, (value) =>
      value.split(',').every((one) => /^[^:\s]+:\d{1,5}:(?:SSL|TLS)$/i.test(one.trim())),
    ),
    '',
    `How people outside reach ${service}, shown on the start page: ${example}. Empty: not configured.`,
    `Comment joindre ${service} de l’extérieur, montré sur la page d’accueil : ${example}. Vide : non configuré.`,
    { exchange: 'ExternalConnectionSettings', live: true },
  )

/** Every setting there is. The file nests by the dots: `{ "log": { "level": "debug" } }`. */
export const settings = {
  organization: setting(
    text(),
    'Postrider',
    'Name of the organisation, shown to users.',
    'Nom de l’organisation, montré aux utilisateurs.',
    { live: true },
  ),
  domain: setting(
    hostName,
    'example.com',
    'First mail domain, made at first start. Later ones: postrider domain add.',
    'Premier domaine de messagerie, créé au premier démarrage. Les suivants : postrider domain add.',
  ),
  hostName: setting(
    hostName,
    '',
    'Public name of this server, as in its certificate and MX record. Empty: the machine’s full name, or mail.<domain>.',
    'Nom public de ce serveur, comme dans son certificat et son enregistrement MX. Vide : le nom complet de la machine, ou mail.<domain>.',
    { exchange: 'Fqdn' },
  ),
  externalUrl: setting(
    url,
    '',
    'Address under which devices reach this server, given out by Autodiscover. Empty: the one they asked at.',
    'Adresse sous laquelle les appareils joignent ce serveur, donnée par Autodiscover. Vide : celle qu’ils ont demandée.',
    { exchange: 'ExternalUrl', live: true },
  ),
  language: setting(oneOf('en', 'fr'), 'en', 'Language of new mailboxes.', 'Langue des nouvelles boîtes.', {
    live: true,
  }),
  databases: setting(
    integer(0, 64),
    0,
    'Mailbox databases; 0: one per owner. May grow later; those with mailboxes stay open.',
    'Bases de boîtes ; 0 : une par propriétaire. Peut croître ; celles qui ont des boîtes restent ouvertes.',
  ),

  owners: setting(
    integer(0, 64),
    0,
    'Owners of mailbox databases; 0: one per four processor cores.',
    'Propriétaires des bases de boîtes ; 0 : un pour quatre cœurs.',
  ),

  ownerKind: setting(
    oneOf('thread', 'process'),
    'thread',
    'What an owner is: a thread of the server, or a process of its own. A process that is killed, or runs out of memory, is started again while all connections stay; it takes some more memory and time.',
    'Ce qu’est un propriétaire : un fil du serveur, ou un processus à part. Un processus tué, ou à court de mémoire, est relancé et toutes les connexions restent ; il coûte un peu plus de mémoire et de temps.',
  ),

  accessProcesses: setting(
    integer(0, 64),
    1,
    'Processes that take connections and speak the protocols; 0: one per processor core. With one, the server’s own process does it. With several, any may be killed: the clients of the others notice nothing.',
    'Processus qui prennent les connexions et parlent les protocoles ; 0 : un par cœur. Avec un seul, c’est le processus du serveur. Avec plusieurs, chacun peut être tué : les clients des autres ne remarquent rien.',
  ),

  role: setting(
    oneOf('all', 'access', 'mailbox'),
    'all',
    'What this machine does where there are several (postrider node): everything, client access only (no mailboxes of its own), or mailboxes only (nobody connects to it but the other machines).',
    'Ce que fait cette machine quand il y en a plusieurs (postrider node) : tout, l’accès des clients seul (sans boîtes à elle), ou les boîtes seules (personne ne s’y connecte sauf les autres machines).',
    { exchange: 'ServerRole' },
  ),

  'link.address': setting(
    address,
    '',
    'Address on which this machine listens for the others; empty: the one of postrider node init or join, or all.',
    'Adresse sur laquelle cette machine écoute les autres ; vide : celle de postrider node init ou join, ou toutes.',
  ),

  'store.driver': setting(
    oneOf('sqlite', 'postgres'),
    'sqlite',
    'Where mailboxes are kept: in files of the data folder, or in a PostgreSQL server (15 or later). What is in one is not seen by the other.',
    'Où sont les boîtes : dans des fichiers du dossier de données, ou dans un serveur PostgreSQL (15 ou plus). L’un ne voit pas ce qui est dans l’autre.',
  ),
  'store.postgres.url': setting(
    serverAddress,
    '',
    'Address of the PostgreSQL server; several hosts with commas: the one that takes writes is used. Its password is never shown.',
    'Adresse du serveur PostgreSQL ; plusieurs hôtes avec des virgules : celui qui accepte les écritures sert. Son mot de passe n’est jamais montré.',
  ),

  'store.segments.kind': setting(
    oneOf('folder', 's3'),
    'folder',
    'Where the originals of mails are kept: in the data folder, or (with "store.driver": "postgres") in an S3-compatible store.',
    'Où sont les originaux des courriels : dans le dossier de données, ou (avec "store.driver": "postgres") dans un stockage compatible S3.',
  ),
  'store.segments.s3': setting(
    bucketAddress,
    '',
    'The bucket, with a folder of this server’s own. "?region=", "?style=host" (bucket in the host name) and "?tls=off" may follow. The secret is never shown.',
    'Le seau, avec un dossier propre à ce serveur. "?region=", "?style=host" (seau dans le nom d’hôte) et "?tls=off" peuvent suivre. Le secret n’est jamais montré.',
  ),
  'store.segments.cache': setting(
    size(1 * MB, 16_384 * GB),
    10 * GB,
    'How much of the store is kept in the data folder, so that it is not fetched again.',
    'Ce qui est gardé du stockage dans le dossier de données, pour ne pas le redemander.',
  ),
  'store.scrub': setting(
    size(0, 1 * GB),
    4 * MB,
    'Bytes a second at which every message and every page is read once a day and compared with its checksum, beside the work and not while there is much of it. 0: not at all. What is found is in the log and in metrics.',
    'Octets par seconde auxquels chaque message et chaque page est lu une fois par jour et comparé à sa somme de contrôle, à côté du travail et jamais quand il y en a beaucoup. 0 : pas du tout. Ce qui est trouvé est dans le journal et les mesures.',
    { live: true },
  ),

  'standby.role': setting(
    oneOf('off', 'primary', 'standby'),
    'off',
    'What this server is at its first start: alone, the one that serves, or its copy on another machine. Later the data folder says it (postrider standby status).',
    'Ce qu’est ce serveur à son premier démarrage : seul, celui qui sert, ou sa copie sur une autre machine. Ensuite le dossier de données le dit (postrider standby status).',
  ),
  'standby.to': setting(
    reachedAt,
    '',
    'Where the other server listens (its standby.listen): host:port.',
    'Où l’autre serveur écoute (son standby.listen) : hôte:port.',
  ),
  'standby.listen': setting(
    reachedAt,
    '',
    'Address and port where the other server reaches this one, on both: an old primary hears there that it has been replaced.',
    'Adresse et port où l’autre serveur joint celui-ci, sur les deux : un ancien primaire y apprend qu’il a été remplacé.',
  ),
  'standby.key': setting(
    fileName,
    '',
    'File with the secret of the two servers (postrider standby key). Empty: standby.key of the data folder.',
    'Fichier avec le secret des deux serveurs (postrider standby key). Vide : standby.key du dossier de données.',
  ),
  'standby.wait': setting(
    oneOf('none', 'received', 'synced'),
    'none',
    'What an acknowledgement (250, OK, Status 1) waits for: this server’s disk alone, the standby’s memory, or the standby’s disk.',
    'Ce qu’attend un accusé (250, OK, Status 1) : le disque de ce serveur seul, la mémoire du secours, ou son disque.',
  ),
  'standby.patience': setting(
    duration(0, HOUR),
    10 * SECOND,
    'How long acknowledgements wait for a standby that does not confirm, before they go on without it (the metric standby_degraded says so). 0: for ever; then nothing is acknowledged that only one machine has.',
    'Combien de temps les accusés attendent un secours qui ne confirme pas, avant de s’en passer (la mesure standby_degraded le dit). 0 : toujours ; alors rien n’est accusé qu’une seule machine possède.',
  ),
  'standby.keep': setting(
    size(64 * MB, 16_384 * GB),
    1 * GB,
    'How much of what was committed is kept for a standby that is away, per mailbox database; beyond that it gets everything anew.',
    'Ce qui est gardé pour un secours absent, par base de boîtes ; au-delà il reçoit tout de nouveau.',
  ),

  'archive.to': setting(
    archivePlace,
    '',
    'Where what is committed is written all the time: the folder, or the bucket (s3://key:secret@host/bucket/folder), that the backups go to. A backup can then be restored to any moment after it. Empty: nowhere. Mailboxes in files only.',
    'Où ce qui est validé est écrit en continu : le dossier, ou le seau (s3://clé:secret@hôte/seau/dossier), où vont les sauvegardes. Une sauvegarde peut alors être restaurée à tout moment ultérieur. Vide : nulle part. Boîtes en fichiers seulement.',
  ),
  'archive.every': setting(
    duration(SECOND, HOUR),
    10 * SECOND,
    'How often; what is younger is lost with the machine.',
    'À quelle fréquence ; ce qui est plus récent est perdu avec la machine.',
  ),
  'archive.keep': setting(
    duration(0, 3_650 * DAY),
    0,
    'How long it is kept; 0: for ever. No shorter than from the oldest backup on.',
    'Combien de temps c’est gardé ; 0 : toujours. Pas moins que depuis la plus ancienne sauvegarde.',
  ),

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

  'limits.connections': setting(
    integer(0, 1_000_000),
    0,
    'Connections at the same time; 0: as many as the system allows (limit of open files).',
    'Connexions simultanées ; 0 : autant que le système le permet (limite de fichiers ouverts).',
    {
      exchange: 'MaxConnections',
      live: true,
    },
  ),
  'limits.connectionsPerAddress': setting(
    integer(1, 1_000_000),
    4_000,
    'Connections of one client address (IPv6: /64) at the same time.',
    'Connexions simultanées d’une adresse (IPv6 : /64).',
    { exchange: 'MaxConnectionFromSingleIP', live: true },
  ),
  'limits.messageSize': setting(
    size(64 * KB, 1 * GB),
    36 * MB,
    'Largest message, sent or received.',
    'Plus grand message, envoyé ou reçu.',
    {
      exchange: 'MaxMessageSize',
    },
  ),
  'limits.recipients': setting(integer(1, 100_000), 200, 'Recipients of one message.', 'Destinataires d’un message.', {
    exchange: 'MaxRecipientsPerMessage',
  }),
  'limits.mailboxQuota': setting(
    size(0, 1024 * 1024 * MB),
    0,
    'Quota of new mailboxes; 0 is none.',
    'Quota des nouvelles boîtes ; 0 : aucun.',
    { exchange: 'ProhibitSendReceiveQuota', live: true },
  ),

  'authentication.attempts': setting(
    integer(3, 1_000),
    10,
    'Wrong passwords of one account from one address before it has to wait, all protocols together.',
    'Mots de passe faux d’un compte depuis une adresse avant attente, tous protocoles ensemble.',
    { exchange: 'MaxLogonFailures' },
  ),
  'authentication.attemptsPerAddress': setting(
    integer(10, 100_000),
    100,
    'Wrong passwords from one address for all accounts before it has to wait.',
    'Mots de passe faux depuis une adresse, tous comptes, avant attente.',
  ),

  'imap.connectionsPerUser': setting(
    integer(1, 10_000),
    16,
    'IMAP sessions of one user.',
    'Sessions IMAP d’un utilisateur.',
    {
      exchange: 'MaxConnectionsPerUser',
      live: true,
    },
  ),
  'imap.preAuthenticatedTimeout': setting(
    duration(5 * SECOND, HOUR),
    MINUTE,
    'Time to log in.',
    'Temps pour se connecter.',
    {
      exchange: 'PreAuthenticatedConnectionTimeout',
      live: true,
    },
  ),
  'imap.authenticatedTimeout': setting(
    duration(30 * SECOND, DAY),
    30 * MINUTE,
    'Inactivity after which a session ends; IDLE is not inactivity.',
    'Inactivité après laquelle une session finit ; IDLE n’en est pas.',
    { exchange: 'AuthenticatedConnectionTimeout', live: true },
  ),
  'imap.showHiddenFolders': setting(
    flag,
    false,
    'Also list Outbox, Sync Issues, RSS Feeds and the like.',
    'Lister aussi Boîte d’envoi, Problèmes de synchronisation, Flux RSS, etc.',
    { exchange: 'ShowHiddenFoldersEnabled', live: true },
  ),
  'pop3.connectionsPerUser': setting(
    integer(1, 10_000),
    16,
    'POP3 sessions of one user.',
    'Sessions POP3 d’un utilisateur.',
    {
      exchange: 'MaxConnectionsPerUser',
      live: true,
    },
  ),
  'pop3.preAuthenticatedTimeout': setting(
    duration(5 * SECOND, HOUR),
    MINUTE,
    'Time to log in.',
    'Temps pour se connecter.',
    {
      exchange: 'PreAuthenticatedConnectionTimeout',
      live: true,
    },
  ),
  'pop3.authenticatedTimeout': setting(
    duration(30 * SECOND, DAY),
    30 * MINUTE,
    'Inactivity after which a session ends.',
    'Inactivité après laquelle une session finit.',
    { exchange: 'AuthenticatedConnectionTimeout', live: true },
  ),

  'imap.externalConnection': external('IMAP', 'mail.example.com:993:SSL'),
  'pop3.externalConnection': external('POP3', 'mail.example.com:995:SSL'),
  'submission.externalConnection': external('SMTP', 'mail.example.com:587:TLS'),

  'web.inactivityTimeout': setting(
    duration(5 * MINUTE, 8 * HOUR),
    6 * HOUR,
    'Inactivity after which the web client and its Light version ask for the password again. Only what the user does counts.',
    'Inactivité après laquelle le client web et sa version légère redemandent le mot de passe. Seul compte ce que fait l’utilisateur.',
    { exchange: 'ActivityBasedAuthenticationTimeoutInterval', live: true },
  ),

  'web.passwordChange': setting(
    flag,
    true,
    'Whether users may change their passwords in the web client and its Light version.',
    'Si les utilisateurs peuvent changer leur mot de passe dans le client web et sa version légère.',
    { exchange: 'ChangePasswordEnabled', live: true },
  ),
  'web.passwordLength': setting(
    integer(1, 128),
    10,
    'Fewest characters of a password that a user chooses. Administrators are not bound by it.',
    'Nombre minimal de caractères d’un mot de passe choisi par un utilisateur. Les administrateurs n’y sont pas tenus.',
    { live: true },
  ),

  'push.allowPrivate': setting(
    flag,
    false,
    'Whether web pushes may go to addresses inside private networks: for a push service of one’s own.',
    'Si les notifications web peuvent aller vers des adresses de réseaux privés : pour un service de notification à soi.',
    { live: true },
  ),

  'activesync.maxDevices': setting(integer(1, 100_000), 100, 'Devices of one mailbox.', 'Appareils d’une boîte.', {
    exchange: 'EasMaxDevices',
  }),
  'activesync.minHeartbeat': setting(
    duration(SECOND, HOUR),
    MINUTE,
    'Shortest time a Ping may wait.',
    'Attente la plus courte d’un Ping.',
    { exchange: 'MinHeartbeatInterval' },
  ),
  'activesync.maxHeartbeat': setting(
    duration(MINUTE, 59 * MINUTE),
    59 * MINUTE,
    'Longest time a Ping may wait.',
    'Attente la plus longue d’un Ping.',
    { exchange: 'MaxHeartbeatInterval' },
  ),
  'activesync.requireProvisioning': setting(
    flag,
    true,
    'Devices must take the policy before they see data.',
    'Les appareils doivent accepter la stratégie avant de voir des données.',
    { exchange: 'AllowNonProvisionableDevices (opposite)' },
  ),
  'activesync.pingOnChanges': setting(
    flag,
    false,
    'Whether mail that was read, changed or deleted elsewhere wakes a waiting phone as new mail does: sooner up to date, more battery.',
    'Si un courrier lu, modifié ou supprimé ailleurs réveille un téléphone en attente comme un nouveau courrier : à jour plus tôt, plus de batterie.',
  ),
  'activesync.defaultAccessLevel': setting(
    oneOf('allow', 'block', 'quarantine'),
    'allow',
    'What becomes of a new device: let in, shut out, or kept out until an administrator decides, who is told by mail (postrider device allow).',
    'Sort d’un nouvel appareil : accepté, exclu, ou tenu à l’écart jusqu’à la décision d’un administrateur, prévenu par courrier (postrider device allow).',
    { exchange: 'DefaultAccessLevel' },
  ),

  'delivery.smartHost': setting(
    hostAndPort,
    '',
    'Server that takes all outgoing mail (host or host:port). Empty: straight to the recipients’ servers.',
    'Serveur qui prend tout le courrier sortant (hôte ou hôte:port). Vide : directement aux serveurs des destinataires.',
    { exchange: 'SmartHosts' },
  ),
  'delivery.smartHostUser': setting(text(), '', 'Login at the smart host.', 'Identifiant auprès du relais.'),
  'delivery.smartHostPasswordFile': setting(
    fileName,
    '',
    'File whose first line is the password at the smart host.',
    'Fichier dont la première ligne est le mot de passe auprès du relais.',
  ),
  'delivery.port': setting(
    integer(1, 65_535),
    25,
    'Port of other mail servers.',
    'Port des autres serveurs de messagerie.',
  ),
  'delivery.relayFrom': setting(
    list(
      text({ en: 'an IP address or network', fr: 'une adresse IP ou un réseau' }, (value) =>
        /^[\da-fA-F.:]+(?:\/\d{1,3})?$/.test(value),
      ),
    ),
    [],
    'Addresses or networks that may send to anywhere without authentication, over TLS. Empty: nobody.',
    'Adresses ou réseaux pouvant envoyer partout sans authentification, sous TLS. Vide : personne.',
    { exchange: 'RemoteIPRanges' },
  ),
  'delivery.expiration': setting(
    duration(MINUTE, 30 * DAY),
    2 * DAY,
    'How long an undeliverable message is tried.',
    'Durée des essais d’un message non remis.',
    { exchange: 'MessageExpirationTimeout' },
  ),
  'delivery.delayNotification': setting(
    duration(MINUTE, 30 * DAY),
    4 * HOUR,
    'After how long the sender hears of a delay.',
    'Délai avant d’avertir l’expéditeur d’un retard.',
    { exchange: 'DelayNotificationTimeout' },
  ),
  'delivery.connections': setting(integer(1, 10_000), 100, 'Outgoing connections.', 'Connexions sortantes.', {
    exchange: 'MaxOutboundConnections',
  }),
  'delivery.connectionsPerDomain': setting(
    integer(1, 1_000),
    10,
    'Outgoing connections to one domain.',
    'Connexions sortantes vers un domaine.',
    {
      exchange: 'MaxPerDomainOutboundConnections',
    },
  ),

  'delivery.retryInterval': setting(
    duration(SECOND, DAY),
    5 * MINUTE,
    'Time between the first six attempts; later ones come at twice that.',
    'Temps entre les six premiers essais ; les suivants viennent au double.',
    { exchange: 'TransientFailureRetryInterval' },
  ),
  'delivery.allowPrivateAddresses': setting(
    flag,
    false,
    'Deliver to servers whose MX record leads to a private or loopback address. A smart host may have one anyway.',
    'Remettre aux serveurs dont le MX mène à une adresse privée ou locale. Un relais peut en avoir une de toute façon.',
  ),

  'log.level': setting(oneOf('debug', 'info', 'warn', 'error'), 'info', 'What is logged.', 'Ce qui est journalisé.', {
    live: true,
  }),
  'log.format': setting(
    oneOf('auto', 'json', 'text'),
    'auto',
    'JSON lines, or text for people; auto: text on a terminal.',
    'Lignes JSON, ou texte lisible ; auto : texte sur un terminal.',
  ),
  'log.protocols': setting(
    list(oneOf(...listenerNames)),
    [],
    'Services whose protocol is logged, commands without passwords and bodies.',
    'Services dont le protocole est journalisé, sans mots de passe ni contenus.',
    { exchange: 'ProtocolLogEnabled', live: true },
  ),
  'metrics.token': setting(
    text(),
    '',
    'Bearer token for /metrics from elsewhere; the machine itself needs none.',
    'Jeton Bearer pour /metrics d’ailleurs ; la machine elle-même n’en a pas besoin.',
    { live: true },
  ),
  'shutdown.grace': setting(
    duration(0, 10 * MINUTE),
    20 * SECOND,
    'Longest time for running work when the server stops.',
    'Temps maximal laissé au travail en cours à l’arrêt.',
    { live: true },
  ),
} as const

export type SettingName = keyof typeof settings
type Table = typeof settings
/** The effective values, by the names of the table. */
export type Config = { readonly [K in SettingName]: Table[K] extends Setting<infer T> ? T : never }
export const settingNames = Object.keys(settings) as SettingName[]
