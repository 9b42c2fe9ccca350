import {
  decodeOof,
  encodeOof,
  MAX_OOF_MESSAGE,
  OOF_STATE,
  type OofRecord,
  type OofReply,
  type Preferences,
} from '@postrider/domain'
import { passwordRules } from '../account/new-password.ts'
import { clientSettings, endSessions } from '../api.ts'
import { audit } from '../context.ts'
import { html, type Html, raw } from '../html.ts'
import { identitiesOf } from './compose.ts'
import { changeDevices, devicesPage } from './devices.ts'
import { field, post } from './form-parts.ts'
import { categoriesPage, changeCategories, changeTemplates, templatesPage } from './lists.ts'
import { appearancePage, handlingPage, saveAppearance, saveHandling } from './preferences.ts'
import { newPassword, passwordPage } from './password.ts'
import { changeRule, changeRules, rulePage, rulesPage } from './rules.ts'
import {
  appPasswordsPage,
  changeAppPasswords,
  changePasskeys,
  changeSecurity,
  passkeysPage,
  securityPage,
} from './security.ts'
import { saveSenders, sendersPage } from './senders.ts'
import { removeSweep, sweepsPage } from './sweep.ts'
import { savePreferences, zoneValid } from './settings.ts'
import { localTime, readLocalTime } from './times.ts'
import { lightText, type LightTextKey } from './texts.ts'
import type { Visit } from './visit.ts'

/** Options: what the user sets, sees and may end. */

export async function optionsPage(visit: Visit): Promise<void> {
  const { say } = visit
  const link = (path: string, key: LightTextKey): Html =>
    html`<li><a href="/light/options/${path}">${say(key)}</a></li>`
  // R48: Settings > Options > Account > My account > "Settings for POP or IMAP access"; since 2016 Mail > Accounts > POP and IMAP.
  const body = html`<h2>${say('account')}</h2><ul>${link('account', 'myAccount')}${passwordRules(visit.context) !== undefined && link('password', 'changePassword')}${link('devices', 'devices')}${link('sessions', 'sessions')}${link('security', 'security')}${link('app-passwords', 'appPasswords')}${link('passkeys', 'passkeys')}</ul>
<h2>${say('mail')}</h2><ul>${link('handling', 'handling')}${link('replies', 'replies')}${link('rules', 'rules')}${link('signature', 'signature')}${link('templates', 'templates')}${link('categories', 'categories')}${link('senders', 'senders')}${link('sweeps', 'sweeps')}<li>${say('accounts')}<ul>${link('account/pop-imap', 'popAndImap')}</ul></li></ul>
<h2>${say('general')}</h2><ul>${link('appearance', 'appearance')}${link('regional', 'regional')}<li><a href="/light/folders">${say('manageFolders')}</a></li></ul>`
  await visit.page(say('options'), body)
}

type Handler = (visit: Visit) => Promise<void>
const pages: Readonly<Record<string, { readonly show: Handler; readonly change?: Handler }>> = {
  account: { show: accountPage },
  'account/pop-imap': { show: popImapPage },
  regional: { show: (visit) => regionalPage(visit), change: changeRegional },
  signature: { show: signaturePage, change: changeSignature },
  replies: { show: (visit) => repliesPage(visit), change: changeReplies },
  devices: { show: (visit) => devicesPage(visit), change: changeDevices },
  sessions: { show: sessionsPage, change: changeSessions },
  password: { show: (visit) => passwordPage(visit), change: newPassword },
  security: { show: (visit) => securityPage(visit), change: changeSecurity },
  passkeys: { show: passkeysPage, change: changePasskeys },
  'app-passwords': { show: (visit) => appPasswordsPage(visit), change: changeAppPasswords },
  appearance: { show: appearancePage, change: saveAppearance },
  handling: { show: handlingPage, change: saveHandling },
  rules: { show: (visit) => rulesPage(visit), change: changeRules },
  categories: { show: (visit) => categoriesPage(visit), change: changeCategories },
  templates: { show: (visit) => templatesPage(visit), change: changeTemplates },
  sweeps: { show: sweepsPage, change: removeSweep },
  senders: { show: (visit) => sendersPage(visit), change: saveSenders },
}

/** Answers for `/light/options/<name>`; false when there is no such page. */
export async function optionPage(visit: Visit, name: string): Promise<boolean> {
  const rule = /^rules\/([\w-]{1,60})$/.exec(name)?.[1]
  if (rule !== undefined) {
    await (visit.posted === undefined ? rulePage(visit, rule) : changeRule(visit, rule))
    return true
  }
  const page = Object.hasOwn(pages, name) ? pages[name] : undefined
  const handler = visit.posted === undefined ? page?.show : page?.change
  await handler?.(visit)
  return handler !== undefined
}

async function accountPage(visit: Visit): Promise<void> {
  const { say, principal } = visit
  const body = html`<dl class="head"><dt>${say('name')}</dt><dd>${principal.displayName}</dd><dt>${say('user')}</dt><dd>${principal.address}</dd></dl>
<ul><li><a href="/light/options/account/pop-imap">${say('popImap')}</a></li></ul>`
  await visit.page(say('myAccount'), body)
}

