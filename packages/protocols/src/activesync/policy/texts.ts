/** What people are told of a device that waits to be let in. */
import { defineMessages } from '@postrider/domain'

export const say = defineMessages({
  quarantineUserSubject: {
    en: 'A device waits to be let into your mailbox',
    fr: 'Un appareil attend l’accès à votre boîte',
  },
  quarantineUser: {
    en: 'A device asks for your mailbox {address}:\r\n\r\n  {device}\r\n  {id}\r\n\r\nIt gets no mail until an administrator lets it in. The administrators have been told.\r\nIf this is not your device, change your password.\r\n',
    fr: 'Un appareil demande l’accès à votre boîte {address} :\r\n\r\n  {device}\r\n  {id}\r\n\r\nIl ne recevra aucun courrier avant qu’un administrateur ne l’autorise. Les administrateurs ont été prévenus.\r\nSi ce n’est pas votre appareil, changez de mot de passe.\r\n',
  },
  quarantineAdministratorSubject: {
    en: 'A device of {address} waits to be let in',
    fr: 'Un appareil de {address} attend d’être autorisé',
  },
  quarantineAdministrator: {
    en: 'A device asks for the mailbox {address}:\r\n\r\n  {device}\r\n  {id}\r\n\r\nTo let it in:\r\n  postrider device allow {address} {id}\r\nTo shut it out:\r\n  postrider device block {address} {id}\r\n',
    fr: 'Un appareil demande l’accès à la boîte {address} :\r\n\r\n  {device}\r\n  {id}\r\n\r\nPour l’autoriser :\r\n  postrider device allow {address} {id}\r\nPour l’exclure :\r\n  postrider device block {address} {id}\r\n',
  },
})
