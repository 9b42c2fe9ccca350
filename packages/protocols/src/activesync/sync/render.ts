/** Server commands of one answer as elements, from the steps of its recipe. A bad item is skipped and reported, never blocks. */
import { type DomainCode, type Folder, isDomainError, type Item, type Mid } from '@postrider/domain'
import { type Child, type Element, el } from '@postrider/wire/wbxml'
import type { ContentOptions, ItemClass, StatePart } from '../content.ts'
import type { Context } from '../context.ts'
import { serverId } from '../ids.ts'
import { StatusError } from '../status.ts'
import type { RecipeStep } from './record.ts'

/** What goes wrong with the server and not with the item: the whole answer fails and the client comes again. */
const serverFaults: ReadonlySet<DomainCode> = new Set<DomainCode>([
  'busy',
  'unavailable',
  'moved',
  'mailboxNotFound',
  'accessDenied',
])

/** Renders an item; undefined when it cannot be shown, which is logged and counted. */
export async function renderItem(
  context: Context,
  itemClass: ItemClass,
  item: Item,
  options: ContentOptions,
  part: 'all' | readonly StatePart[],
): Promise<readonly Child[] | undefined> {
  try {
    return await itemClass.render(context, item, options, part)
  } catch (error) {
    if (isDomainError(error) && serverFaults.has(error.code)) throw error
    // 164 and the like are about the request, not about the item.
    if (error instanceof StatusError) throw error
    context.log.error({ err: error, folder: item.folder, mid: item.mid }, 'an item cannot be shown and is skipped')
    context.deps.meter.count('activesync_skipped_items_total', { class: itemClass.name })
    return undefined
  }
}

/** One command of the answer. */
export function stepElement(folder: Folder, step: RecipeStep, data: readonly Child[] | undefined): Element {
  const id = el('AirSync:ServerId', serverId(folder.id, step[1] as Mid))
  switch (step[0]) {
    case 'add':
      return el('AirSync:Add', id, el('AirSync:ApplicationData', ...(data ?? [])))
    case 'change':
      return el('AirSync:Change', id, el('AirSync:ApplicationData', ...(data ?? [])))
    case 'delete':
      return el('AirSync:Delete', id)
    case 'softDelete':
      return el('AirSync:SoftDelete', id)
  }
}

/** Makes the commands of a recipe anew: for an answer that was too large to keep. Items that are gone by now are left out. */
export async function renderSteps(
  context: Context,
  folder: Folder,
  itemClass: ItemClass,
  contentOf: (item: Item) => ContentOptions,
  steps: readonly RecipeStep[],
): Promise<Element[]> {
  const elements: Element[] = []
  for (const step of steps) {
    if (step[0] === 'delete' || step[0] === 'softDelete') {
      elements.push(stepElement(folder, step, undefined))
      continue
    }
    const [item] = await context.mailbox.get({ by: { mids: [step[1] as Mid] }, columns: itemClass.columns })
    if (item === undefined || item.folder !== folder.id) continue
    const part = step[0] === 'change' ? step[2] : 'all'
    const data = await renderItem(context, itemClass, item, contentOf(item), part)
    if (data !== undefined) elements.push(stepElement(folder, step, data))
  }
  return elements
}

/** Roughly the bytes of some content on the wire. */
export function sizeOf(content: readonly Child[]): number {
  let size = 0
  for (const child of content) {
    if (typeof child === 'string') size += child.length + 2
    else if (child instanceof Uint8Array) size += child.length + 4
    else if (Array.isArray(child)) size += sizeOf(child as readonly Child[])
    else if (typeof child === 'object') size += 2 + sizeOf((child as Element).children)
    else size += 4
  }
  return size
}
