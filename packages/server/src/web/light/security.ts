import { appProtocols, makeAppPassword, ownAppPasswords, takeBackAppPassword } from '../account/app-passwords.ts'
import { passwordRight } from '../account/password.ts'
import { qrSvg } from '../account/qr.ts'
import { audit } from '../context.ts'
import { html, type Html, raw } from '../html.ts'
import { base32, totpUri } from '../totp.ts'
import { field, passwordField, post } from './form-parts.ts'
import type { Visit } from './visit.ts'

/** Signing in: the second step, passwords of programs, passkeys. */

export async function securityPage(visit: Visit, error?: string): Promise<void> {
  const { say, context, principal } = visit
  const active = await context.secondFactor.active(principal.mailbox)
  const pending = active ? undefined : await context.secondFactor.pending(principal.mailbox)
  const code = field(
    'code',
    say('code'),
    html`<input type="text" id="code" name="code" autocomplete="one-time-code" inputmode="numeric" maxlength="10" required>`,
  )
  const key = (secret: Uint8Array): Html => {
    const uri = totpUri(secret, context.directory.organization, principal.address)
    const picture = `data:image/svg+xml;base64,${Buffer.from(qrSvg(uri)).toString('base64')}`
    return html`<p>${say('totpSecret')}</p><p><img src="${picture}" width="240" height="240" alt="${say('qrAlt')}"></p><pre class="key">${base32(secret).replace(/(.{4})(?=.)/g, '$1 ')}</pre><pre class="key">${uri}</pre>`
  }
  const body = active
    ? html`<p>${say('totpOn')} ${say('codesLeft', { n: await context.secondFactor.left(principal.mailbox) })}</p><h2>${say('newCodes')}</h2>${post(visit, 'codes', html`${passwordField(visit, 'password-codes')}<button>${say('newCodes')}</button>`)}<h2>${say('turnOff')}</h2>${post(visit, 'off', html`${passwordField(visit)}<button>${say('turnOff')}</button>`)}<p><a href="/light/options/app-passwords">${say('appPasswordsFor')}</a></p>`
    : html`<p>${say('totpOff')}</p>${pending !== undefined && html`${key(pending)}${post(visit, 'on', html`${code}<button class="go">${say('turnOn')}</button>`)}`}${pending === undefined && post(visit, 'begin', html`${passwordField(visit)}<button class="go">${say('totpBegin')}</button>`)}`
  await visit.page(say('security'), body, error === undefined ? {} : { error, status: 422 })
}

export async function changeSecurity(visit: Visit): Promise<void> {
  const { fields, context, principal, say, request } = visit
  const act = fields.get('act')
  if (act === 'on') {
    const codes = await context.secondFactor.confirm(principal.mailbox, fields.get('code') ?? '')
    if (codes === undefined) return securityPage(visit, say('codeWrong'))
    audit(context, request, principal, 'second-step-on')
    return codesPage(visit, codes)
  }
  if (!(await passwordRight(context, request, principal, fields.get('password') ?? '')))
    return securityPage(visit, say('wrongPassword'))
  if (act === 'begin' && !(await context.secondFactor.active(principal.mailbox)))
    await context.secondFactor.begin(principal.mailbox)
  if (act === 'codes') {
    const codes = await context.secondFactor.renew(principal.mailbox)
    if (codes === undefined) return visit.done('/light/options/security')
    audit(context, request, principal, 'recovery-codes')
    return codesPage(visit, codes)
  }
  if (act === 'off') {
    await context.secondFactor.remove(principal.mailbox)
    audit(context, request, principal, 'second-step-off')
  }
  visit.done('/light/options/security')
}

const codesPage = (visit: Visit, codes: readonly string[]): Promise<void> =>
  visit.page(
    visit.say('security'),
    html`<p>${visit.say('recoveryCodes')}</p><pre class="key">${codes.join('\n')}</pre><p><a href="/light/options">${visit.say('options')}</a></p>`,
  )

const MAX_SHOWN = 40

