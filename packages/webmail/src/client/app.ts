/** Everything that lives as long as the page: store, acts, where we are, what is selected, what is said. One object; views read its signals. */
import { batch, computed, effect, type ReadonlySignal, type Signal, signal } from '@preact/signals'
import { inboxFilter, type StartData } from '../start.ts'
import { here, JmapClient } from './jmap/client.ts'
import { type Filter, type Id, type Mailbox, type Session, urn } from './jmap/types.ts'
import { Contents } from './mail/contents.ts'
import type { Device } from './offline/device.ts'
import { fetchOrKept } from './offline/network.ts'
import { Acts } from './store/acts.ts'
import type { ListQuery } from './store/query.ts'
import { searchFilter } from './store/search.ts'
import { sendSettings, settings } from './store/settings.ts'
import { Store } from './store/store.ts'
import { Sync } from './store/sync.ts'
import { forgetSignOut, rememberSignOut } from './offline/sign-out.ts'
import { Vault } from './offline/vault.ts'
import { t, type TextKey } from './text/text.ts'

/** Where the user is; each has an address of its own. */
export type Place =
  | { readonly kind: 'folder'; readonly folder: string; readonly email: Id | undefined }
  | {
      readonly kind: 'search'
      readonly text: string
      readonly within: string | undefined
      readonly email: Id | undefined
    }
  | { readonly kind: 'settings'; readonly page: string }

export interface Toast {
  readonly text: string
  readonly act?: { readonly label: string; run(): void }
}

export type Shown =
  | 'people'
  | 'palette'
  | 'shortcuts'
  | 'move'
  | 'drawer'
  | 'categorise'
  | 'held'
  | 'outbox'
  | 'sweep'
  | 'share'
  | undefined

const TOAST_MS = 7_000
const MOST_UNDO = 50
export const listFilters = {
  all: undefined,
  unread: { notKeyword: '$seen' },
  flagged: { hasKeyword: '$flagged' },
} as const satisfies Record<string, Filter | undefined>

export class App {
  readonly start: StartData
  readonly base: string
  /** The user's own account. */
  readonly ownAccount: Id
  /** Somebody else's mailbox this page is about: its owner, as the session names it. */
  readonly sharedBy: string | undefined
  /** What views' addresses begin with. */
  readonly #places: string
  readonly client: JmapClient
  readonly store: Store
  readonly acts: Acts
  readonly sync: Sync
  readonly contents: Contents
  /** What this device keeps; undefined on a public computer, and until it is loaded. */
  readonly device: Signal<Device | undefined> = signal(undefined)
  /** The same, once it is known whether there is one. */
  deviceReady: Promise<Device | undefined> = Promise.resolve(undefined)
  readonly place: Signal<Place>
  readonly filter: Signal<keyof typeof listFilters> = signal('all')
  /** Only mails of this category. */
  readonly category: Signal<string | undefined> = signal(undefined)
  /** Which part of a parted Inbox is looked at. */
  readonly tab: Signal<'focused' | 'other'> = signal('focused')
  readonly toast: Signal<Toast | undefined> = signal(undefined)
  /** Read out by screen readers. */
  readonly said: Signal<string> = signal('')
  readonly shown: Signal<Shown> = signal(undefined)
  readonly reached: Signal<boolean> = signal(true)
  readonly selected: Signal<ReadonlySet<Id>> = signal(new Set())
  /** The whole folder is selected, not only the rows that are here. */
  readonly wholeFolder: Signal<boolean> = signal(false)
  /** The row the keyboard is at. */
  readonly cursor: Signal<number> = signal(0)
  /** The folder one looked at last: a search can be narrowed to it. */
  readonly lastMailbox: Signal<Id | undefined> = signal(undefined)
  readonly endsIn: Signal<number | undefined> = signal(undefined)
  readonly mailbox: ReadonlySignal<Mailbox | undefined>
  readonly list: ReadonlySignal<ListQuery | undefined>
  readonly openEmail: ReadonlySignal<Id | undefined>
  /** What may be done to the mails one looks at. */
  readonly may: ReadonlySignal<{ readonly remove: boolean; readonly mark: boolean }>
  #undo: (() => void)[] = []
  #toastTimer: ReturnType<typeof setTimeout> | undefined
  #acted = Date.now()
  #told = 0
  #signingOut = false
  readonly #tabs = new BroadcastChannel('postrider')

