import { readSubject } from '@postrider/wire/mime'
import { collate } from './sort.ts'

/** A message as threading sees it. */
export interface ThreadMessage {
  readonly sequence: number
  readonly messageId: string | undefined
  /** Oldest first; In-Reply-To where there are none. */
  readonly references: readonly string[]
  readonly subject: string
  /** ms: the Date field, else INTERNALDATE. */
  readonly date: number
}

/** A thread: a message (or nothing, where only its answers are here) and its answers. */
export interface Thread {
  message: ThreadMessage | undefined
  children: Thread[]
}

interface Container extends Thread {
  parent: Container | undefined
  children: Container[]
}

/** RFC 5256 §3 ORDEREDSUBJECT: one thread per base subject, all later messages are answers to the first. */
export function orderedSubject(messages: readonly ThreadMessage[]): Thread[] {
  const bySubject = new Map<string, ThreadMessage[]>()
  for (const message of messages) {
    const subject = collate(readSubject(message.subject).base)
    const group = bySubject.get(subject)
    if (group === undefined) bySubject.set(subject, [message])
    else group.push(message)
  }
  const threads: Thread[] = []
  for (const group of bySubject.values()) {
    const [first, ...rest] = group.sort(byDate)
    threads.push({ message: first, children: rest.map((message) => ({ message, children: [] })) })
  }
  return threads.sort((a, b) => dateOf(a) - dateOf(b) || sequenceOf(a) - sequenceOf(b))
}

/** RFC 5256 §3 REFERENCES: by References and In-Reply-To, then roots of equal base subject are joined. */
export function byReferences(messages: readonly ThreadMessage[]): Thread[] {
  const roots = prune(link(messages))
  sortSiblings(roots)
  const joined = joinSubjects(sorted(roots))
  sortSiblings(joined)
  return sorted(joined)
}

/** REFS (draft-ietf-morg-inthread): references alone; threads stand in the order of their newest message. */
export function byRefs(messages: readonly ThreadMessage[]): Thread[] {
  const roots = prune(link(messages))
  sortSiblings(roots)
  const newest = new Map(roots.map((root) => [root, latest(root)]))
  return [...roots].sort((a, b) => (newest.get(a) ?? 0) - (newest.get(b) ?? 0) || sequenceOf(a) - sequenceOf(b))
}

const byDate = (a: ThreadMessage, b: ThreadMessage): number => a.date - b.date || a.sequence - b.sequence

/** The date of a thread's first message: RFC 5256 §3 step 4. */
function dateOf(thread: Thread): number {
  return thread.message?.date ?? thread.children[0]?.message?.date ?? 0
}

function sequenceOf(thread: Thread): number {
  return thread.message?.sequence ?? thread.children[0]?.message?.sequence ?? 0
}

/** A spread of a hundred thousand arguments would overflow the stack. */
function pushAll<T>(to: T[], from: readonly T[]): void {
  for (const one of from) to.push(one)
}

function latest(root: Thread): number {
  let newest = 0
  const stack = [root]
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    newest = Math.max(newest, next.message?.date ?? 0)
    pushAll(stack, next.children)
  }
  return newest
}

function sorted<T extends Thread>(threads: readonly T[]): T[] {
  return [...threads].sort((a, b) => dateOf(a) - dateOf(b) || sequenceOf(a) - sequenceOf(b))
}

/** Steps 1 and 2: containers by message id, linked by references; answers the roots. */
function link(messages: readonly ThreadMessage[]): Container[] {
  const byId = new Map<string, Container>()
  const all: Container[] = []
  const make = (id: string | undefined): Container => {
    const container: Container = { message: undefined, parent: undefined, children: [] }
    if (id !== undefined) byId.set(id, container)
    all.push(container)
    return container
  }
  for (const message of messages) {
    const known = message.messageId === undefined ? undefined : byId.get(message.messageId)
    // A second message with the same id stands for itself: step 1, "treat the message as if it had no Message-ID".
    const own = known === undefined ? make(message.messageId) : known.message === undefined ? known : make(undefined)
    own.message = message
    let above: Container | undefined
    for (const id of message.references) {
      const container = byId.get(id) ?? make(id)
      if (above !== undefined && container.parent === undefined) attach(above, container)
      above = container
    }
    // Its own references know better than those of others, even when they name nobody or would make a loop.
    if (own.parent !== undefined) detach(own)
    if (above !== undefined) attach(above, own)
  }
  return all.filter((container) => container.parent === undefined)
}

