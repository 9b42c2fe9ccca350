import { html, type Html, raw } from '../html.ts'
import { refusal, type SetAnswer } from './lists.ts'
import { categoriesOf, type Category } from './more.ts'
import { csrfField, folderOptions } from './page.ts'
import type { LightTextKey } from './texts.ts'
import type { Visit } from './visit.ts'

/** Rules: the list in its order, one rule as a form, a try on the Inbox. */

type Value = readonly string[] | string | number | boolean
interface Rule {
  readonly id: string
  readonly name: string
  readonly isEnabled: boolean
  readonly conditions: Readonly<Record<string, Value>>
  readonly exceptions: Readonly<Record<string, Value>>
  readonly actions: Readonly<Record<string, Value>>
  readonly stop: boolean
}

type Kind = 'words' | 'size' | 'yes' | 'toMe' | 'importance'
const conditions: readonly (readonly [name: string, label: LightTextKey, kind: Kind])[] = [
  ['from', 'ruleFrom', 'words'],
  ['fromContains', 'ruleFromContains', 'words'],
  ['sentTo', 'ruleSentTo', 'words'],
  ['recipientContains', 'ruleRecipientContains', 'words'],
  ['subjectContains', 'ruleSubjectContains', 'words'],
  ['bodyContains', 'ruleBodyContains', 'words'],
  ['subjectOrBodyContains', 'ruleSubjectOrBody', 'words'],
  ['headerContains', 'ruleHeaderContains', 'words'],
  ['toMe', 'ruleToMe', 'toMe'],
  ['hasAttachment', 'ruleHasAttachment', 'yes'],
  ['minSize', 'ruleMinSize', 'size'],
  ['maxSize', 'ruleMaxSize', 'size'],
  ['importance', 'ruleImportance', 'importance'],
  ['automatic', 'ruleAutomatic', 'yes'],
]
const choices: Readonly<
  Record<'toMe' | 'importance' | 'yes' | 'remove', readonly (readonly [string, LightTextKey])[]>
> = {
  toMe: [
    ['only', 'ruleToMeOnly'],
    ['to', 'ruleToMeTo'],
    ['cc', 'ruleToMeCc'],
    ['toOrCc', 'ruleToMeEither'],
    ['not', 'ruleToMeNot'],
  ],
  importance: [
    ['high', 'ruleHigh'],
    ['normal', 'ruleNormal'],
    ['low', 'ruleLow'],
  ],
  yes: [
    ['true', 'yes'],
    ['false', 'no'],
  ],
  remove: [
    ['trash', 'ruleToTrash'],
    ['forever', 'ruleForever'],
  ],
}
const KILO = 1_000

async function rulesOf(visit: Visit): Promise<readonly Rule[]> {
  return (await visit.ask<{ list: readonly Rule[] }>('Rule/get', { ids: null })).list
}

export async function rulesPage(visit: Visit, error?: string): Promise<void> {
  const { say, session } = visit
  const rules = await rulesOf(visit)
  const row = ({ id, name, isEnabled }: Rule, at: number): Html =>
    html`<tr><td>${at + 1}</td><th scope="row"><a href="/light/options/rules/${id}">${name || say('ruleNoName')}</a></th><td>${say(isEnabled ? 'ruleOn' : 'ruleOff')}</td><td><form method="post" action="/light/options/rules" class="bar">${csrfField(session)}<input type="hidden" name="id" value="${id}"><button name="act" value="${isEnabled ? 'off' : 'on'}">${say(isEnabled ? 'turnOff' : 'turnOn')}</button>${at > 0 && html`<button name="act" value="up">${say('ruleUp')}</button>`}${at < rules.length - 1 && html`<button name="act" value="down">${say('ruleDown')}</button>`}<button name="act" value="remove">${say('delete')}</button></form></td></tr>`
  const body = html`<p class="hint">${say('rulesHint')}</p>${rules.length > 0 && html`<table><thead><tr><th scope="col">${say('order')}</th><th scope="col">${say('name')}</th><th scope="col">${say('state')}</th><th scope="col">${say('change', { name: '' })}</th></tr></thead><tbody>${rules.slice(0, 40).map(row)}</tbody></table>`}<p><a class="button" href="/light/options/rules/new">${say('newRule')}</a></p>`
  await visit.page(say('rules'), body, error === undefined ? {} : { error, status: 422 })
}

