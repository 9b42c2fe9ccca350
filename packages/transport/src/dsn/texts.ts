/** What reports and automatic replies say to people: English and French. */
import { defineMessages } from '@postrider/domain'

export const say = defineMessages({
  failedSubject: { en: 'Undeliverable: {subject}', fr: 'Non remis : {subject}' },
  delayedSubject: { en: 'Delivery delayed: {subject}', fr: 'Remise retardée : {subject}' },
  deliveredSubject: { en: 'Delivered: {subject}', fr: 'Remis : {subject}' },
  relayedSubject: { en: 'Relayed: {subject}', fr: 'Relayé : {subject}' },
  expandedSubject: { en: 'Expanded: {subject}', fr: 'Transmis au groupe : {subject}' },
  failed: {
    en: 'Your message could not be delivered to these recipients:',
    fr: 'Votre message n’a pas pu être remis à ces destinataires :',
  },
  delayed: {
    en: 'Your message has not been delivered yet to these recipients. No action is needed; delivery will be tried until {until}.',
    fr: 'Votre message n’a pas encore été remis à ces destinataires. Vous n’avez rien à faire ; la remise sera tentée jusqu’au {until}.',
  },
  delivered: {
    en: 'Your message has been delivered to these recipients:',
    fr: 'Votre message a été remis à ces destinataires :',
  },
  relayed: {
    en: 'Your message has been handed to the server of these recipients, which does not report deliveries:',
    fr: 'Votre message a été transmis au serveur de ces destinataires, qui n’envoie pas d’accusé de remise :',
  },
  expanded: {
    en: 'Your message has been passed on to the members of these groups; nothing more is said of those it reaches:',
    fr: 'Votre message a été transmis aux membres de ces groupes ; vous ne recevrez pas d’accusé pour chacun d’eux :',
  },
  expired: {
    en: 'No attempt to deliver it was successful in the time given.',
    fr: 'Aucune tentative de remise n’a réussi dans le temps imparti.',
  },
  serverSaid: { en: 'The server {host} said: {text}', fr: 'Le serveur {host} a répondu : {text}' },
  reason: { en: 'Reason: {text}', fr: 'Raison : {text}' },
  mailSystem: { en: 'Mail Delivery System', fr: 'Système de messagerie' },
  automaticReply: { en: 'Automatic reply: {subject}', fr: 'Réponse automatique : {subject}' },
})
