/** The Email class: [MS-ASEMAIL]. What sync/ and the commands use of this folder. */
import type { ItemClass } from '../content.ts'
import { addEmail, changeEmail } from './email-change.ts'
import { changedParts, marks } from './marks.ts'
import { emailColumns, renderEmail } from './render.ts'

export const emailClass: ItemClass = {
  name: 'Email',
  columns: emailColumns,
  render: (context, item, options, part) => renderEmail(context, item, options, part),
  marks,
  changedParts,
  add: addEmail,
  change: changeEmail,
}
