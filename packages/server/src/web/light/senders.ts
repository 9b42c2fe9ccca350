import { html } from '../html.ts'
import type { UndoCall } from './flash.ts'
import { csrfField } from './page.ts'
import type { Visit } from './visit.ts'

/** Blocked and safe senders: the lists, and putting somebody on one. */

interface Lists {
  readonly blocked: readonly string[]
  readonly safe: readonly string[]
}
async function listsOf(visit: Visit): Promise<Lists> {
  const { list } = await visit.ask<{ list: readonly Lists[] }>('SenderLists/get', { ids: null })
  const { blocked = [], safe = [] } = list[0] ?? {}
  return { blocked, safe }
}
const setting = (lists: Lists): UndoCall => ['SenderLists/set', { update: { singleton: { ...lists } } }]

/** Puts senders on one list and off the other; answers what takes it back. */
export async function changeSenders(
  visit: Visit,
  addresses: readonly string[],
  on: 'blocked' | 'safe',
): Promise<readonly UndoCall[]> {
  const before = await listsOf(visit)
  const some = [...new Set(addresses.map((one) => one.toLowerCase()))]
  const without = (list: readonly string[]): string[] => list.filter((one) => !some.includes(one))
  const after = { blocked: without(before.blocked), safe: without(before.safe) }
  after[on].push(...some)
  await visit.ask(...setting(after))
  return [setting(before)]
}

const linesOf = (text: string): string[] =>
  text
    .split(/[\s,;]+/)
    .map((one) => one.trim())
    .filter((one) => one !== '')

export async function sendersPage(visit: Visit, error?: string): Promise<void> {
  const { say, fields, posted, session } = visit
  const lists = await listsOf(visit)
  const part = (name: 'blocked' | 'safe', label: 'blockedSenders' | 'safeSenders', hint: 'blockedHint' | 'safeHint') =>
    html`<div class="field"><label for="${name}">${say(label)}</label><textarea id="${name}" name="${name}" rows="8" aria-describedby="${name}-hint" spellcheck="false">
${posted === undefined ? lists[name].join('\n') : (fields.get(name) ?? '')}</textarea><p class="hint" id="${name}-hint">${say(hint)} ${say('onePerLine')}</p></div>`
  const body = html`<form method="post" action="/light/options/senders">${csrfField(session)}${part('blocked', 'blockedSenders', 'blockedHint')}${part('safe', 'safeSenders', 'safeHint')}<button class="go">${say('save')}</button></form>`
  await visit.page(say('senders'), body, error === undefined ? {} : { error, status: 422 })
}

export async function saveSenders(visit: Visit): Promise<void> {
  const { fields, say } = visit
  const lists = { blocked: linesOf(fields.get('blocked') ?? ''), safe: linesOf(fields.get('safe') ?? '') }
  const { notUpdated } = await visit.ask<{ notUpdated: Readonly<Record<string, unknown>> | null }>(...setting(lists))
  if (Object.keys(notUpdated ?? {}).length > 0) return sendersPage(visit, say('badSender'))
  visit.done('/light/options', { text: say('saved') })
}
