import type { DomainCode } from '@postrider/domain'

/** A tagged answer: RFC 9051 §7.1. `code` stands in brackets without them. */
export interface Answer {
  readonly status: 'OK' | 'NO' | 'BAD'
  readonly code?: string
  readonly text: string
}

export const ok = (text: string, code?: string): Answer => ({ status: 'OK', text, ...(code !== undefined && { code }) })
export const no = (text: string, code?: string): Answer => ({ status: 'NO', text, ...(code !== undefined && { code }) })
export const bad = (text: string, code?: string): Answer => ({
  status: 'BAD',
  text,
  ...(code !== undefined && { code }),
})

/**
 * What each failure of the domain looks like to an IMAP client: RFC 5530 §3, RFC 9051 §7.1. Total: a new code does not compile until it
 * has an answer here. Texts are English: RFC 5255 §3.1 makes i-default the language of a server without LANGUAGE.
 */
const answers = {
  mailboxNotFound: no('The mailbox does not exist', 'UNAVAILABLE'),
  folderNotFound: no('No such mailbox', 'NONEXISTENT'),
  folderExists: no('A mailbox of that name exists', 'ALREADYEXISTS'),
  folderNotEmpty: no('The mailbox has mailboxes inside', 'HASCHILDREN'),
  folderSpecial: no('This mailbox must stay as it is', 'CANNOT'),
  folderCycle: no('A mailbox cannot be moved into itself', 'CANNOT'),
  nameInvalid: no('A mailbox cannot have that name', 'CANNOT'),
  itemGone: no('Some of the messages no longer exist', 'EXPUNGEISSUED'),
  blobGone: no('The message is no longer there', 'EXPUNGEISSUED'),
  overQuota: no('The mailbox is full', 'OVERQUOTA'),
  tooLarge: no('The message is too large', 'TOOBIG'),
  tooMany: no('Too many at once', 'LIMIT'),
  accessDenied: no('Permission denied', 'NOPERM'),
  conflict: no('Someone else changed it meanwhile', 'INUSE'),
  duplicate: no('Already done', 'ALREADYEXISTS'),
  invalid: no('This cannot be done', 'CANNOT'),
  moved: no('The mailbox is being moved, try again', 'UNAVAILABLE'),
  diskFull: no('The server is out of space, try again later', 'UNAVAILABLE'),
  busy: no('The server is busy, try again', 'UNAVAILABLE'),
  unavailable: no('The mailbox is not available, try again later', 'UNAVAILABLE'),
  corrupt: no('The stored message is damaged', 'CORRUPTION'),
} as const satisfies Record<DomainCode, Answer>

export function answerOf(code: DomainCode): Answer {
  return answers[code]
}

/** Raised by a command that wants to stop with an answer. */
export class Refusal extends Error {
  readonly answer: Answer
  constructor(answer: Answer) {
    super(answer.text)
    this.name = 'Refusal'
    this.answer = answer
  }
}

/** The connection is gone or must go: the session unwinds and nothing more is written. */
export class SessionEnded extends Error {
  override readonly name = 'SessionEnded'
}