export async function appPasswordsPage(visit: Visit, error?: string): Promise<void> {
  const { say, context, principal, fields, posted } = visit
  const all = ownAppPasswords(context, principal)
  const row = ({ id, name, protocols, lastUsed }: (typeof all)[number]): Html =>
    html`<tr><th scope="row">${name}</th><td>${protocols.join(', ')}</td><td>${lastUsed === undefined ? say('never') : visit.date(lastUsed)}</td><td>${post(visit, 'remove', html`<input type="hidden" name="id" value="${id}"><button>${say('removeNamed', { name })}</button>`)}</td></tr>`
  const usual: readonly string[] = posted === undefined ? ['imap', 'smtp'] : fields.getAll('protocol')
  const body = html`<p>${say('appPasswordsHint')}</p>${all.length > 0 && html`<table><thead><tr><th scope="col">${say('name')}</th><th scope="col">${say('service')}</th><th scope="col">${say('lastAct')}</th><th scope="col">${say('remove')}</th></tr></thead><tbody>${all.slice(0, MAX_SHOWN).map(row)}</tbody></table>`}
<h2>${say('newAppPassword')}</h2>${post(visit, 'add', html`${field('name', say('appName'), html`<input type="text" id="name" name="name" maxlength="100" required value="${fields.get('name') ?? ''}">`)}<fieldset><legend>${say('service')}</legend>${appProtocols.map((one) => html`<p><input type="checkbox" id="p-${one}" name="protocol" value="${one}"${usual.includes(one) && raw(' checked')}> <label class="plain" for="p-${one}">${say(`app-${one}`)}</label></p>`)}</fieldset>${passwordField(visit)}<button class="go">${say('create')}</button>`)}`
  await visit.page(say('appPasswords'), body, error === undefined ? {} : { error, status: 422 })
}

export async function changeAppPasswords(visit: Visit): Promise<void> {
  const { fields, context, principal, say, request } = visit
  if (fields.get('act') === 'remove') {
    await takeBackAppPassword(context, request, principal, fields.get('id') ?? '')
    return visit.done('/light/options/app-passwords', { text: say('saved') })
  }
  if (!(await passwordRight(context, request, principal, fields.get('password') ?? '')))
    return appPasswordsPage(visit, say('wrongPassword'))
  const made = await makeAppPassword(context, request, principal, fields.get('name') ?? '', fields.getAll('protocol'))
  if ('why' in made) return appPasswordsPage(visit, made.why)
  await visit.page(
    say('appPasswords'),
    html`<p>${say('appPasswordIs')}</p><pre class="key">${made.password}</pre><p><a href="/light/options/app-passwords">${say('appPasswords')}</a></p>`,
  )
}

/** The user's passkeys: seen, named, taken away. Making one needs a script, so that is done in the full client. */
export async function passkeysPage(visit: Visit): Promise<void> {
  const { say, context, principal } = visit
  const all = await context.passkeys.list(principal)
  const row = ({ id, name, created, lastUsed }: (typeof all)[number], at: number): Html =>
    html`<section aria-labelledby="k-${at}"><h2 id="k-${at}">${name}</h2><dl class="head"><dt>${say('opened')}</dt><dd>${visit.date(created)}</dd><dt>${say('lastAct')}</dt><dd>${lastUsed === undefined ? say('never') : visit.date(lastUsed)}</dd></dl>
${post(visit, 'rename', html`<input type="hidden" name="id" value="${id}"><div class="bar"><label for="n-${at}">${say('name')}</label><input type="text" id="n-${at}" name="name" maxlength="100" required value="${name}"><button>${say('rename')}</button></div>`)}${post(visit, 'remove', html`<input type="hidden" name="id" value="${id}"><button>${say('removeNamed', { name })}</button>`)}</section>`
  const body = html`<p>${say('passkeysHint')}</p><p><a href="/mail/settings/security">${say('passkeysMake')}</a></p>${all.length === 0 ? html`<p>${say('passkeysNone')}</p>` : all.map(row)}`
  await visit.page(say('passkeys'), body)
}

export async function changePasskeys(visit: Visit): Promise<void> {
  const { fields, context, principal, say, request } = visit
  const id = fields.get('id') ?? ''
  if (fields.get('act') === 'rename') await context.passkeys.rename(principal, id, fields.get('name') ?? '')
  if (fields.get('act') === 'remove') {
    audit(context, request, principal, 'passkey-remove')
    await context.passkeys.remove(principal, id)
  }
  visit.done('/light/options/passkeys', { text: say('saved') })
}
