/**
 * Named properties the product itself uses, with fixed property ids from 0x8001 in every mailbox, so that code and bags need no look-up
 * ([MS-OXPROPS] names; [MS-OXCPRPT] §2.2.12 lets the server choose the numbers). Names of clients' own are numbered from 0x9000 by the
 * mailbox as they appear.
 */
export interface NamedProperty {
  readonly name: string
  readonly guid: string
  readonly lid?: number
  readonly string?: string
  readonly tag: number
}
const PS_PUBLIC_STRINGS = '00020329-0000-0000-c000-000000000046'
const PSETID_COMMON = '00062008-0000-0000-c000-000000000046'
/** Properties nobody else has. */
const PS_POSTRIDER = '5f1b1c66-54a4-4b4e-9d0e-6f0a7c1f2e10'
const PSETID_TASK = '00062003-0000-0000-c000-000000000046'

const lid = (name: string, guid: string, number: number, tag: number): NamedProperty => ({
  name,
  guid,
  lid: number,
  tag,
})

export const namedProperties = {
  /** Categories, one string each. */
  keywords: { name: 'PidNameKeywords', guid: PS_PUBLIC_STRINGS, string: 'Keywords', tag: 0x8001_101f },
  flagRequest: lid('PidLidFlagRequest', PSETID_COMMON, 0x8530, 0x8002_001f),
  reminderSet: lid('PidLidReminderSet', PSETID_COMMON, 0x8503, 0x8003_000b),
  reminderTime: lid('PidLidReminderTime', PSETID_COMMON, 0x8502, 0x8004_0040),
  commonStart: lid('PidLidCommonStart', PSETID_COMMON, 0x8516, 0x8005_0040),
  commonEnd: lid('PidLidCommonEnd', PSETID_COMMON, 0x8517, 0x8006_0040),
  taskStartDate: lid('PidLidTaskStartDate', PSETID_TASK, 0x8104, 0x8007_0040),
  taskDueDate: lid('PidLidTaskDueDate', PSETID_TASK, 0x8105, 0x8008_0040),
  taskDateCompleted: lid('PidLidTaskDateCompleted', PSETID_TASK, 0x810f, 0x8009_0040),
  taskComplete: lid('PidLidTaskComplete', PSETID_TASK, 0x811c, 0x800a_000b),
  ordinalDate: lid('PidLidToDoOrdinalDate', PSETID_COMMON, 0x85a0, 0x800b_0040),
  subOrdinalDate: lid('PidLidToDoSubOrdinal', PSETID_COMMON, 0x85a1, 0x800c_001f),
  toDoTitle: lid('PidLidToDoTitle', PSETID_COMMON, 0x85a4, 0x800d_001f),
  /** Focused (0) or Other (1). */
  inference: {
    name: 'InferenceClassificationResult',
    guid: '23239608-685d-4732-9c55-4c95cb4e8e33',
    string: 'InferenceClassificationResult',
    tag: 0x800e_0003,
  },
  /** A snoozed mail: when it comes back, and the folder it comes back to. */
  snoozedUntil: { name: 'SnoozedUntil', guid: PS_POSTRIDER, string: 'SnoozedUntil', tag: 0x800f_0040 },
  snoozedFrom: { name: 'SnoozedFrom', guid: PS_POSTRIDER, string: 'SnoozedFrom', tag: 0x8010_001f },
} as const satisfies Record<string, NamedProperty>
