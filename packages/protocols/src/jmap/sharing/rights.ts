/** MailboxRights (RFC 8621 §2) and the bits folders keep ([MS-OXCPERM] §2.2.7), both ways. `mayShare`: RFC 9670 §4. */
import { type Folder, Right } from '@postrider/domain'
import type { JsonObject } from '../core/json.ts'
import * as s from '../core/shape.ts'

export interface MailboxRights {
  readonly mayReadItems: boolean
  readonly mayAddItems: boolean
  readonly mayRemoveItems: boolean
  readonly maySetSeen: boolean
  readonly maySetKeywords: boolean
  readonly mayCreateChild: boolean
  readonly mayRename: boolean
  readonly mayDelete: boolean
  readonly mayShare: boolean
  readonly maySubmit: boolean
}

/** What each name stands for; the last one is the own account's alone. */
const bits: Readonly<Record<Exclude<keyof MailboxRights, 'maySubmit'>, number>> = {
  mayReadItems: Right.readAny,
  mayAddItems: Right.create,
  mayRemoveItems: Right.deleteAny,
  maySetSeen: Right.editAny,
  maySetKeywords: Right.editAny,
  mayCreateChild: Right.createSubfolder,
  mayRename: Right.folderOwner,
  mayDelete: Right.folderOwner,
  mayShare: Right.folderOwner,
}
/** What goes with a bit, for the programs that know only bits: who may change all may change what is his. */
const along: readonly (readonly [bit: number, more: number])[] = [
  [Right.editAny, Right.editOwned],
  [Right.deleteAny, Right.deleteOwned],
]
const NAMED = Object.values(bits).reduce((all, one) => all | one, 0)

/** What the bits allow. A folder with a role keeps its name and stays. */
export function rightsOf(folder: Pick<Folder, 'role'>, rights: number, personal: boolean): MailboxRights {
  const may = (name: keyof typeof bits): boolean => (rights & bits[name]) !== 0
  const own = folder.role === undefined
  return {
    mayReadItems: may('mayReadItems'),
    mayAddItems: may('mayAddItems'),
    mayRemoveItems: may('mayRemoveItems'),
    maySetSeen: may('maySetSeen'),
    maySetKeywords: may('maySetKeywords'),
    mayCreateChild: may('mayCreateChild'),
    mayRename: own && may('mayRename'),
    mayDelete: own && may('mayDelete'),
    mayShare: may('mayShare'),
    maySubmit: personal,
  }
}

/** The rights of a folder that somebody else was given, as `shareWith` shows them: names that share a bit are alike. */
export const givenRights = (rights: number): MailboxRights => rightsOf({ role: undefined }, rights, false)

const no = s.optional(s.boolean, false)
const wantedRights = s.object({
  mayReadItems: no,
  mayAddItems: no,
  mayRemoveItems: no,
  maySetSeen: no,
  maySetKeywords: no,
  mayCreateChild: no,
  mayRename: no,
  mayDelete: no,
  mayShare: no,
  maySubmit: no,
})

/** The bits of rights asked for; bits that have no name here stay as they were. Raises Misfit. Undefined: asks for what cannot be given. */
export function bitsOf(object: JsonObject, before: number, path: string): number | undefined {
  const wanted = wantedRights(object, path)
  if (wanted.maySubmit) return undefined
  const then = givenRights(before)
  let rights = before & ~NAMED
  // One of several names for a bit was changed: it decides.
  for (const [name, bit] of Object.entries(bits) as [keyof typeof bits, number][]) {
    const same = (Object.keys(bits) as (keyof typeof bits)[]).filter((one) => bits[one] === bit)
    const changed = same.filter((one) => wanted[one] !== then[one])
    if (changed.length === 0 ? wanted[name] : changed.some((one) => wanted[one])) rights |= bit
  }
  for (const [bit, more] of along) rights = (rights & bit) === 0 ? rights & ~more : rights | more
  return (rights & NAMED) === 0 ? 0 : rights | Right.folderVisible
}
