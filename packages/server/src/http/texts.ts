import { defineMessages } from '@postrider/domain'

/** What the start page says. */
export const pageText = defineMessages({
  title: { en: '{organization}: your mail', fr: '{organization} : votre messagerie' },
  intro: {
    en: 'This server keeps your mail. On a phone, add an Exchange account; everything else sets itself up.',
    fr: 'Ce serveur garde votre courrier. Sur un téléphone, ajoutez un compte Exchange ; le reste se règle tout seul.',
  },
  openMail: { en: 'Sign in to your mail', fr: 'Se connecter à votre courrier' },
  openLight: { en: 'Light version', fr: 'Version légère' },
  phone: {
    en: 'Phone or tablet (Exchange ActiveSync, recommended)',
    fr: 'Téléphone ou tablette (Exchange ActiveSync, conseillé)',
  },
  phoneHint: {
    en: 'Choose “Exchange” or “Exchange ActiveSync” as the kind of account.',
    fr: 'Choisissez « Exchange » ou « Exchange ActiveSync » comme type de compte.',
  },
  server: { en: 'Server', fr: 'Serveur' },
  login: { en: 'User name', fr: 'Nom d’utilisateur' },
  loginValue: { en: 'your whole email address', fr: 'votre adresse électronique entière' },
  domain: { en: 'Domain', fr: 'Domaine' },
  domainValue: { en: 'leave empty', fr: 'laisser vide' },
  encryption: { en: 'Encryption', fr: 'Chiffrement' },
  port: { en: 'Port', fr: 'Port' },
  program: { en: 'Mail program (POP, IMAP and SMTP)', fr: 'Logiciel de messagerie (POP, IMAP et SMTP)' },
  programHint: {
    en: 'Most programs find these by themselves from your address and password.',
    fr: 'La plupart des logiciels les trouvent seuls à partir de votre adresse et de votre mot de passe.',
  },
  keep: {
    en: 'With POP, tell the program to leave a copy of messages on the server.',
    fr: 'Avec POP, demandez au logiciel de laisser une copie des messages sur le serveur.',
  },
  service: { en: 'Service', fr: 'Service' },
  inside: { en: 'Inside the organisation', fr: 'Dans l’organisation' },
  outside: { en: 'Outside', fr: 'À l’extérieur' },
  incomingImap: { en: 'Incoming (IMAP)', fr: 'Réception (IMAP)' },
  incomingPop: { en: 'Incoming (POP)', fr: 'Réception (POP)' },
  outgoing: { en: 'Outgoing (SMTP)', fr: 'Envoi (SMTP)' },
  off: { en: 'not offered', fr: 'non offert' },
  unconfigured: { en: 'not configured: ask your administrator', fr: 'non configuré : demandez à votre administrateur' },
  certificate: { en: 'Certificate', fr: 'Certificat' },
  certificateHint: {
    en: 'This server signed its certificate itself. Devices ask once whether they may trust it; compare this fingerprint with the one your administrator gives you:',
    fr: 'Ce serveur a signé lui-même son certificat. Les appareils demandent une fois s’ils peuvent lui faire confiance ; comparez cette empreinte à celle de votre administrateur :',
  },
  certificateLink: { en: 'Download the certificate', fr: 'Télécharger le certificat' },
})
