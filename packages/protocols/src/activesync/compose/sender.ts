/** Who a mail is from: [MS-ASCMD] §2.2.1.17, "the From header is set on the server". */
import { type AddressLike, type HeaderFields, mailboxesOf, parseAddressList } from '@postrider/wire/mime'
import type { Context } from '../context.ts'

/** The user as author. */
export const identity = (context: Context): AddressLike => ({
  name: context.principal.displayName,
  address: context.principal.address,
})

/** All addresses that are the user's own, lower case. */
export function ownAddresses(context: Context): ReadonlySet<string> {
  const entry = context.deps.directory.account(context.principal.account)
  return new Set([context.principal.address, ...(entry?.aliases ?? [])].map((one) => one.toLowerCase()))
}

export interface Author {
  /** From as it is to stand in the message; undefined: leave the one that is there. */
  readonly from: AddressLike | undefined
  /** Sender as it is to stand there; undefined: none. */
  readonly sender: AddressLike | undefined
  /** Envelope sender. */
  readonly envelope: string
}

/**
 * Decides From, Sender and envelope sender of a message a client wrote. An own address or one with the SendAs right stays as the
 * client wrote it; with SendOnBehalf the user becomes Sender (MS-ASEMAIL_R724); anything else becomes the user (MS-ASCMD_R448).
 */
export function authorOf(context: Context, header: HeaderFields): Author {
  const own = identity(context)
  const written = mailboxesOf(header.all('from').flatMap((value) => parseAddressList(value)))
  const [from] = written
  if (from === undefined || written.length !== 1 || from.address === '') {
    return { from: own, sender: undefined, envelope: own.address }
  }
  switch (context.deps.directory.maySendAs(context.principal.account, from.address)) {
    case 'own':
    case 'sendAs':
      return { from: undefined, sender: undefined, envelope: from.address }
    case 'onBehalf':
      return { from: undefined, sender: own, envelope: own.address }
    default:
      return { from: own, sender: undefined, envelope: own.address }
  }
}
