/** Template: texts to begin a mail with. */
import { collectionMethods } from '../core/collection.ts'
import { invalidProperties } from '../core/error.ts'
import * as s from '../core/shape.ts'

interface Template {
  readonly name: string
  readonly subject: string
  readonly htmlBody: string
}
const MAX_NAME = 200
const MAX_SUBJECT = 998
const MAX_BODY = 256 * 1024
const shape = s.object({ name: s.string, subject: s.optional(s.string, ''), htmlBody: s.optional(s.string, '') })

export const [templateGet, templateChanges, templateSet] = collectionMethods<Template>({
  name: 'Template',
  capability: 'postrider',
  kind: 'template',
  properties: ['name', 'subject', 'htmlBody'],
  most: 200,
  shown: ({ name, subject, htmlBody }) => ({ name, subject, htmlBody }),
  taken(object) {
    const { name, subject, htmlBody } = shape(object, '')
    const wrong = [
      ...(name.trim() === '' || name.length > MAX_NAME ? ['name'] : []),
      ...(subject.length > MAX_SUBJECT ? ['subject'] : []),
      ...(htmlBody.length > MAX_BODY ? ['htmlBody'] : []),
    ]
    if (wrong.length > 0) throw invalidProperties(wrong)
    return { name: name.trim(), subject, htmlBody }
  },
})
