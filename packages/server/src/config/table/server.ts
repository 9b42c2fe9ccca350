import { duration, integer, oneOf, size, text } from '../kinds.ts'
import { setting, MB, GB, SECOND, HOUR, DAY } from './setting.ts'
import { hostName, fileName, address, url, archivePlace, reachedAt, serverAddress, bucketAddress } from './values.ts'

/** The server itself: its names, its processes, its store and who follows it. */
export const server = {
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
} as const
