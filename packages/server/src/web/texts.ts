import { defineMessages } from '@postrider/domain'

/** What the sign-in page and its neighbours say. */
export const webText = defineMessages({
  signIn: { en: 'Sign in', fr: 'Se connecter' },
  title: { en: 'Sign in – {organization}', fr: 'Connexion – {organization}' },
  login: { en: 'Email address', fr: 'Adresse électronique' },
  password: { en: 'Password', fr: 'Mot de passe' },
  computer: { en: 'This computer is', fr: 'Cet ordinateur est' },
  private: { en: 'my own', fr: 'le mien' },
  privateHint: {
    en: 'Mail may be kept on it for reading without a network.',
    fr: 'Le courrier peut y être gardé pour être lu sans réseau.',
  },
  public: { en: 'public or shared', fr: 'public ou partagé' },
  publicHint: {
    en: 'Nothing is kept. The session ends with the browser.',
    fr: 'Rien n’est gardé. La session finit avec le navigateur.',
  },
  light: { en: 'Use the Light version', fr: 'Utiliser la version légère' },
  lightHint: {
    en: 'Plain pages for slow lines, old browsers and screen readers.',
    fr: 'Pages simples pour lignes lentes, anciens navigateurs et lecteurs d’écran.',
  },
  language: { en: 'Language', fr: 'Langue' },
  noScript: {
    en: 'Your browser runs no scripts. You will be taken to the Light version, which does everything without them.',
    fr: 'Votre navigateur n’exécute pas de scripts. Vous irez à la version légère, qui fait tout sans eux.',
  },
  wrong: {
    en: 'That address and password do not go together. Check both and try again.',
    fr: 'Cette adresse et ce mot de passe ne vont pas ensemble. Vérifiez les deux et recommencez.',
  },
  missingLogin: { en: 'Type your email address.', fr: 'Tapez votre adresse électronique.' },
  missingPassword: { en: 'Type your password.', fr: 'Tapez votre mot de passe.' },
  throttled: {
    en: 'Too many attempts. Wait {minutes} min, then try again.',
    fr: 'Trop de tentatives. Attendez {minutes} min, puis recommencez.',
  },
  stale: {
    en: 'This page had waited too long. Please sign in again.',
    fr: 'Cette page a trop attendu. Veuillez vous connecter de nouveau.',
  },
  problem: { en: 'There is a problem', fr: 'Il y a un problème' },
  inactive: {
    en: 'You were signed out because nothing was done for a while. Drafts were kept.',
    fr: 'Vous avez été déconnecté après un moment d’inactivité. Les brouillons ont été gardés.',
  },
  limit: {
    en: 'Every session ends after eight hours. Sign in to go on; drafts were kept.',
    fr: 'Chaque session finit après huit heures. Connectez-vous pour continuer ; les brouillons ont été gardés.',
  },
  signedout: { en: 'You are signed out.', fr: 'Vous êtes déconnecté.' },
  revoked: {
    en: 'This session was ended, because the password or the account changed.',
    fr: 'Cette session a été arrêtée, car le mot de passe ou le compte a changé.',
  },
  passkey: { en: 'Sign in with a passkey', fr: 'Se connecter avec une clé d’accès' },
  locked: { en: 'Locked', fr: 'Verrouillé' },
  lockedHint: {
    en: 'Your session has ended. What is kept on this device stays sealed until you unlock it.',
    fr: 'Votre session est terminée. Ce qui est gardé sur cet appareil reste scellé jusqu’à ce que vous le déverrouilliez.',
  },
  unlock: { en: 'Unlock with a passkey', fr: 'Déverrouiller avec une clé d’accès' },
  otherWay: { en: 'Sign in another way', fr: 'Se connecter autrement' },
  passkeyWrong: {
    en: 'That passkey does not open anything here. Use your password.',
    fr: 'Cette clé d’accès n’ouvre rien ici. Utilisez votre mot de passe.',
  },
  setUp: { en: 'Set up a phone or mail program', fr: 'Configurer un téléphone ou un logiciel' },
  continue: { en: 'Continue', fr: 'Continuer' },
  unavailable: {
    en: 'The full web client is not available on this server now. The Light version does everything.',
    fr: 'Le client web complet n’est pas disponible sur ce serveur actuellement. La version légère fait tout.',
  },
  codeTitle: { en: 'Second step – {organization}', fr: 'Deuxième étape – {organization}' },
  codeHeading: { en: 'Enter the code', fr: 'Saisissez le code' },
  code: {
    en: 'Six digits of your authenticator app, or a recovery code',
    fr: 'Six chiffres de votre application, ou un code de secours',
  },
  codeWrong: {
    en: 'That code is not right, or was used before. Wait for the next one.',
    fr: 'Ce code n’est pas juste, ou a déjà servi. Attendez le suivant.',
  },
  codeMissing: { en: 'Type the code.', fr: 'Tapez le code.' },
})
export type WebTextKey = Parameters<typeof webText>[1]
