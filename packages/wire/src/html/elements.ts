/** What elements of HTML may stay, and what the others mean for their content. HTML Living Standard §4, §13.2.6. */

const names = (text: string): string[] => text.split(' ')

/** Kept. Nothing here loads, runs, frames, submits or changes how what follows is parsed. */
export const KEPT: ReadonlySet<string> = new Set(
  names(
    'a abbr acronym address article aside b bdi bdo big blockquote br caption center cite code col colgroup dd del details dfn dir div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main mark menu nav ol p pre q rp rt ruby s samp section small span strike strong sub summary sup table tbody td tfoot th thead time tr tt u ul var wbr',
  ),
)
export const VOID: ReadonlySet<string> = new Set(names('br col hr img wbr'))

/** Their text is no markup (§13.2.6.2): it ends at their own end tag, whatever stands in it, and is never shown. */
export const RAW: ReadonlySet<string> = new Set(
  names('script style xmp iframe noembed noframes textarea title plaintext'),
)

/** Left out with all that is in them, to the end tag that matches. Foreign content above all: its rules of parsing are other ones. */
export const DROPPED: ReadonlySet<string> = new Set(
  names('svg math template select object applet audio video canvas map frameset'),
)
/** Of these `<x/>` has no content. */
export const FOREIGN: ReadonlySet<string> = new Set(['svg', 'math'])

/** A start tag ends these when one is open, as far as the barrier: §13.2.6.4.7 ff. */
export const ENDS: ReadonlyMap<string, { readonly open: ReadonlySet<string>; readonly barrier: ReadonlySet<string> }> =
  new Map(
    (
      [
        ['li', 'li', 'ul ol menu dir td th table blockquote div'],
        ['dt', 'dt dd', 'dl td th table'],
        ['dd', 'dt dd', 'dl td th table'],
        ['td', 'td th', 'table'],
        ['th', 'td th', 'table'],
        ['tr', 'tr td th', 'table'],
        ['tbody', 'tbody thead tfoot tr td th caption colgroup', 'table'],
        ['thead', 'tbody thead tfoot tr td th caption colgroup', 'table'],
        ['tfoot', 'tbody thead tfoot tr td th caption colgroup', 'table'],
        ['a', 'a', 'td th table'],
      ] as const
    ).map(([name, open, barrier]) => [name, { open: new Set(names(open)), barrier: new Set(names(barrier)) }]),
  )

/** A paragraph ends where one of these begins. */
export const ENDS_PARAGRAPH: ReadonlySet<string> = new Set(
  names(
    'address article aside blockquote center details div dl figure footer h1 h2 h3 h4 h5 h6 header hr main menu nav ol p pre section table ul',
  ),
)

/** An end tag does not reach out of these unless it is one of a table's. */
export const CELLS: ReadonlySet<string> = new Set(names('td th caption table'))
export const TABLE_PARTS: ReadonlySet<string> = new Set(names('table tbody thead tfoot tr td th caption colgroup'))
