import { duration, flag, integer, oneOf, size, text } from '../kinds.ts'
import { setting, KB, MB, GB, SECOND, MINUTE, HOUR, DAY, type Setting } from './setting.ts'

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

/** What programs and phones may do, and what their users are told. */
export const clients = {
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
} as const