  constructor(start: StartData, base: string) {
    this.start = start
    this.base = base
    const session = start.session as unknown as Session
    this.ownAccount = session.primaryAccounts[urn.mail] ?? Object.keys(session.accounts)[0] ?? ''
    const [, other = ''] = /^of\/([^/]+)(?:\/|$)/.exec(location.pathname.slice(base.length)) ?? []
    this.sharedBy = other === this.ownAccount ? undefined : session.accounts[other]?.name
    const accountId = this.sharedBy === undefined ? this.ownAccount : other
    this.#places = this.sharedBy === undefined ? base : `${base}of/${other}/`
    this.client = new JmapClient({
      session,
      accountId,
      ownAccountId: this.ownAccount,
      headers: () => this.headers(),
      fetch: fetchOrKept(() => this.device.peek()?.local, `${base}body/`, here(session.apiUrl)),
      onSignedOut: () => this.leave(),
      onReach: (reached) => {
        if (reached && !this.reached.peek())
          queueMicrotask(() => {
            this.acts.retry()
            void sendSettings()
          })
        this.reached.value = reached
      },
    })
    this.store = new Store(this.client)
    const key = `postrider.acts.${accountId}`
    const kept = this.storage
    this.acts = new Acts(
      this.store,
      { load: () => kept.getItem(key), save: (text) => kept.setItem(key, text) },
      (problem) => this.tell(t('refused', { problem })),
    )
    this.sync = new Sync(this.store)
    this.contents = new Contents(this.client, base)
    this.place = signal(this.#read())
    this.mailbox = computed(() => {
      const place = this.place.value
      if (place.kind !== 'folder') return undefined
      return this.store.byRole.value.get(place.folder) ?? this.store.mailboxes.value.get(place.folder)
    })
    this.may = computed(() => {
      const rights = this.mailbox.value?.myRights
      const known = this.sharedBy === undefined ? rights : (rights ?? { mayRemoveItems: false, maySetKeywords: false })
      return { remove: known?.mayRemoveItems !== false, mark: known?.maySetKeywords !== false }
    })
    const within = computed(() => {
      const place = this.place.value
      return place.kind === 'settings' ? undefined : JSON.stringify({ ...place, email: undefined })
    })
    const mailboxId = computed(() => this.mailbox.value?.id)
    const spec = computed(() => {
      if (within.value === undefined) return undefined
      const place = this.place.peek()
      const { conversations } = settings.value
      if (place.kind === 'search') {
        const filter = searchFilter(place.text, [...this.store.mailboxes.peek().values()], place.within)
        return { filter, collapseThreads: false }
      }
      if (mailboxId.value === undefined) return undefined
      const more = listFilters[this.filter.value]
      const category = this.category.value
      const { role } = this.mailbox.peek() ?? {}
      const parted = role === 'inbox' && settings.value.focused && more === undefined && category === undefined
      return {
        filter: {
          inMailbox: mailboxId.value,
          ...(parted ? { inference: this.tab.value } : {}),
          ...more,
          ...(category === undefined ? {} : { hasCategory: category }),
        },
        collapseThreads: conversations && more === undefined && category === undefined && role !== 'drafts',
      }
    })
    const key2 = computed(() => (spec.value === undefined ? undefined : JSON.stringify(spec.value)))
    this.list = computed(() => {
      if (key2.value === undefined) return undefined
      const now = spec.peek()
      return now === undefined ? undefined : this.store.list(now)
    })
    this.openEmail = computed(() => (this.place.value.kind === 'settings' ? undefined : this.place.value.email))
    effect(() => {
      if (mailboxId.value !== undefined) this.lastMailbox.value = mailboxId.value
    })
    effect(() => {
      const list = this.list.value
      this.store.active = list
      this.selected.value = new Set()
      this.wholeFolder.value = false
      if (list !== undefined) {
        this.cursor.value = 0
        void list.open()
      }
    })
    addEventListener('popstate', () => {
      this.place.value = this.#read()
    })
    for (const type of ['pointerdown', 'keydown'] as const)
      addEventListener(type, () => this.#act(), { capture: true, passive: true })
    this.#tabs.onmessage = ({ data }) => {
      if (data === 'wiped') this.#goSignedOut()
      else if (data === 'signedOut') this.leave(false)
      else if (data === 'acted') this.#acted = Date.now()
    }
    setInterval(() => this.#watchSession(), 15_000)
    if (start.responses !== undefined && this.sharedBy === undefined) {
      const { conversations, focused } = settings.peek()
      this.store.takeStart(start.responses, (inbox) => ({
        filter: inboxFilter(inbox, focused),
        collapseThreads: conversations,
      }))
    }
  }

  get signedInAs(): string {
    return (this.start.session as unknown as Session).username
  }

  // Session

  /** Where the browser keeps drafts and acts until the server has them: on a public computer no longer than the tab lives. */
  get storage(): Storage {
    return this.start.computer === 'public' ? sessionStorage : localStorage
  }
  /** When the user did something last, ms. */
  get lastAct(): number {
    return this.#acted
  }

  headers(): Record<string, string> {
    const fresh = this.#acted > this.#told
    if (fresh) this.#told = Date.now()
    return { ...this.start.headers, ...(fresh ? { 'Postrider-Act': '1' } : {}) }
  }
  #act(): void {
    const now = Date.now()
    if (now - this.#acted > 60_000) {
      this.#acted = now
      this.#tabs.postMessage('acted')
      void this.client.call('Mailbox/get', { ids: [] }).then(undefined, () => {})
    }
    if (this.endsIn.peek() !== undefined) this.#watchSession()
  }
  /** “I am here.” */
  stay(): void {
    this.#acted = Date.now()
    this.endsIn.value = undefined
    void this.client.call('Mailbox/get', { ids: [] }).then(undefined, () => {})
  }
  #watchSession(): void {
    const ends: number[] = []
    if (this.start.idleMinutes !== undefined) ends.push(this.#acted + this.start.idleMinutes * 60_000)
    if (this.start.endsAt !== undefined) ends.push(Date.parse(this.start.endsAt))
    const left = Math.min(...ends) - Date.now()
    this.endsIn.value = left < 120_000 ? Math.max(1, Math.ceil(left / 60_000)) : undefined
    // The server ends it; we ask so that it is seen here, too.
    if (left < 0) void this.client.call('Mailbox/get', { ids: [] }).then(undefined, () => {})
  }
  /** The session is over: the drafts are kept by the composer, the other tabs told. */
  leave(tell = true): void {
    // Who signs out goes when all is taken away, not when the server says that the session is over.
    if (this.#signingOut) return
    dispatchEvent(new Event('postrider-leave'))
    if (tell) this.#tabs.postMessage('signedOut')
    const go = (): void => location.assign(`${this.start.signIn}?next=${encodeURIComponent(location.pathname)}`)
    const device = this.device.peek()
    if (device === undefined) go()
    else device.lock().then(go, go)
  }
  async signOut(): Promise<void> {
    const waiting = this.device.peek()?.outbox.count.peek() ?? 0
    if (waiting > 0) {
      const { ask } = await import('./ui/dialog.tsx')
      if (!(await ask(t('outboxLost', { n: waiting }), t('signOut')))) return
    }
    this.#signingOut = true
    // First of all, and for itself: what follows may be cut short. Where another tab took it away already, there is nothing left.
    await this.device
      .peek()
      ?.forgetOwn()
      .catch(() => undefined)
    rememberSignOut()
    this.sync.stop()
    this.#tabs.postMessage('wiped')
    await this.client.request(this.start.signOut, { method: 'POST' }).then(forgetSignOut, () => undefined)
    await Vault.wipe()
    sessionStorage.clear()
    this.#goSignedOut()
  }
  #goSignedOut(): void {
    location.assign(`${this.start.signIn}?why=signedout`)
  }

  // Places

  #read(): Place {
    const path = location.pathname.startsWith(this.#places) ? location.pathname.slice(this.#places.length) : ''
    const [first = '', second, third] = path.split('/').map(decodeURIComponent)
    if (first === 'search') {
      const within = new URLSearchParams(location.search).get('in') ?? undefined
      return { kind: 'search', text: second ?? '', within, email: third || undefined }
    }
    if (first === 'settings') return { kind: 'settings', page: second ?? 'appearance' }
    return { kind: 'folder', folder: first || 'inbox', email: second || undefined }
  }
  address(place: Place): string {
    const parts =
      place.kind === 'folder'
        ? [place.folder, place.email]
        : place.kind === 'search'
          ? ['search', place.text, place.email]
          : ['settings', place.page]
    const path = parts.filter((one) => one !== undefined).map((one) => encodeURIComponent(one as string))
    const query = place.kind === 'search' && place.within !== undefined ? `?in=${encodeURIComponent(place.within)}` : ''
    return `${this.#places}${path.join('/')}${query}`
  }
  /** The address of a mailbox of any account: another account is another page. */
  addressIn(accountId: Id, mailbox: Mailbox): string {
    const place = encodeURIComponent(placeOf(mailbox))
    return accountId === this.ownAccount ? `${this.base}${place}` : `${this.base}of/${accountId}/${place}`
  }
  go(place: Place, { replace = false }: { readonly replace?: boolean } = {}): void {
    const address = this.address(place)
    if (replace) history.replaceState(null, '', address)
    else if (address !== location.pathname + location.search) history.pushState(null, '', address)
    batch(() => {
      this.place.value = place
      this.shown.value = undefined
    })
  }
  goFolder(folder: string): void {
    this.filter.value = 'all'
    this.category.value = undefined
    this.go({ kind: 'folder', folder, email: undefined })
  }
  open(email: Id | undefined, options?: { readonly replace?: boolean }): void {
    const place = this.place.peek()
    if (place.kind !== 'settings') this.go({ ...place, email }, options)
  }

  // Saying

  tell(text: string, act?: Toast['act'], ms = TOAST_MS): void {
    clearTimeout(this.#toastTimer)
    this.toast.value = act === undefined ? { text } : { text, act }
    this.said.value = text
    this.#toastTimer = setTimeout(() => {
      this.toast.value = undefined
    }, ms)
  }
  hush(): void {
    clearTimeout(this.#toastTimer)
    this.toast.value = undefined
  }
  /** Says what was done and offers to undo it (also by key). */
  done(key: TextKey, count: number, undo: () => void, values: Readonly<Record<string, string>> = {}): void {
    const undone = (): void => {
      undo()
      this.tell(t('undone'))
    }
    this.offer(t(key, { n: count, ...values }), undone)
  }
  /** Says something that can be taken back, by the button and by key; for `ms` only, where it then is too late. */
  offer(text: string, undo: () => void, ms?: number): void {
    const drop = (): void => {
      this.#undo = this.#undo.filter((one) => one !== once)
    }
    const once = (): void => {
      drop()
      undo()
    }
    this.#undo.push(once)
    if (this.#undo.length > MOST_UNDO) this.#undo.shift()
    if (ms !== undefined) setTimeout(drop, ms)
    this.tell(text, { label: t('undo'), run: once }, Math.max(TOAST_MS, ms ?? 0))
  }
  undoLast(): void {
    const last = this.#undo.at(-1)
    if (last === undefined) this.tell(t('nothingToUndo'))
    else last()
  }
}

/** The one App of the page; main.tsx makes it before anything is drawn. */
export let app: App
export const setApp = (made: App): void => {
  app = made
}

export const folderName = (one: Mailbox): string =>
  one.role !== null && one.role in roleNames ? t(roleNames[one.role as keyof typeof roleNames]) : one.name
const roleNames = {
  inbox: 'inbox',
  drafts: 'drafts',
  sent: 'sent',
  archive: 'archive',
  junk: 'junk',
  trash: 'trash',
  important: 'important',
  scheduled: 'scheduled',
  snoozed: 'snoozed',
  memos: 'memos',
} as const satisfies Record<string, TextKey>
export const placeOf = (one: Mailbox): string => one.role ?? one.id
