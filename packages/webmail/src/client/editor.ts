/** The editor of texts: Squire, with our allow-list as its sanitiser and our Trusted Types policy. Loaded with the first window of writing. */
import Squire from 'squire-rte'
import { clean } from './mail/sanitise.ts'
import { trusted } from './mail/trusted.ts'

export class Editor extends Squire {
  constructor(root: HTMLElement) {
    super(root, {
      blockTag: 'DIV',
      sanitizeToDOMFragment: (html) => document.importNode(clean(html, { forEditor: true }), true),
    })
  }
  /** Undo puts back what stood in the editor before: cleaned when it came in. */
  override _setRawHTML(html: string): this {
    super._setRawHTML(trusted(html))
    return this
  }
}