export async function changeRules(visit: Visit): Promise<void> {
  const { fields, say } = visit
  const rules = await rulesOf(visit)
  const at = rules.findIndex(({ id }) => id === fields.get('id'))
  const rule = rules[at]
  if (rule === undefined) return visit.done('/light/options/rules')
  const act = fields.get('act')
  const { id, ...kept } = rule
  let undo: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = []
  if (act === 'on' || act === 'off') await visit.ask('Rule/set', { update: { [id]: { isEnabled: act === 'on' } } })
  else if (act === 'remove') {
    await visit.ask('Rule/set', { destroy: [id] })
    undo = [['Rule/set', { create: { back: kept } }]]
  } else {
    const order = rules.map((one) => one.id)
    order.splice(at, 1)
    order.splice(Math.max(0, at + (act === 'up' ? -1 : 1)), 0, id)
    await visit.ask('Rule/set', { order })
  }
  visit.done('/light/options/rules', {
    text: say('saved'),
    at: '/light/options/rules',
    ...(undo.length === 0 ? {} : { undo }),
  })
}

const blank: Rule = { id: '', name: '', isEnabled: true, conditions: {}, exceptions: {}, actions: {}, stop: true }

export async function rulePage(
  visit: Visit,
  id: string,
  { error, tried, typed }: { error?: string; tried?: string; typed?: Rule } = {},
): Promise<void> {
  const { say, session } = visit
  const rule = typed ?? (id === 'new' ? blank : (await rulesOf(visit)).find((one) => one.id === id))
  if (rule === undefined) return visit.page(say('lost'), html``, { status: 404 })
  const folders = await visit.folders()
  const categories = await categoriesOf(visit)
  const { actions } = rule
  const check = (name: string, label: LightTextKey, on: boolean): Html =>
    html`<p><input type="checkbox" id="${name}" name="${name}" value="1"${on && raw(' checked')}> <label class="plain" for="${name}">${say(label)}</label></p>`
  const folder = (name: 'moveTo' | 'copyTo', label: LightTextKey): Html =>
    html`<div class="field"><label for="a-${name}">${say(label)}</label><select id="a-${name}" name="a-${name}"><option value=""></option>${folderOptions(folders, String(actions[name] ?? ''))}</select></div>`
  const body = html`${tried !== undefined && html`<p class="note" role="status">${tried}</p>`}<form method="post" action="/light/options/rules/${id}">${csrfField(session)}
<div class="field"><label for="name">${say('name')}</label><input type="text" id="name" name="name" maxlength="200" value="${rule.name}"></div>
<fieldset><legend>${say('ruleIf')}</legend><p class="hint">${say('ruleComma')}</p>${conditions.map((one) => conditionField(visit, 'c', one, rule.conditions))}</fieldset>
<fieldset><legend>${say('ruleThen')}</legend>${folder('moveTo', 'ruleMoveTo')}${folder('copyTo', 'ruleCopyTo')}
<div class="field"><label for="a-categories">${say('category')}</label><select id="a-categories" name="a-categories"><option value=""></option>${categories.map(({ name }: Category) => html`<option${(actions.categories as readonly string[] | undefined)?.[0] === name && raw(' selected')}>${name}</option>`)}</select></div>
${check('a-markRead', 'markRead', actions.markRead === true)}${check('a-flag', 'flag', actions.flag === true)}
<div class="field"><label for="a-remove">${say('delete')}</label>${pick('a-remove', actions.remove, choices.remove, visit)}</div>
${wordsField(visit, 'a-forwardTo', 'ruleForwardTo', actions.forwardTo)}${wordsField(visit, 'a-redirectTo', 'ruleRedirectTo', actions.redirectTo)}</fieldset>
<fieldset><legend>${say('ruleExcept')}</legend>${conditions.map((one) => conditionField(visit, 'e', one, rule.exceptions))}</fieldset>
${check('stop', 'ruleStop', rule.stop)}
<div class="bar"><button class="go" name="act" value="save">${say('save')}</button><button name="act" value="try">${say('ruleTry')}</button><button name="act" value="run">${say('ruleRun')}</button><a class="button" href="/light/options/rules">${say('cancel')}</a></div></form>`
  await visit.page(
    id === 'new' ? say('newRule') : rule.name || say('ruleNoName'),
    body,
    error === undefined ? {} : { error, status: 422 },
  )
}

