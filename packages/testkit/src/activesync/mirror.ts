/**
 * What a phone has of its collections, kept as the documents tell it to: Add, Change, Delete and SoftDelete in the order
 * they come. What no good server sends (a Delete of an unknown item, an Add of a known one) is noted as a violation.
 */
import { children, type Element, isElement, ownText, type Tag, text } from '@postrider/wire/wbxml'

export interface MirrorItem {
  readonly serverId: string
  /** The children of ApplicationData by tag; a Change replaces those it names. */
  readonly properties: Map<Tag, Element>
}

export class Mirror {
  readonly collections = new Map<string, Map<string, MirrorItem>>()
  readonly violations: string[] = []

  items(collectionId: string): Map<string, MirrorItem> {
    let items = this.collections.get(collectionId)
    if (items === undefined) {
      items = new Map()
      this.collections.set(collectionId, items)
    }
    return items
  }

  /** The text of one property of one item. */
  value(collectionId: string, serverId: string, tag: Tag): string | undefined {
    const property = this.items(collectionId).get(serverId)?.properties.get(tag)
    return property === undefined ? undefined : ownText(property)
  }

  /** All values of one property in a collection, sorted: handy to compare with the server. */
  values(collectionId: string, tag: Tag): string[] {
    return [...this.items(collectionId).keys()].map((id) => this.value(collectionId, id, tag) ?? '').sort()
  }

  /** The ServerId of the item with this Subject. */
  bySubject(collectionId: string, subject: string): string {
    for (const id of this.items(collectionId).keys()) {
      if (this.value(collectionId, id, 'Email:Subject') === subject) return id
    }
    throw new Error(`no item with the subject ${subject} in ${collectionId}`)
  }

  /** Carries out the Commands of an answer. */
  apply(collectionId: string, commands: Element | undefined): void {
    const items = this.items(collectionId)
    for (const command of children(commands)) {
      const serverId = text(command, 'AirSync:ServerId') ?? ''
      const known = items.get(serverId)
      switch (command.tag) {
        case 'AirSync:Add':
          if (known !== undefined) this.violations.push(`Add of known ${serverId}`)
          items.set(serverId, { serverId, properties: propertiesOf(command) })
          break
        case 'AirSync:Change':
          if (known === undefined) this.violations.push(`Change of unknown ${serverId}`)
          else for (const [tag, element] of propertiesOf(command)) known.properties.set(tag, element)
          break
        case 'AirSync:Delete':
        case 'AirSync:SoftDelete':
          if (!items.delete(serverId)) this.violations.push(`${command.tag} of unknown ${serverId}`)
          break
        default:
          this.violations.push(`unexpected ${command.tag}`)
      }
    }
  }
}

function propertiesOf(command: Element): Map<Tag, Element> {
  const properties = new Map<Tag, Element>()
  for (const data of children(command, 'AirSync:ApplicationData')) {
    for (const property of data.children) if (isElement(property)) properties.set(property.tag, property)
  }
  return properties
}
