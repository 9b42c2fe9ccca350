/** A small JMAP server in memory: enough of RFC 8620 and RFC 8621 for every method the client calls, with true states. Served by fake.ts. */
import type { Invocation } from '../src/start.ts'
import { type FakeEmail, type Json, matches, pointer } from './fake-query.ts'

const rights = {
  mayReadItems: true,
  mayAddItems: true,
  mayRemoveItems: true,
  mayCreateChild: true,
  mayRename: true,
  mayDelete: true,
  maySubmit: true,
  maySetSeen: true,
  maySetKeywords: true,
}

export class FakeMail {
  readonly mailboxes = new Map<string, Json>()
  readonly emails = new Map<string, FakeEmail>()
  readonly requests: Invocation[][] = []
  readonly sent: Json[] = []
  readonly blobs = new Map<string, { readonly bytes: Buffer; readonly type: string }>()
  #preferences: Json = {}
  #replies: Json = {
    id: 'singleton',
    state: 'disabled',
    start: null,
    end: null,
    subject: null,
    inside: { isEnabled: false, bodyType: 'text', message: '' },
    contacts: { isEnabled: false, bodyType: 'text', message: '' },
    outside: { isEnabled: false, bodyType: 'text', message: '' },
  }
  #vacation: Json = {
    id: 'singleton',
    isEnabled: false,
    fromDate: null,
    toDate: null,
    subject: null,
    textBody: null,
    htmlBody: null,
  }
  #identity: Json = {
    id: 'i1',
    name: 'Ada Lovelace',
    email: 'ada@example.org',
    replyTo: null,
    bcc: null,
    textSignature: '',
    htmlSignature: '',
    mayDelete: false,
  }
  #submissions = new Map<string, Json>()
  readonly #bulks: ReadonlyMap<string, FakeEmail>[] = []
  #log: { readonly state: number; readonly id: string; readonly kind: 'created' | 'updated' | 'destroyed' }[] = []
  #state = 1
  /** Hears of changes: an event as it is pushed. */
  told: (event: string) => void = () => {}
  #count = 0
  #order: FakeEmail[] | undefined

  constructor() {
    const add = (id: string, name: string, role: string | null, parentId: string | null = null): void => {
      this.mailboxes.set(id, { id, name, role, parentId, sortOrder: 10, myRights: rights, isSubscribed: true })
    }
    for (const role of ['inbox', 'drafts', 'sent', 'archive', 'junk', 'trash']) add(`m-${role}`, role, role)
    add('m-plans', 'Plans', null)
    add('m-2026', '2026', null, 'm-plans')
    add('m-travel', 'Travel', null)
  }

  add(email: Partial<FakeEmail> & { readonly subject: string }): FakeEmail {
    const id = `e${++this.#count}`
    const made: FakeEmail = {
      id,
      threadId: `t${id}`,
      mailboxIds: { 'm-inbox': true },
      keywords: {},
      size: 4_000,
      receivedAt: new Date().toISOString(),
      from: null,
      to: [{ name: 'Ada Lovelace', email: 'ada@example.org' }],
      cc: null,
      hasAttachment: false,
      preview: '',
      text: '',
      attachments: [],
      ...email,
    }
    if (made.preview === '') made.preview = made.text.replace(/\s+/g, ' ').slice(0, 160)
    this.emails.set(id, made)
    this.#note(id, 'created')
    return made
  }
  deliver(email: Partial<FakeEmail> & { readonly subject: string }): FakeEmail {
    const made = this.add(email)
    this.#push()
    return made
  }

  #note(id: string, kind: 'created' | 'updated' | 'destroyed'): void {
    this.#state++
    this.#order = undefined
    this.#log.push({ state: this.#state, id, kind })
  }
  #push(): void {
    const state = String(this.#state)
    const data = JSON.stringify({
      '@type': 'StateChange',
      changed: { u1: { Email: state, Mailbox: state, Thread: state } },
    })
    this.told(`event: state\ndata: ${data}\n\n`)
  }

  #sorted(): FakeEmail[] {
    this.#order ??= [...this.emails.values()].sort((a, b) =>
      a.receivedAt < b.receivedAt ? 1 : a.receivedAt > b.receivedAt ? -1 : 0,
    )
    return this.#order
  }
  #query(args: Json): FakeEmail[] {
    const seen = new Set<string>()
    return this.#sorted().filter((one) => {
      if (!matches(one, (args.filter as Json | null) ?? null)) return false
      if (args.collapseThreads !== true) return true
      if (seen.has(one.threadId)) return false
      seen.add(one.threadId)
      return true
    })
  }

  #object(email: FakeEmail, properties: readonly string[] | undefined): Json {
    const whole: Json = {
      ...email,
      blobId: `b-${email.id}`,
      sentAt: email.receivedAt,
      bcc: null,
      replyTo: null,
      messageId: [`${email.id}@example.org`],
      inReplyTo: null,
      references: null,
      textBody: [{ partId: 't', type: 'text/plain', blobId: 'x', size: 1, name: null, disposition: null, cid: null }],
      htmlBody: [],
      bodyValues: { t: { value: email.text } },
    }
    return Object.fromEntries(['id', ...(properties ?? Object.keys(whole))].map((key) => [key, whole[key]]))
  }

  /** One call; the second answer, if any, is the implicit one of EmailSubmission/set. */
  run(name: string, args: Json): Json {
    const state = String(this.#state)
    const ids = args.ids as readonly string[] | null | undefined
    switch (name) {
      case 'Mailbox/get': {
        const list = [...this.mailboxes.values()].map((one) => {
          const mails = [...this.emails.values()].filter((mail) => mail.mailboxIds[String(one.id)] === true)
          const unread = mails.filter((mail) => mail.keywords.$seen !== true).length
          return {
            ...one,
            totalEmails: mails.length,
            unreadEmails: unread,
            totalThreads: mails.length,
            unreadThreads: unread,
          }
        })
        return {
          state,
          list: ids == null ? list : list.filter((one) => ids.includes(String((one as Json).id))),
          notFound: [],
        }
      }
      case 'Mailbox/set': {
        const created: Json = {}
        for (const [key, value] of Object.entries((args.create as Json | undefined) ?? {})) {
          const id = `m${++this.#count}`
          this.mailboxes.set(id, {
            id,
            role: null,
            sortOrder: 10,
            myRights: rights,
            isSubscribed: true,
            ...(value as Json),
          })
          created[key] = { id }
        }
        for (const [id, value] of Object.entries((args.update as Json | undefined) ?? {}))
          Object.assign(this.mailboxes.get(id) ?? {}, value)
        for (const id of (args.destroy as string[] | undefined) ?? []) this.mailboxes.delete(id)
        this.#state++
        return { oldState: state, newState: String(this.#state), created }
      }
      case 'Email/query': {
        const all = this.#query(args)
        const position = Number(args.position ?? 0)
        const page = all.slice(position, position + Number(args.limit ?? 500))
        return {
          queryState: state,
          canCalculateChanges: true,
          position,
          ids: page.map((one) => one.id),
          total: all.length,
        }
      }
      case 'Email/queryChanges': {
        const since = Number(args.sinceQueryState)
        const touched = new Set(this.#log.filter((one) => one.state > since).map((one) => one.id))
        const all = this.#query(args)
        const added = all.flatMap((one, index) => (touched.has(one.id) ? [{ id: one.id, index }] : []))
        return {
          oldQueryState: args.sinceQueryState,
          newQueryState: state,
          total: all.length,
          removed: [...touched],
          added,
        }
      }
      case 'Email/changes': {
        const since = Number(args.sinceState)
        const all = this.#log.filter((one) => one.state > since)
        const of = (kind: string): string[] => [...new Set(all.filter((one) => one.kind === kind).map((one) => one.id))]
        return {
          oldState: args.sinceState,
          newState: state,
          hasMoreChanges: false,
          created: of('created'),
          updated: of('updated'),
          destroyed: of('destroyed'),
        }
      }
      case 'Email/get': {
        const list = (ids ?? []).flatMap((id) => {
          const found = this.emails.get(id)
          return found === undefined ? [] : [this.#object(found, args.properties as string[] | undefined)]
        })
        return { state, list, notFound: [] }
      }
      case 'Thread/get': {
        const list = [...new Set(ids ?? [])].map((id) => ({
          id,
          emailIds: [...this.emails.values()]
            .filter((one) => one.threadId === id)
            .sort((a, b) => (a.receivedAt < b.receivedAt ? -1 : 1))
            .map((one) => one.id),
        }))
        return { state, list, notFound: [] }
      }
      case 'Email/set': {
        const created: Json = {}
        for (const [key, value] of Object.entries((args.create as Json | undefined) ?? {})) {
          const from = value as Json
          const values = from.bodyValues as Record<string, { value: string }>
          const made = this.add({
            ...(from as Partial<FakeEmail>),
            subject: String(from.subject),
            text: values.text?.value ?? '',
            html: values.html?.value ?? '',
            attachments: ((from.attachments as Json[]) ?? []).map((one, i) => ({ partId: `a${i}`, size: 10, ...one })),
          })
          created[key] = { id: made.id, blobId: `b-${made.id}`, threadId: made.threadId, size: 1 }
        }
        this.#patch((args.update as Json | undefined) ?? {})
        for (const id of (args.destroy as string[] | undefined) ?? []) {
          this.emails.delete(id)
          this.#note(id, 'destroyed')
        }
        queueMicrotask(() => this.#push())
        return { oldState: state, newState: String(this.#state), created, updated: {}, destroyed: args.destroy ?? [] }
      }
      case 'SearchSnippet/get': {
        const word = (JSON.stringify(args.filter).match(/"text":"([^"]+)"/) ?? [])[1]
        const mark = (text: string): string => {
          const safe = text.replace(/&/g, '&amp;').replace(/</g, '&lt;')
          return word === undefined
            ? safe
            : safe.replace(new RegExp(word.replace(/[^\w\s]/g, ''), 'gi'), (found) => `<mark>${found}</mark>`)
        }
        return {
          list: (args.emailIds as string[]).map((emailId) => {
            const one = this.emails.get(emailId)
            return { emailId, subject: mark(one?.subject ?? ''), preview: mark(one?.preview ?? '') }
          }),
          notFound: [],
        }
      }
      case 'Identity/get':
        return { state, list: [this.#identity], notFound: [] }
      case 'Identity/set':
        Object.assign(this.#identity, (args.update as Record<string, Json>).i1)
        return { oldState: state, newState: state }
      case 'VacationResponse/get':
        return { state, list: [this.#vacation], notFound: [] }
      case 'VacationResponse/set':
        Object.assign(this.#vacation, (args.update as Record<string, Json>).singleton)
        return { oldState: state, newState: state }
      case 'EmailSubmission/set': {
        const created: Json = {}
        for (const [key, value] of Object.entries((args.create as Json | undefined) ?? {})) {
          const id = `s${++this.#count}`
          const one = { id, undoStatus: 'pending', ...(value as Json) }
          this.#submissions.set(id, one)
          this.sent.push(one)
          created[key] = { id, undoStatus: 'pending' }
          const patch = (args.onSuccessUpdateEmail as Json | undefined)?.[`#${key}`]
          if (patch !== undefined) this.#patch({ [String((value as Json).emailId)]: patch })
        }
        for (const [id, value] of Object.entries((args.update as Json | undefined) ?? {}))
          Object.assign(this.#submissions.get(id) ?? {}, value)
        queueMicrotask(() => this.#push())
        return { oldState: state, newState: state, created }
      }
      case 'EmailSubmission/query': {
        const { emailIds, undoStatus } = (args.filter ?? {}) as {
          readonly emailIds: readonly string[]
          readonly undoStatus: string
        }
        const found = [...this.#submissions.values()].filter(
          (one) => one.undoStatus === undoStatus && emailIds.includes(String(one.emailId)),
        )
        return { queryState: state, canCalculateChanges: false, position: 0, ids: found.map((one) => one.id) }
      }
      case 'EmailSubmission/get':
        return { state, list: (ids ?? []).flatMap((id) => this.#submissions.get(id) ?? []), notFound: [] }
      // Our own capability: enough to draw every page of settings; what it does is tried against the program (own.test.ts).
      case 'Preferences/get':
        return { state, list: [{ id: 'singleton', ...this.#preferences }], notFound: [] }
      case 'Preferences/set':
        Object.assign(this.#preferences, (args.update as Record<string, Json>).singleton)
        return { oldState: state, newState: state }
      case 'Category/get':
        return { state, list: [{ id: 'C1', name: 'Red category', color: 0 }], notFound: [] }
      case 'Bulk/act': {
        const before = new Map<string, FakeEmail>()
        for (const one of this.#query({ filter: args.filter })) before.set(one.id, { ...one })
        const update = args.update as Json | undefined
        if (update !== undefined) this.#patch(Object.fromEntries([...before.keys()].map((id) => [id, update])))
        else
          for (const id of before.keys()) {
            this.emails.delete(id)
            this.#note(id, 'destroyed')
          }
        this.#bulks.push(before)
        queueMicrotask(() => this.#push())
        const bulkId = update === undefined ? null : `B${this.#bulks.length - 1}`
        return { bulkId, count: before.size, failed: 0, left: 0 }
      }
      case 'Bulk/undo': {
        const before = this.#bulks[Number(String(args.bulkId).slice(1))] ?? new Map<string, FakeEmail>()
        for (const [id, one] of before) {
          this.emails.set(id, one)
          this.#note(id, 'updated')
        }
        queueMicrotask(() => this.#push())
        return { count: before.size, changed: 0, more: false }
      }
      case 'Rule/get':
      case 'Sweep/get':
      case 'Template/get':
        return { state, list: [], notFound: [] }
      case 'SenderLists/get':
        return { state, list: [{ id: 'singleton', blocked: ['spam.example'], safe: [] }], notFound: [] }
      case 'AutomaticReplies/get':
        return { state, list: [this.#replies], notFound: [] }
      case 'AutomaticReplies/set':
        Object.assign(this.#replies, (args.update as Record<string, Json>).singleton)
        return { oldState: state, newState: state }
      default:
        throw new Error(`the fake does not know ${name}`)
    }
  }
  #patch(update: Json): void {
    for (const [id, patch] of Object.entries(update)) {
      const email = this.emails.get(id)
      if (email === undefined) continue
      for (const [path, value] of Object.entries(patch as Json)) {
        const [property, key] = path.split('/') as ['mailboxIds' | 'keywords', string | undefined]
        if (key === undefined) {
          email[property] = value as Record<string, true>
          continue
        }
        const next = { ...email[property] }
        if (value === null) delete next[key]
        else next[key] = true
        email[property] = next
      }
      this.#note(id, 'updated')
    }
  }

  answer(calls: readonly Invocation[]): Invocation[] {
    this.requests.push([...calls])
    const answers: Invocation[] = []
    for (const [name, args, id] of calls) {
      const full: Json = {}
      for (const [key, value] of Object.entries(args)) {
        if (!key.startsWith('#')) full[key] = value
        else {
          const { resultOf, path } = value as { readonly resultOf: string; readonly path: string }
          const from = answers.find((one) => one[2] === resultOf)?.[1]
          full[key.slice(1)] = from === undefined ? [] : [...new Set(pointer(from, path.split('/').slice(1)))]
        }
      }
      try {
        answers.push([name, { accountId: 'u1', ...this.run(name, full) }, id])
      } catch (error) {
        answers.push(['error', { type: 'serverFail', description: String(error) }, id])
      }
    }
    return answers
  }
}
