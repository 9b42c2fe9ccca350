/** Quota: RFC 9425. One limit on bytes, the administrator's; none where the mailbox has none. */
import type { Account } from '../core/accounts.ts'
import { MethodError } from '../core/error.ts'
import { method } from '../core/method.ts'
import * as s from '../core/shape.ts'
import {
  changesArgs,
  getArgs,
  pick,
  queryChangesArgs,
  wantedIds,
  wantedProperties,
  windowArgs,
  windowed,
} from '../core/standard.ts'
import { MAX_QUERY_LIMIT } from '../limits.ts'

const ID = 'storage'
const properties = [
  'id',
  'resourceType',
  'used',
  'hardLimit',
  'warnLimit',
  'softLimit',
  'scope',
  'name',
  'description',
  'types',
] as const

async function quotaOf(account: Account): Promise<{ state: string; quota: Record<string, unknown> | undefined }> {
  const { usedBytes, quota } = await account.handle.info()
  const state = `${usedBytes}-${quota ?? ''}`
  if (quota === undefined) return { state, quota: undefined }
  return {
    state,
    quota: {
      id: ID,
      resourceType: 'octets',
      used: usedBytes,
      hardLimit: quota,
      warnLimit: null,
      softLimit: null,
      scope: 'account',
      name: account.entry.address,
      description: null,
      types: ['Mail'],
    },
  }
}

export const quotaGet = method({
  name: 'Quota/get',
  capability: 'quota',
  args: getArgs,
  async run(call, args) {
    const account = await call.account(args.accountId, 'quota')
    const wanted = wantedProperties(args.properties, properties)
    const { state, quota } = await quotaOf(account)
    const ids = args.ids === null ? null : wantedIds(call, args.ids)
    const there = quota !== undefined && (ids?.includes(ID) ?? true)
    return {
      accountId: args.accountId,
      state,
      list: there ? [pick(quota, wanted)] : [],
      notFound: (ids ?? []).filter((id) => id !== ID || quota === undefined),
    }
  },
})

export const quotaChanges = method({
  name: 'Quota/changes',
  capability: 'quota',
  args: changesArgs,
  async run(call, args) {
    const account = await call.account(args.accountId, 'quota')
    const { state } = await quotaOf(account)
    const before = /^\d{1,16}-(\d{0,16})$/.exec(args.sinceState)
    const now = /-(\d*)$/.exec(state)
    if (before === null || now === null) throw new MethodError('cannotCalculateChanges')
    const had = before[1] !== ''
    const has = now[1] !== ''
    const onlyUsed = had && has && before[1] === now[1]
    return {
      accountId: args.accountId,
      oldState: args.sinceState,
      newState: state,
      hasMoreChanges: false,
      updatedProperties: onlyUsed ? ['used'] : null,
      created: !had && has ? [ID] : [],
      updated: had && has && args.sinceState !== state ? [ID] : [],
      destroyed: had && !has ? [ID] : [],
    }
  },
})

const filterShape = s.object({
  name: s.maybe(s.string),
  scope: s.maybe(s.string),
  resourceType: s.maybe(s.string),
  type: s.maybe(s.string),
})

export const quotaQuery = method({
  name: 'Quota/query',
  capability: 'quota',
  args: { accountId: s.id, filter: s.maybe(s.jsonObject), sort: s.maybe(s.list(s.jsonObject)), ...windowArgs },
  async run(call, args) {
    const account = await call.account(args.accountId, 'quota')
    const { state, quota } = await quotaOf(account)
    if ((args.sort ?? []).some((one) => one.property !== 'name' && one.property !== 'used'))
      throw new MethodError('unsupportedSort')
    if (Object.hasOwn(args.filter ?? {}, 'operator')) throw new MethodError('unsupportedFilter')
    const { name, scope, resourceType, type } = filterShape(args.filter ?? {}, 'filter')
    const fits =
      quota !== undefined &&
      (name === null || account.entry.address.includes(name)) &&
      (scope === null || scope === 'account') &&
      (resourceType === null || resourceType === 'octets') &&
      (type === null || type === 'Mail')
    const ids = fits ? [ID] : []
    return windowed(ids, args, state, MAX_QUERY_LIMIT)
  },
})

export const quotaQueryChanges = method({
  name: 'Quota/queryChanges',
  capability: 'quota',
  args: queryChangesArgs,
  async run(call, args) {
    await call.account(args.accountId, 'quota')
    throw new MethodError('cannotCalculateChanges')
  },
})