/** The twelve values of R46, from live settings (R47). */
async function popImapPage(visit: Visit): Promise<void> {
  const { say, context, request, principal } = visit
  const settings = clientSettings(context, request.headers.host)
  type Value = (typeof settings)['imap']['inside']
  const cell = (value: Value, none: LightTextKey): Html =>
    value === undefined
      ? html`<td>${say(none)}</td>`
      : html`<td>${say('server')}${say('colon')}<strong>${value.server}</strong><br>${say('port')}${say('colon')}<strong>${value.port}</strong><br>${say('encryption')}${say('colon')}<strong>${value.encryption}</strong></td>`
  const row = (label: LightTextKey, name: keyof typeof settings): Html =>
    html`<tr><th scope="row">${say(label)}</th>${cell(settings[name].inside, 'notOffered')}${cell(settings[name].outside, 'notConfigured')}</tr>`
  const body = html`<table><thead><tr><th scope="col">${say('service')}</th><th scope="col">${say('inside')}</th><th scope="col">${say('outside')}</th></tr></thead><tbody>${row('popSetting', 'pop3')}${row('imapSetting', 'imap')}${row('smtpSetting', 'submission')}</tbody></table>
<p>${say('user')}${say('colon')}<strong>${principal.address}</strong></p><p>${say('keepCopy')}</p>`
  await visit.page(say('popImap'), body)
}

const languages = [
  ['en', 'English'],
  ['fr', 'Français'],
] as const

async function regionalPage(visit: Visit, error?: string): Promise<void> {
  const { say, zone, language } = visit
  const zones = [...new Set(['UTC', ...Intl.supportedValuesOf('timeZone'), zone])]
  const body = post(
    visit,
    'save',
    html`${field('language', say('language'), html`<select id="language" name="language">${languages.map(([code, name]) => html`<option value="${code}" lang="${code}"${code === language && raw(' selected')}>${name}</option>`)}</select>`)}
${field('zone', say('zone'), html`<select id="zone" name="zone">${zones.map((one) => html`<option${one === zone && raw(' selected')}>${one}</option>`)}</select>`)}<button class="go">${say('save')}</button>`,
  )
  await visit.page(say('regional'), body, error === undefined ? {} : { error, status: 422 })
}

async function changeRegional(visit: Visit): Promise<void> {
  const { fields, context, principal, say } = visit
  const language = fields.get('language')
  const zone = fields.get('zone') ?? ''
  if (!zoneValid(zone)) return regionalPage(visit, say('failed', { why: zone.slice(0, 60) }))
  const chosen = language === 'en' || language === 'fr' ? { language } : {}
  await savePreferences(context.service, principal.mailbox, { zone, ...chosen } as Partial<Preferences>)
  if ((language === 'en' || language === 'fr') && language !== principal.language)
    await context.directory.updateMailbox(principal.account, { language })
  visit.done('/light/options', { text: lightText(language === 'fr' ? 'fr' : 'en', 'saved') })
}

async function signaturePage(visit: Visit): Promise<void> {
  const { say } = visit
  const [identity] = await identitiesOf(visit)
  const body = post(
    visit,
    'save',
    html`${field('name', say('name'), html`<input type="text" id="name" name="name" maxlength="200" value="${identity?.name ?? ''}">`)}<div class="field"><label for="signature">${say('signature')}</label><textarea id="signature" name="signature" rows="6" aria-describedby="hint">
${identity?.textSignature ?? ''}</textarea><p class="hint" id="hint">${say('signatureHint')}</p></div><button class="go">${say('save')}</button>`,
  )
  await visit.page(say('signature'), body)
}

async function changeSignature(visit: Visit): Promise<void> {
  const [identity] = await identitiesOf(visit)
  const textSignature = (visit.fields.get('signature') ?? '').replace(/\r\n?/g, '\n').trimEnd().slice(0, 10_000)
  const name = (visit.fields.get('name') ?? identity?.name ?? '')
    .replace(/[\r\n]+/g, ' ')
    .trim()
    .slice(0, 200)
  const changes = { name, textSignature, ...(textSignature === identity?.textSignature ? {} : { htmlSignature: '' }) }
  if (identity !== undefined) await visit.ask('Identity/set', { update: { [identity.id]: changes } })
  visit.done('/light/options', { text: visit.say('saved') })
}

// Automatic replies: R60. One record, shared with phones.

async function oofOf({ context, principal }: Visit): Promise<OofRecord> {
  const entries = await context.service.state(principal.mailbox, OOF_STATE.client, OOF_STATE.key)
  return decodeOof(entries.find(({ key }) => key === OOF_STATE.key)?.value)
}

const textOf = ({ bodyType, message }: OofReply): string =>
  bodyType === 'html' ? message.replace(/<[^>]*>/g, '') : message

