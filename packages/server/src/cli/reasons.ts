import { type DomainCode, isDomainError, type Phrase, phraseOf } from '@postrider/domain'

/** What the mailboxes' own errors mean to an administrator. */
const reasons: Readonly<Record<DomainCode, Phrase>> = {
  mailboxNotFound: { en: 'the mailbox is not there', fr: 'la boîte n’existe pas' },
  folderNotFound: { en: 'the folder is not there', fr: 'le dossier n’existe pas' },
  folderExists: { en: 'there is such a folder already', fr: 'ce dossier existe déjà' },
  folderNotEmpty: { en: 'the folder is not empty', fr: 'le dossier n’est pas vide' },
  folderSpecial: { en: 'a special folder must stay as it is', fr: 'un dossier spécial doit rester tel qu’il est' },
  folderCycle: { en: 'a folder cannot be inside itself', fr: 'un dossier ne peut pas être dans lui-même' },
  nameInvalid: { en: 'the name is not possible', fr: 'le nom n’est pas possible' },
  itemGone: { en: 'it is gone', fr: 'il n’est plus là' },
  blobGone: { en: 'its text is gone', fr: 'son texte n’est plus là' },
  overQuota: { en: 'the mailbox is full', fr: 'la boîte est pleine' },
  tooLarge: { en: 'it is too large', fr: 'il est trop grand' },
  tooMany: { en: 'there are too many', fr: 'il y en a trop' },
  accessDenied: { en: 'access is denied', fr: 'l’accès est refusé' },
  conflict: { en: 'it was changed meanwhile', fr: 'il a été modifié entre-temps' },
  duplicate: { en: 'it was done before', fr: 'c’est déjà fait' },
  invalid: { en: 'it makes no sense', fr: 'cela n’a pas de sens' },
  moved: { en: 'the mailbox is elsewhere now', fr: 'la boîte est maintenant ailleurs' },
  diskFull: { en: 'the disk is full', fr: 'le disque est plein' },
  busy: { en: 'the server is busy', fr: 'le serveur est occupé' },
  unavailable: { en: 'the mailboxes cannot be reached', fr: 'les boîtes ne sont pas joignables' },
  corrupt: { en: 'a checksum does not match', fr: 'une somme de contrôle ne concorde pas' },
}

/** What an error says to people; behind an error of the mailboxes stands what the log says. */
export function reasonOf(error: unknown): Phrase {
  if (!isDomainError(error)) return phraseOf(error)
  const { en, fr } = reasons[error.code]
  return { en: `${en} (${error.message})`, fr: `${fr} (${error.message})` }
}
