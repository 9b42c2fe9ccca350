import type { DeviceRecord } from '@postrider/protocols/activesync'
import {
  deviceName,
  deviceStatus,
  guardedActs,
  orderOwnDevice,
  ownDevices,
  recoveryPassword,
} from '../account/devices.ts'
import { passwordRight } from '../account/password.ts'
import { html, type Html } from '../html.ts'
import { field, post } from './form-parts.ts'
import type { LightTextKey } from './texts.ts'
import type { Visit } from './visit.ts'

/** Mobile devices: R7, R64. */

const MAX_SHOWN = 20

export async function devicesPage(visit: Visit, error?: string, shown?: Html): Promise<void> {
  const { say } = visit
  const devices = await ownDevices(visit.context, visit.principal)
  const button = (act: string, key: LightTextKey): Html => html`<button name="do" value="${act}">${say(key)}</button>`
  const row = (device: DeviceRecord): Html => {
    const id = `d-${Buffer.from(device.id).toString('hex').slice(0, 64)}`
    const status = deviceStatus(device)
    const text =
      status === 'wiped'
        ? say('wiped', { date: visit.date(device.wiped ?? 0) })
        : say(status === 'wipePending' ? 'wipePending' : status === 'ok' ? 'ok' : status)
    const acts = post(
      visit,
      'device',
      html`<input type="hidden" name="id" value="${device.id}">${field(id, say('confirmPassword'), html`<input type="password" id="${id}" name="password" autocomplete="current-password">`)}<p class="hint">${say('wipeAsk')}</p><div class="bar">${device.wipe === 'none' ? button('wipe', 'wipe') : button('cancel', 'wipeCancel')}${status === 'blocked' ? button('allow', 'allowDevice') : status === 'ok' && button('block', 'blockDevice')}${button('recovery', 'recovery')}${button('remove', 'removeDevice')}</div>`,
    )
    return html`<section aria-label="${deviceName(device)}"><h2>${deviceName(device)}</h2><dl class="head"><dt>${say('state')}</dt><dd>${text}</dd><dt>${say('lastSync')}</dt><dd>${device.lastSeen > 0 && visit.date(device.lastSeen)}</dd></dl>${acts}</section>`
  }
  const body = html`${shown}${devices.length === 0 ? html`<p>${say('noDevices')}</p>` : devices.slice(0, MAX_SHOWN).map(row)}`
  await visit.page(say('devices'), body, error === undefined ? {} : { error, status: 422 })
}

export async function changeDevices(visit: Visit): Promise<void> {
  const { fields, say, context, request, principal } = visit
  const act = fields.get('do') ?? ''
  if (guardedActs.has(act) && !(await passwordRight(context, request, principal, fields.get('password') ?? '')))
    return devicesPage(visit, say('wrongPassword'))
  const device = await orderOwnDevice(context, request, principal, fields.get('id') ?? '', act)
  if (device === undefined) return visit.done('/light/options/devices')
  if (act === 'recovery') {
    const recovery = recoveryPassword(context, principal, device)
    const text =
      recovery === undefined
        ? html`<p>${say('recoveryNone')}</p>`
        : html`<p>${say('recoveryIs', { device: deviceName(device) })}</p><pre class="key">${recovery}</pre>`
    return devicesPage(visit, undefined, html`<div class="note" role="status">${text}</div>`)
  }
  visit.done('/light/options/devices', { text: say('saved') })
}