const pick = (
  name: string,
  value: Value | undefined,
  options: readonly (readonly [string, LightTextKey])[],
  { say }: Visit,
): Html =>
  html`<select id="${name}" name="${name}"><option value=""></option>${options.map(([one, text]) => html`<option value="${one}"${String(value ?? '') === one && raw(' selected')}>${say(text)}</option>`)}</select>`
const wordsField = ({ say }: Visit, name: string, label: LightTextKey, value: Value | undefined): Html =>
  html`<div class="field"><label for="${name}">${say(label)}</label><input type="text" id="${name}" name="${name}" value="${Array.isArray(value) ? value.join(', ') : ''}"></div>`

function conditionField(
  visit: Visit,
  part: 'c' | 'e',
  [name, label, kind]: (typeof conditions)[number],
  values: Readonly<Record<string, Value>>,
): Html {
  const { say } = visit
  const id = `${part}-${name}`
  const value = values[name]
  if (kind === 'words') return wordsField(visit, id, label, value)
  if (kind === 'size')
    return html`<div class="field"><label for="${id}">${say(label)} (${say('ruleKilobytes')})</label><input type="text" inputmode="numeric" id="${id}" name="${id}" value="${value === undefined ? '' : Math.round(Number(value) / KILO)}"></div>`
  return html`<div class="field"><label for="${id}">${say(label)}</label>${pick(id, value, choices[kind], visit)}</div>`
}

const listOf = (text: string): string[] =>
  text
    .split(/[;\n,]/)
    .map((one) => one.trim())
    .filter((one) => one !== '')

function readRule(fields: URLSearchParams, id: string, isEnabled: boolean): Rule {
  const set = (part: 'c' | 'e'): Readonly<Record<string, Value>> =>
    Object.fromEntries(
      conditions.flatMap(([name, , kind]): readonly (readonly [string, Value])[] => {
        const text = (fields.get(`${part}-${name}`) ?? '').trim()
        if (text === '') return []
        if (kind === 'words') return [[name, listOf(text)]]
        if (kind === 'size') return /^\d{1,9}$/.test(text) ? [[name, Number(text) * KILO]] : []
        return [[name, kind === 'yes' ? text === 'true' : text]]
      }),
    )
  const text = (name: string): string => (fields.get(`a-${name}`) ?? '').trim()
  const actions: Record<string, Value> = {}
  for (const name of ['moveTo', 'copyTo', 'remove']) if (text(name) !== '') actions[name] = text(name)
  for (const name of ['forwardTo', 'redirectTo']) if (text(name) !== '') actions[name] = listOf(text(name))
  for (const name of ['markRead', 'flag']) if (text(name) === '1') actions[name] = true
  if (text('categories') !== '') actions.categories = [text('categories')]
  return {
    id,
    name: (fields.get('name') ?? '').trim(),
    isEnabled,
    conditions: set('c'),
    exceptions: set('e'),
    actions,
    stop: fields.get('stop') === '1',
  }
}

interface Kept extends SetAnswer {
  readonly created: Readonly<Record<string, { readonly id: string }>> | null
}
interface Ran {
  readonly matched: number
  readonly position: number | null
}

export async function changeRule(visit: Visit, id: string): Promise<void> {
  const { fields, say } = visit
  const old = id === 'new' ? undefined : (await rulesOf(visit)).find((one) => one.id === id)
  if (id !== 'new' && old === undefined) return visit.done('/light/options/rules')
  const rule = readRule(fields, id, old?.isEnabled ?? true)
  const { id: _, ...value } = rule
  const answer = await visit.ask<Kept>(
    'Rule/set',
    old === undefined ? { create: { new: value } } : { update: { [id]: value } },
  )
  if (refusal(answer) !== undefined) return rulePage(visit, id, { error: say('ruleIncomplete'), typed: rule })
  const made = answer.created?.new?.id ?? id
  const act = fields.get('act')
  if (act !== 'try' && act !== 'run') return visit.done('/light/options/rules', { text: say('saved') })
  const inbox = (await visit.folders()).find(({ role }) => role === 'inbox')
  let matched = 0
  for (let position: number | null = 0; position !== null && inbox !== undefined; ) {
    const ran: Ran = await visit.ask<Ran>('Rule/run', {
      ids: [made],
      mailboxId: inbox.id,
      dryRun: act === 'try',
      position,
    })
    matched += ran.matched
    position = ran.position
  }
  visit.done(`/light/options/rules/${made}`, { text: say(act === 'try' ? 'ruleWould' : 'ruleDid', { n: matched }) })
}
