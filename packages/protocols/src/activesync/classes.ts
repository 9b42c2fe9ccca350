/** Which item class a folder's items have; undefined for classes this server does not keep yet. */
import type { Folder } from '@postrider/domain'
import type { ItemClass } from './content.ts'
import { classNameOf, type ItemClassName } from './folders.ts'
import { emailClass } from './items/email.ts'

const classes: Readonly<Partial<Record<ItemClassName, ItemClass>>> = { Email: emailClass }

export const itemClassOf = (folder: Folder): ItemClass | undefined => classes[classNameOf(folder)]