async function repliesPage(visit: Visit, error?: string): Promise<void> {
  const { say, zone, fields } = visit
  const record = await oofOf(visit)
  const given = visit.posted !== undefined
  const state = given ? fields.get('state') : record.state
  const choice = (value: string, key: LightTextKey): Html =>
    html`<p><input type="radio" id="${value}" name="state" value="${value}"${state === value && raw(' checked')}> <label class="plain" for="${value}">${say(key)}</label></p>`
  const value = (name: string, stored: string): string => (given ? (fields.get(name) ?? '') : stored)
  const { internal, externalUnknown } = record.replies
  const part = (name: 'inside' | 'outside', label: LightTextKey, heading: LightTextKey, reply: OofReply): Html => {
    const checked = given ? fields.get(`send-${name}`) === '1' : reply.enabled
    return html`<h2>${say(heading)}</h2><p><input type="checkbox" id="send-${name}" name="send-${name}" value="1"${checked && raw(' checked')}> <label class="plain" for="send-${name}">${say(label)}</label></p><div class="field"><label for="${name}">${say('message')}</label><textarea id="${name}" name="${name}" rows="6">
${value(name, textOf(reply))}</textarea></div>`
  }
  const time = (name: string, label: LightTextKey, stored: number | undefined): Html =>
    field(
      name,
      say(label),
      html`<input type="text" id="${name}" name="${name}" value="${value(name, localTime(stored, zone))}" placeholder="2026-12-24 18:00">`,
    )
  const body = post(
    visit,
    'save',
    html`<fieldset><legend>${say('replies')}</legend>${choice('disabled', 'off')}${choice('enabled', 'on')}${choice('scheduled', 'scheduled')}${time('start', 'start', record.start)}${time('end', 'endAt', record.end)}<p class="hint">${zone}</p></fieldset>
${part('inside', 'sendInside', 'inside', internal)}${part('outside', 'sendOutside', 'outside', externalUnknown)}<button class="go">${say('save')}</button>`,
  )
  await visit.page(say('replies'), body, error === undefined ? {} : { error, status: 422 })
}

async function changeReplies(visit: Visit): Promise<void> {
  const { fields, context, principal, say, zone } = visit
  const old = await oofOf(visit)
  const wanted = fields.get('state')
  const state = wanted === 'enabled' || wanted === 'scheduled' ? wanted : 'disabled'
  const [start, end] = [readLocalTime(fields.get('start') ?? '', zone), readLocalTime(fields.get('end') ?? '', zone)]
  if (state === 'scheduled' && (start === undefined || end === undefined || end <= start))
    return repliesPage(visit, say('badTime'))
  const reply = (name: 'inside' | 'outside', before: OofReply): OofReply => {
    const message = (fields.get(name) ?? '').replace(/\r\n?/g, '\n').slice(0, MAX_OOF_MESSAGE)
    const same = message.trim() === textOf(before).trim()
    return {
      enabled: fields.get(`send-${name}`) === '1',
      bodyType: same ? before.bodyType : 'text',
      message: same ? before.message : message,
    }
  }
  const outside = reply('outside', old.replies.externalUnknown)
  const scheduled = state === 'scheduled'
  const record: OofRecord = {
    ...old,
    state,
    start: scheduled ? start : old.start,
    end: scheduled ? end : old.end,
    replies: { internal: reply('inside', old.replies.internal), externalKnown: outside, externalUnknown: outside },
    changed: context.clock.now(),
  }
  const value = encodeOof(record)
  await context.service.apply(principal.mailbox, [
    { op: 'putState', client: OOF_STATE.client, key: OOF_STATE.key, value },
  ])
  visit.done('/light/options', { text: say('saved') })
}

async function sessionsPage(visit: Visit): Promise<void> {
  const { say, context, principal, session } = visit
  const records = [...(await context.sessions.list(principal.mailbox, principal.account))].sort(
    (a, b) => b.lastAct - a.lastAct,
  )
  const end = (id: string): Html =>
    post(visit, 'end', html`<input type="hidden" name="id" value="${id}"><button>${say('end')}</button>`)
  const rows = records.map(
    ({ id, agent, address, created, lastAct }) =>
      html`<tr><td>${agent.slice(0, 80)}</td><td>${address}</td><td>${visit.date(created)}</td><td>${visit.date(lastAct)}</td><td>${id === session.id ? say('thisSession') : end(id)}</td></tr>`,
  )
  const body = html`<table><thead><tr><th scope="col">${say('browser')}</th><th scope="col">${say('address')}</th><th scope="col">${say('opened')}</th><th scope="col">${say('lastAct')}</th><th scope="col">${say('end')}</th></tr></thead><tbody>${rows}</tbody></table>
${records.length > 1 && post(visit, 'others', html`<button>${say('endOthers')}</button>`)}`
  await visit.page(say('sessions'), body)
}

async function changeSessions(visit: Visit): Promise<void> {
  const { fields, context, principal, session, request, say } = visit
  await endSessions(context, principal, session.id, fields.get('act') === 'others' ? 'others' : fields.get('id'))
  audit(context, request, principal, 'end-session')
  visit.done('/light/options/sessions', { text: say('saved') })
}
