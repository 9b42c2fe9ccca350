import type { Column, ItemColumn } from '@postrider/domain'
import { type FetchAttribute, formatSection, type Partial, type Section } from '@postrider/wire/imap'
import { type FieldSelection, selectFields } from '@postrider/wire/mime'

/** One thing to write for each message. */
export type Step =
  | { readonly kind: 'column'; readonly name: ColumnAttribute }
  | {
      readonly kind: 'prepared'
      readonly name: 'ENVELOPE' | 'BODY' | 'BODYSTRUCTURE' | 'PREVIEW' | 'THREADID' | 'SAVEDATE'
    }
  | {
      readonly kind: 'content'
      /** `BODY[HEADER.FIELDS (From)]<0> `, ready to be sent. */
      readonly label: string
      readonly section: Section
      readonly partial: Partial | undefined
      /** Prepared once for all messages, where the section names fields. */
      readonly fields: FieldSelection | undefined
    }
  | {
      readonly kind: 'binary'
      readonly label: string
      readonly part: readonly number[]
      readonly partial: Partial | undefined
    }
  | { readonly kind: 'binarySize'; readonly label: string; readonly part: readonly number[] }

/** Attributes that packed columns answer: no item is opened for them. */
export type ColumnAttribute = 'UID' | 'FLAGS' | 'MODSEQ' | 'INTERNALDATE' | 'RFC822.SIZE' | 'EMAILID'
const columnOf: { readonly [A in ColumnAttribute]: readonly Column[] } = {
  UID: ['uid'],
  FLAGS: ['flags', 'keywords'],
  MODSEQ: ['change'],
  INTERNALDATE: ['received'],
  'RFC822.SIZE': ['size'],
  EMAILID: ['itemId'],
}

/** What a FETCH has to do, worked out once. */
export interface FetchPlan {
  readonly steps: readonly Step[]
  /** All steps are columns. */
  readonly columnsOnly: boolean
  readonly columns: readonly Column[]
  readonly itemColumns: readonly ItemColumn[]
  /** What is not a column is a text that never changes for a message: a prepared answer, or header fields the index keeps. */
  readonly textsOnly: boolean
  /** Whole messages are asked for, without marking them, and of the messages nothing else but columns. */
  readonly wholeOnly: boolean
  /** Something is read without PEEK: the messages become \Seen. */
  readonly marksSeen: boolean
}

/** Turns the attributes asked for into steps. `extra` come first (UID of a UID FETCH) unless they were asked for. */
export function planFetch(attributes: readonly FetchAttribute[], extra: readonly ColumnAttribute[]): FetchPlan {
  const steps: Step[] = []
  const seen = new Set<string>()
  const add = (step: Step): void => {
    const key = 'label' in step ? step.label : step.name
    if (seen.has(key)) return
    seen.add(key)
    steps.push(step)
  }
  for (const name of extra) add({ kind: 'column', name })
  let marksSeen = false
  for (const attribute of attributes) {
    add(stepOf(attribute))
    marksSeen ||= reads(attribute)
  }
  // Where the original lies is always asked for: an item without one is made into a message first.
  const itemColumns = new Set<ItemColumn>(['original'])
  const columns = new Set<Column>(['uid'])
  for (const step of steps) {
    if (step.kind === 'column') for (const column of columnOf[step.name]) columns.add(column)
    else if (step.kind === 'prepared') {
      if (step.name === 'THREADID') itemColumns.add('promoted')
      else if (step.name !== 'SAVEDATE') itemColumns.add('index')
    } else if (step.kind !== 'content' || step.section.part.length > 0 || step.section.text !== '') {
      itemColumns.add('index')
    }
  }
  return {
    steps,
    columnsOnly: steps.every(
      (step) => step.kind === 'column' || (step.kind === 'prepared' && step.name === 'SAVEDATE'),
    ),
    textsOnly: !marksSeen && steps.every((step) => step.kind === 'column' || isText(step) || isSaveDate(step)),
    wholeOnly: !marksSeen && steps.some(isWhole) && steps.every((step) => step.kind === 'column' || isWhole(step)),
    columns: [...columns],
    itemColumns: [...itemColumns],
    marksSeen,
  }
}

const isWhole = (step: Step): boolean =>
  step.kind === 'content' && step.section.part.length === 0 && step.section.text === '' && step.partial === undefined

const isSaveDate = (step: Step): boolean => step.kind === 'prepared' && step.name === 'SAVEDATE'

/** A step whose answer can be kept ready: see pictures/texts.ts. */
export type TextStep = Extract<Step, { kind: 'prepared' | 'content' }>

export function isText(step: Step): step is TextStep {
  if (step.kind === 'prepared') return step.name !== 'THREADID' && step.name !== 'SAVEDATE'
  return step.kind === 'content' && step.fields?.mask !== undefined && step.partial === undefined
}

/** RFC 9051 §6.4.5: reading a body without PEEK sets \Seen. */
function reads(attribute: FetchAttribute): boolean {
  if (attribute.kind === 'BODY[]' || attribute.kind === 'BINARY[]') return !attribute.peek
  return attribute.kind === 'RFC822' || attribute.kind === 'RFC822.TEXT'
}

const whole: Section = { part: [], text: '', fields: [] }

function stepOf(attribute: FetchAttribute): Step {
  switch (attribute.kind) {
    case 'RFC822':
      return { kind: 'content', label: 'RFC822 ', section: whole, partial: undefined, fields: undefined }
    case 'RFC822.HEADER':
      return content('RFC822.HEADER ', { ...whole, text: 'HEADER' }, undefined)
    case 'RFC822.TEXT':
      return content('RFC822.TEXT ', { ...whole, text: 'TEXT' }, undefined)
    case 'BODY[]': {
      const { section, partial } = attribute
      return content(`BODY[${formatSection(section)}]${origin(partial)} `, section, partial)
    }
    case 'BINARY[]': {
      const { part, partial } = attribute
      return { kind: 'binary', label: `BINARY[${part.join('.')}]${origin(partial)} `, part, partial }
    }
    case 'BINARY.SIZE[]':
      return { kind: 'binarySize', label: `BINARY.SIZE[${attribute.part.join('.')}] `, part: attribute.part }
    case 'ENVELOPE':
    case 'BODY':
    case 'BODYSTRUCTURE':
    case 'PREVIEW':
    case 'THREADID':
    case 'SAVEDATE':
      return { kind: 'prepared', name: attribute.kind }
    default:
      return { kind: 'column', name: attribute.kind }
  }
}

function content(label: string, section: Section, partial: Partial | undefined): Step {
  const fields =
    section.text === 'HEADER.FIELDS' && section.part.length === 0 ? selectFields(section.fields) : undefined
  return { kind: 'content', label, section, partial, fields }
}

/** A partial answer names where it begins: RFC 9051 §7.5.2. */
function origin(partial: Partial | undefined): string {
  return partial === undefined ? '' : `<${partial.offset}>`
}