function attach(parent: Container, child: Container): void {
  if (parent === child || isAbove(child, parent)) return
  child.parent = parent
  parent.children.push(child)
}

function detach(child: Container): void {
  const siblings = child.parent?.children
  siblings?.splice(siblings.indexOf(child), 1)
  child.parent = undefined
}

/** True when `upper` is among the ancestors of `lower`. */
function isAbove(upper: Container, lower: Container): boolean {
  // What has no answers yet is above nobody: long threads that come in order cost nothing here.
  if (upper.children.length === 0) return upper === lower
  for (let at: Container | undefined = lower; at !== undefined; at = at.parent) if (at === upper) return true
  return false
}

/** Step 3: containers without a message go; their children take their place, but at the top only a single child does. */
function prune(roots: readonly Container[]): Container[] {
  const order: Container[] = []
  const stack = [...roots]
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    order.push(next)
    pushAll(stack, next.children)
  }
  // From the leaves up, so that each container's children are pruned before it is.
  for (const container of order.reverse()) {
    const kept: Container[] = []
    for (const child of container.children) {
      if (child.message !== undefined) kept.push(child)
      else pushAll(kept, child.children)
    }
    for (const child of kept) child.parent = container
    container.children = kept
  }
  const out: Container[] = []
  for (const root of roots) {
    if (root.message !== undefined || root.children.length > 1) out.push(root)
    else {
      for (const child of root.children) {
        child.parent = undefined
        out.push(child)
      }
    }
  }
  return out
}

/** Step 6: siblings by date, everywhere; deepest first, so that an empty container has the date of its first child. */
function sortSiblings(roots: readonly Container[]): void {
  const order: Container[] = []
  const stack = [...roots]
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    order.push(next)
    pushAll(stack, next.children)
  }
  for (const container of order.reverse()) container.children = sorted(container.children)
}

/** Step 5: threads of the same base subject become one. */
function joinSubjects(roots: readonly Container[]): Container[] {
  const subjects = new Map<Container, { base: string; reply: boolean }>()
  const table = new Map<string, Container>()
  for (const root of roots) {
    const { base, reply } = readSubject((root.message ?? root.children[0]?.message)?.subject ?? '')
    const subject = { base: collate(base), reply }
    subjects.set(root, subject)
    if (subject.base === '') continue
    const known = table.get(subject.base)
    const better =
      known === undefined ||
      (root.message === undefined && known.message !== undefined) ||
      (known.message !== undefined && subjects.get(known)?.reply === true && !reply)
    if (better) table.set(subject.base, root)
  }
  const out = new Set<Container>(roots)
  for (const root of roots) {
    const subject = subjects.get(root)
    const other = subject === undefined || subject.base === '' ? undefined : table.get(subject.base)
    if (subject === undefined || other === undefined || other === root) continue
    out.delete(root)
    if (other.message === undefined && root.message === undefined) pushAll(other.children, root.children)
    else if (other.message === undefined) other.children.push(root)
    else if (subject.reply && subjects.get(other)?.reply !== true) other.children.push(root)
    else {
      const both: Container = { message: undefined, parent: undefined, children: [other, root] }
      out.delete(other)
      out.add(both)
      subjects.set(both, subject)
      table.set(subject.base, both)
    }
  }
  return [...out]
}

/** `(3 6 (4 23)(44 7 96))`: RFC 5256 §4. `number` gives what stands for a message. Deep threads are no matter: nothing recurses. */
export function formatThreads(threads: readonly Thread[], number: (message: ThreadMessage) => number): string {
  const out: string[] = []
  type Task = Thread | ')' | '('
  const stack: Task[] = []
  for (const thread of [...threads].reverse()) stack.push(')', thread, '(')
  let space = false
  for (let task = stack.pop(); task !== undefined; task = stack.pop()) {
    if (task === '(' || task === ')') {
      if (task === '(' && space) out.push(' ')
      out.push(task)
      space = false
      continue
    }
    if (task.message !== undefined) {
      if (space) out.push(' ')
      out.push(String(number(task.message)))
      space = true
    }
    if (task.children.length === 1) stack.push(task.children[0] as Thread)
    else for (const child of [...task.children].reverse()) stack.push(')', child, '(')
  }
  return out.join('')
}
