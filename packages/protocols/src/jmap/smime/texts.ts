import type { Fault } from '@postrider/wire/smime'

/** Why a signature is not believed, for `smimeErrors` (RFC 9219 §4.1.3): text for people, in their language. */
export const faultTexts: Readonly<Record<Fault, { readonly en: string; readonly fr: string }>> = {
  changed: { en: 'The mail was changed after it was signed.', fr: 'Le message a été modifié après sa signature.' },
  unreadable: { en: 'The signature cannot be read.', fr: 'La signature est illisible.' },
  unsupported: { en: 'The kind of signature is not known here.', fr: 'Ce type de signature n’est pas pris en charge.' },
  tooLarge: { en: 'The mail is too large to be checked.', fr: 'Le message est trop grand pour être vérifié.' },
  noCertificate: { en: 'The signature came without a certificate.', fr: 'La signature est arrivée sans certificat.' },
  weak: {
    en: 'The signature or a certificate uses an algorithm that is no longer safe.',
    fr: 'La signature ou un certificat utilise un algorithme qui n’est plus sûr.',
  },
  expired: { en: 'A certificate has expired.', fr: 'Un certificat a expiré.' },
  notYet: { en: 'A certificate is not valid yet.', fr: 'Un certificat n’est pas encore valable.' },
  unknownIssuer: {
    en: 'The certificate was issued by nobody who is trusted here.',
    fr: 'Le certificat n’a pas été émis par une autorité reconnue ici.',
  },
  usage: {
    en: 'The certificate is not meant for signing mail.',
    fr: 'Le certificat n’est pas prévu pour signer du courrier.',
  },
  address: {
    en: 'The certificate is for another address than the sender’s.',
    fr: 'Le certificat est émis pour une autre adresse que celle de l’expéditeur.',
  },
  notForMe: { en: 'The mail was encrypted for somebody else.', fr: 'Le message a été chiffré pour quelqu’un d’autre.' },
  wrongPassword: { en: 'The password is wrong.', fr: 'Le mot de passe est incorrect.' },
}
