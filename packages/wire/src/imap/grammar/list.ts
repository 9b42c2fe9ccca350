import type { ArgumentReader } from '../reader.ts'
import { readStatusItems, type StatusItem } from './status.ts'

/** LIST with the options of RFC 5258, RFC 5819 and RFC 6154, all optional. */
export interface ListArguments {
  readonly selection: {
    readonly subscribed: boolean
    readonly remote: boolean
    readonly recursiveMatch: boolean
    readonly specialUse: boolean
  }
  readonly reference: string
  readonly patterns: readonly string[]
  readonly returns: {
    readonly subscribed: boolean
    readonly children: boolean
    readonly specialUse: boolean
    readonly status: readonly StatusItem[] | undefined
  }
  /** The client used the extended syntax: RFC 5258 §3. */
  readonly extended: boolean
}

export function readList(r: ArgumentReader): ListArguments {
  r.space()
  const selection = { subscribed: false, remote: false, recursiveMatch: false, specialUse: false }
  let extended = false
  if (r.atList) {
    extended = true
    r.list(() => {
      const option = r.keyword()
      if (option === 'SUBSCRIBED') selection.subscribed = true
      else if (option === 'REMOTE') selection.remote = true
      else if (option === 'RECURSIVEMATCH') selection.recursiveMatch = true
      else if (option === 'SPECIAL-USE') selection.specialUse = true
      else r.fail('Unknown LIST selection option')
    })
    if (selection.recursiveMatch && !selection.subscribed && !selection.specialUse) {
      r.fail('RECURSIVEMATCH needs another selection option')
    }
    r.space()
  }
  const reference = r.mailbox()
  r.space()
  let patterns: string[]
  if (r.atList) {
    extended = true
    patterns = r.list(() => r.pattern(), 'filled')
  } else {
    patterns = [r.pattern()]
  }
  const returns: { subscribed: boolean; children: boolean; specialUse: boolean; status: StatusItem[] | undefined } = {
    subscribed: false,
    children: false,
    specialUse: false,
    status: undefined,
  }
  if (r.optionalSpace()) {
    if (r.keyword() !== 'RETURN') r.fail('RETURN expected')
    extended = true
    r.space().list(() => {
      const option = r.keyword()
      if (option === 'SUBSCRIBED') returns.subscribed = true
      else if (option === 'CHILDREN') returns.children = true
      else if (option === 'SPECIAL-USE') returns.specialUse = true
      else if (option === 'STATUS') returns.status = readStatusItems(r.space())
      else r.fail('Unknown LIST return option')
    })
  }
  return { selection, reference, patterns, returns, extended }
}
