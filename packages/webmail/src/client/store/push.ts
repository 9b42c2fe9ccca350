/** Notices of new mail while the client is closed: RFC 8620 §7.2, the Push API, no service of ours in between. */
import { app } from '../app.ts'
import { here } from '../jmap/client.ts'

const VAPID = 'urn:ietf:params:jmap:webpush-vapid'
const DEVICE = 'postrider.device'
const RENEW_MS = 2 * 86_400_000

type Json = Readonly<Record<string, unknown>>
interface Mine {
  readonly id: string
  readonly deviceClientId: string
  readonly expires: string
}

/** Calls a method that belongs to no account. */
async function call<T>(name: string, args: Json): Promise<T> {
  const body = JSON.stringify({ using: ['urn:ietf:params:jmap:core'], methodCalls: [[name, args, '0']] })
  const response = await app.client.request(here(app.client.session.apiUrl), {
    method: 'POST',
    body,
    headers: { 'Content-Type': 'application/json' },
  })
  const { methodResponses } = (await response.json()) as { readonly methodResponses: readonly [string, T][] }
  const [answer] = methodResponses
  if (answer === undefined || answer[0] === 'error') throw new Error(name)
  return answer[1]
}

const key = (): string | undefined => {
  const { applicationServerKey } = app.client.session.capabilities[VAPID] ?? {}
  return typeof applicationServerKey === 'string' ? applicationServerKey : undefined
}
/** Whether this browser can, and this computer may. */
export const pushPossible = (): boolean =>
  key() !== undefined && 'serviceWorker' in navigator && 'PushManager' in window && app.start.computer !== 'public'

const device = (): string => {
  const known = localStorage.getItem(DEVICE) ?? crypto.randomUUID()
  localStorage.setItem(DEVICE, known)
  return known
}
const subscription = async (): Promise<PushSubscription | null> =>
  (await navigator.serviceWorker.ready).pushManager.getSubscription()

export const pushIsOn = async (): Promise<boolean> =>
  pushPossible() && Notification.permission === 'granted' && (await subscription()) !== null

/** Asks the user's leave, subscribes, and tells the server. False: the user or the browser said no. */
export async function turnPushOn(): Promise<boolean> {
  if ((await Notification.requestPermission()) !== 'granted') return false
  const { pushManager } = await navigator.serviceWorker.ready
  await tell(await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key() ?? '' }))
  return true
}

export async function turnPushOff(): Promise<void> {
  await (await subscription())?.unsubscribe()
  const { list } = await call<{ readonly list: readonly Mine[] }>('PushSubscription/get', { ids: null })
  const own = list.filter(({ deviceClientId }) => deviceClientId === device())
  if (own.length > 0) await call('PushSubscription/set', { destroy: own.map(({ id }) => id) })
}

async function tell(made: PushSubscription): Promise<void> {
  const { endpoint, keys } = made.toJSON()
  await call('PushSubscription/set', {
    create: { here: { deviceClientId: device(), url: endpoint, keys, types: ['EmailDelivery'] } },
  })
}

/** Answers the server's question whether we hear it, and subscribes again before a subscription ends. */
export function followPush(): void {
  if (!pushPossible()) return
  navigator.serviceWorker.addEventListener('message', ({ data }: MessageEvent<{ readonly push?: Json }>) => {
    const { push } = data ?? {}
    if (push?.['@type'] !== 'PushVerification') return
    const update = { [String(push.pushSubscriptionId)]: { verificationCode: push.verificationCode } }
    call('PushSubscription/set', { update }).catch(() => {})
  })
  const renew = async (): Promise<void> => {
    const made = Notification.permission === 'granted' ? await subscription() : null
    if (made === null) return
    const { list } = await call<{ readonly list: readonly Mine[] }>('PushSubscription/get', { ids: null })
    const own = list.find(({ deviceClientId }) => deviceClientId === device())
    if (own === undefined || Date.parse(own.expires) - Date.now() < RENEW_MS) await tell(made)
  }
  renew().catch(() => {})
}
