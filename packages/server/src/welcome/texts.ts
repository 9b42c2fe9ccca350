import { defineMessages } from '@postrider/domain'

/** What the first mail says. */
export const welcomeText = defineMessages({
  subject: { en: 'Welcome: your mailbox is ready', fr: 'Bienvenue : votre boîte est prête' },
  hello: { en: 'Welcome to {organization}', fr: 'Bienvenue chez {organization}' },
  intro: {
    en: 'This mailbox is {address}. Everything you need to read it elsewhere is below; the page Settings, Account shows the same at any time.',
    fr: 'Cette boîte est {address}. Tout ce qu’il faut pour la lire ailleurs est ci-dessous ; la page Paramètres, Compte le montre à tout moment.',
  },
  browser: { en: 'In a browser', fr: 'Dans un navigateur' },
  browserHint: {
    en: 'On a phone, open the same address and choose “Add to home screen”: it then works without a network, too.',
    fr: 'Sur un téléphone, ouvrez la même adresse et choisissez « Ajouter à l’écran d’accueil » : elle marche alors aussi sans réseau.',
  },
  phone: { en: 'On a phone or tablet (recommended)', fr: 'Sur un téléphone ou une tablette (conseillé)' },
  phoneHint: {
    en: 'Settings, Accounts, Add account, Exchange. Mail, calendar, contacts and tasks arrive by themselves.',
    fr: 'Réglages, Comptes, Ajouter un compte, Exchange. Courrier, calendrier, contacts et tâches arrivent tout seuls.',
  },
  address: { en: 'Address', fr: 'Adresse' },
  server: { en: 'Server', fr: 'Serveur' },
  login: { en: 'User name', fr: 'Nom d’utilisateur' },
  password: { en: 'Password', fr: 'Mot de passe' },
  yours: { en: 'the one you signed in with', fr: 'celui avec lequel vous vous êtes connecté' },
  domain: { en: 'Domain', fr: 'Domaine' },
  empty: { en: 'leave empty', fr: 'laisser vide' },
  program: { en: 'In a mail program', fr: 'Dans un logiciel de messagerie' },
  programHint: {
    en: 'Most find these by themselves from your address and password. With POP, tell the program to leave a copy on the server.',
    fr: 'La plupart les trouvent seuls à partir de l’adresse et du mot de passe. Avec POP, demandez de laisser une copie sur le serveur.',
  },
  incomingImap: { en: 'Incoming (IMAP)', fr: 'Réception (IMAP)' },
  incomingPop: { en: 'Incoming (POP)', fr: 'Réception (POP)' },
  outgoing: { en: 'Outgoing (SMTP)', fr: 'Envoi (SMTP)' },
  port: { en: 'port', fr: 'port' },
  start: { en: 'A good start', fr: 'Pour bien commencer' },
  tip1: {
    en: 'Press ? in the browser for all keys, Ctrl+K for every command.',
    fr: 'Dans le navigateur, ? montre toutes les touches, Ctrl+K toutes les commandes.',
  },
  tip2: {
    en: 'Everything can be undone: press Z, or wait before a mail really leaves.',
    fr: 'Tout s’annule : touche Z, ou le délai avant qu’un message parte vraiment.',
  },
  tip3: {
    en: 'Turn on the second step of sign-in under Settings, Account.',
    fr: 'Activez la deuxième étape de connexion sous Paramètres, Compte.',
  },
  tip4: {
    en: 'To see it with a year of mail in it, the administrator can run: npx postrider demo {address}',
    fr: 'Pour la voir remplie d’une année de courrier, l’administrateur peut lancer : npx postrider demo {address}',
  },
})
