import { listenerNames } from './listeners.ts'
import { duration, flag, integer, list, oneOf, text } from '../kinds.ts'
import { setting, SECOND, MINUTE, HOUR, DAY } from './setting.ts'
import { fileName, hostAndPort } from './values.ts'

/** Mail that leaves, and what administrators watch. */
export const operation = {
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
