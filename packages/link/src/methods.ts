import type { MailboxService } from '@postrider/domain'

/** What the link has to know of a method of the service; nothing else about methods is written anywhere. */
export interface MethodInfo {
  /** `call`: arguments in, one answer out. `subscription`: the last argument is a listener, the answer closes it. */
  readonly kind: 'call' | 'subscription'
  /** `mailbox`: the first argument says where it goes. `home`: it concerns everything an owner has. */
  readonly scope: 'mailbox' | 'home'
  /** ms after which the caller gives up. */
  readonly deadline: number
}

const SECOND = 1_000
const call = { kind: 'call', scope: 'mailbox', deadline: 30 * SECOND } as const

export type MethodName = keyof MailboxService

/** In this order they are numbered on the wire: append only. */
export const methods = {
  create: call,
  destroy: { ...call, deadline: 600 * SECOND },
  info: call,
  apply: { ...call, deadline: 60 * SECOND },
  stage: { ...call, deadline: 60 * SECOND },
  folders: call,
  permissions: call,
  scan: call,
  get: call,
  blob: call,
  changes: call,
  subscribe: { ...call, kind: 'subscription' },
  search: { ...call, deadline: 120 * SECOND },
  state: call,
  queueClaim: { ...call, scope: 'home' },
  queueList: { ...call, scope: 'home' },
  subscribeQueue: { ...call, kind: 'subscription', scope: 'home' },
  originals: call,
  relocate: { ...call, deadline: 60 * SECOND },
  ready: call,
} as const satisfies Record<MethodName, MethodInfo>

export const methodNames = Object.keys(methods) as readonly MethodName[]
export const methodNumbers: ReadonlyMap<MethodName, number> = new Map(methodNames.map((name, i) => [name, i]))
