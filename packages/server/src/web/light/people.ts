import type { GroupEntry, MailboxEntry } from '@postrider/domain'
import { html, type Html } from '../html.ts'
import type { Person } from '../mail.ts'
import type { Visit } from './visit.ts'

/** The address book: people and groups of the organisation, and whom one wrote with. */

const MAX_FOUND = 20
/** Sent mails that are looked through for whom one wrote to. */
const MAX_SENT = 200
const MAX_MEMBERS = 50

export interface FoundPerson {
  readonly name: string
  readonly address: string
  /** Of the organisation's directory. */
  readonly entry?: MailboxEntry | GroupEntry
}

/** Whom the user wrote to, most often first, as the full client offers them while one types. */
async function correspondents(visit: Visit, words: readonly string[]): Promise<readonly FoundPerson[]> {
  const sent = (await visit.folders()).find(({ role }) => role === 'sent')
  if (sent === undefined) return []
  const { ids } = await visit.ask<{ ids: readonly string[] }>('Email/query', {
    filter: { inMailbox: sent.id },
    sort: [{ property: 'receivedAt', isAscending: false }],
    limit: MAX_SENT,
  })
  if (ids.length === 0) return []
  const { list } = await visit.ask<{
    list: readonly { readonly to: readonly Person[] | null; readonly cc: readonly Person[] | null }[]
  }>('Email/get', { ids, properties: ['to', 'cc'] })
  const known = new Map<string, { person: FoundPerson; times: number }>()
  for (const { name, email } of list.flatMap(({ to, cc }) => [...(to ?? []), ...(cc ?? [])])) {
    const key = email.toLowerCase()
    const before = known.get(key)
    const person = before?.person.name ? before.person : { name: name ?? '', address: email }
    known.set(key, { person, times: (before?.times ?? 0) + 1 })
  }
  const fits = ({ name, address }: FoundPerson): boolean =>
    words.every((word) => `${name} ${address}`.toLowerCase().includes(word))
  return [...known.values()]
    .filter(({ person }) => fits(person))
    .sort((a, b) => b.times - a.times)
    .map(({ person }) => person)
}

/** People and groups of the directory first, then those one wrote to. */
export async function findPeople(visit: Visit, text: string): Promise<readonly FoundPerson[]> {
  const query = text.trim().slice(0, 100)
  if (query === '') return []
  const { entries } = visit.context.directory.find(query, MAX_FOUND)
  const inside = entries.map((entry) => ({ name: entry.displayName, address: entry.address, entry }))
  const seen = new Set(inside.map(({ address }) => address.toLowerCase()))
  const words = query.toLowerCase().split(/\s+/)
  const others = (await correspondents(visit, words)).filter(({ address }) => !seen.has(address.toLowerCase()))
  return [...inside, ...others].slice(0, MAX_FOUND)
}

export async function peoplePage(visit: Visit): Promise<void> {
  const { say, url } = visit
  const query = (url.searchParams.get('q') ?? '').trim().slice(0, 100)
  const found = await findPeople(visit, query)
  const line = (label: string, value: string): Html | undefined =>
    value === '' ? undefined : html`<dt>${label}</dt><dd>${value}</dd>`
  const details = ({ address, entry }: FoundPerson): Html => {
    if (entry === undefined) return html`<dl class="head">${line(say('address'), address)}</dl>`
    if ('members' in entry)
      return html`<dl class="head">${line(say('address'), address)}${line(say('group'), say('members', { n: entry.members.length }))}${line(say('membersAre'), entry.members.slice(0, MAX_MEMBERS).join(', '))}</dl>`
    const { title, department, company, office, phone, mobilePhone } = entry
    return html`<dl class="head">${line(say('address'), address)}${line(say('jobTitle'), title)}${line(say('department'), department)}${line(say('company'), company)}${line(say('office'), office)}${line(say('phone'), phone)}${line(say('mobile'), mobilePhone)}</dl>`
  }
  const one = (person: FoundPerson): Html => {
    const to = person.name === '' ? person.address : `"${person.name.replace(/["\\]/g, '')}" <${person.address}>`
    return html`<h2>${person.name === '' ? person.address : person.name}</h2>${details(person)}<p><a class="button" href="/light/compose?to=${encodeURIComponent(to)}">${say('writeTo')}</a> <a class="button" href="/light/search?q=${encodeURIComponent(`from:${person.address}`)}">${say('mailsOf')}</a></p>`
  }
  const body = html`<form method="get" action="/light/people" class="bar"><label for="name">${say('nameOrAddress')}</label><input type="search" id="name" name="q" value="${query}"><button class="go">${say('findButton')}</button></form>
${query !== '' && found.length === 0 ? html`<p>${say('nothingFound')}</p>` : found.map(one)}`
  await visit.page(say('people'), body)
}
