/** Icons of our own: lines of 1.5 on a field of 20. */
import type { JSX } from 'preact'

const paths = {
  mail: 'M3 5.5h14v9H3zM3.4 6l6.6 5 6.6-5',
  edit: 'M4 16l.8-3.2L13.6 4l2.4 2.4-8.8 8.8zM12 5.6 14.4 8',
  search: 'M9 4a5 5 0 1 1 0 10A5 5 0 0 1 9 4zM12.7 12.7 16.5 16.5',
  settings: 'M3 6h8M15 6h2M3 14h2M9 14h8M13 4v4M7 12v4',
  keyboard: 'M2.5 5.5h15v9h-15zM5.5 8.5h.01M8.5 8.5h.01M11.5 8.5h.01M14.5 8.5h.01M6.5 11.5h7',
  inbox: 'M3 11l2.2-6h9.6L17 11v4.5H3zM3 11h4l1 2h4l1-2h4',
  drafts: 'M5 3h7l3.5 3.5V17H5zM12 3v3.5h3.5M8 10.5h5M8 13.5h3',
  sent: 'M3 10 17 3.5 13 17l-3-5.5zM10 11.5 17 3.5',
  archive: 'M3 4.5h14v3H3zM4.5 7.5V16h11V7.5M8.2 10.5h3.6',
  junk: 'M10 3a7 7 0 1 1 0 14 7 7 0 0 1 0-14zM5.2 5.2l9.6 9.6',
  trash: 'M4 5.5h12M8 5.5V3.5h4v2M5.5 5.5l.8 11h7.4l.8-11M8.5 8.5v5M11.5 8.5v5',
  folder: 'M3 5h5l1.5 2H17v8.5H3z',
  flag: 'M5 17V3.5h9.5L12.5 7l2 3.5H5',
  read: 'M3 8l7-4.5L17 8v8H3zM3.4 8.4 10 12.5l6.6-4.1',
  unread: 'M3 5.5h9M3 5.5v9h14V9M3.4 6 10 11l3-2.2M16 3.5a2 2 0 1 1 0 4 2 2 0 0 1 0-4z',
  receipt: 'M3 6v9h7M3 6h14v4M3.4 6.4 10 11l6.6-4.6M12 14.5l2 2 3.5-4',
  reply: 'M8 5 3.5 9.5 8 14M4 9.5h7a5 5 0 0 1 5 5V16',
  replyAll: 'M10 5 5.5 9.5 10 14M6 9.5h6a4.5 4.5 0 0 1 4.5 4.5v2M6 5 1.5 9.5 6 14',
  forward: 'm12 5 4.5 4.5L12 14M16 9.5H9a5 5 0 0 0-5 5V16',
  move: 'M3 5h5l1.5 2H17v3M3 5v10.5h6M12 14h6M15.5 11.5 18 14l-2.5 2.5',
  more: 'M5 9.6a.4.4 0 1 0 0 .8.4.4 0 1 0 0-.8zM10 9.6a.4.4 0 1 0 0 .8.4.4 0 1 0 0-.8zM15 9.6a.4.4 0 1 0 0 .8.4.4 0 1 0 0-.8z',
  close: 'M5 5l10 10M15 5 5 15',
  back: 'M12 4.5 6.5 10l5.5 5.5',
  down: 'M5 8l5 5 5-5',
  forwardTo: 'M8 5l5 5-5 5',
  attach: 'M14.5 9 9.3 14.2a2.6 2.6 0 0 1-3.7-3.7L11.4 4.7a1.8 1.8 0 0 1 2.6 2.6l-5.6 5.6',
  picture: 'M3 4.5h14v11H3zM3 13l4-4 4 4 2.5-2.5L17 14M13 7.5h.01',
  bold: 'M6.5 4h4.2a2.9 2.9 0 0 1 0 5.8H6.5zM6.5 9.8h5a3 3 0 0 1 0 6.2h-5z',
  italic: 'M8.5 4h6M5.5 16h6M11.5 4l-3 12',
  underline: 'M6 3.5V9a4 4 0 0 0 8 0V3.5M5 16.5h10',
  list: 'M8 5h9M8 10h9M8 15h9M4 5h.01M4 10h.01M4 15h.01',
  numbered: 'M9 5h8M9 10h8M9 15h8M3.5 4 5 3.4V8M3.4 12h2l-2 3.4h2',
  quote: 'M4 5v10M8 6h9M8 10h9M8 14h6',
  link: 'M8.5 11.5a3 3 0 0 0 4.3 0l3-3a3 3 0 0 0-4.3-4.3l-1 1M11.5 8.5a3 3 0 0 0-4.3 0l-3 3a3 3 0 0 0 4.3 4.3l1-1',
  clear: 'M5 4.5h10M10 4.5 8.5 16M4 17 16.5 7',
  clock: 'M10 3a7 7 0 1 1 0 14 7 7 0 0 1 0-14zM10 6.5V10l2.5 1.5',
  print: 'M6 7V3.5h8V7M6 14H3.5V7h13v7H14M6 11.5h8v5H6z',
  download: 'M10 3.5v9M6.5 9 10 12.5 13.5 9M4 16.5h12',
  menu: 'M3 5.5h14M3 10h14M3 14.5h14',
  minimise: 'M5 14h10',
  maximise: 'M4.5 8V4.5H8M12 15.5h3.5V12M4.5 4.5l4 4M15.5 15.5l-4-4',
  restore: 'M8.5 4.5v4h-4M11.5 15.5v-4h4M8.5 8.5l-4-4M11.5 11.5l4 4',
  plus: 'M10 4v12M4 10h12',
  check: 'M4 10.5 8 14.5 16 6',
  tag: 'M3.5 3.5h6l7 7-6 6-7-7zM7 7h.01',
  sweep: 'M12.5 3.5 9 9M6 9h6l2 7.5H3zM7 12v4.5M10 12v4.5',
  ticket: 'M3 6h14v3a1.5 1.5 0 0 0 0 3v3H3v-3a1.5 1.5 0 0 0 0-3zM12 6v9',
  filter: 'M4 6h12M6.5 10h7M8.5 14h3',
  person: 'M10 3.5a3 3 0 1 1 0 6 3 3 0 0 1 0-6zM4 16.5c.6-3 3-4.5 6-4.5s5.4 1.5 6 4.5',
  people:
    'M7.5 4a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5zM2.5 15.5c.5-2.7 2.5-4 5-4s4.5 1.3 5 4M13 4.3a2.3 2.3 0 0 1 0 4.4M14 11.6c1.9.3 3.1 1.6 3.5 3.9',
  signOut: 'M8 4H4v12h4M12 6.5 15.5 10 12 13.5M15 10H7.5',
  undo: 'M7 4.5 3.5 8 7 11.5M4 8h7.5a4 4 0 0 1 0 8H8',
  lock: 'M5 9h10v8H5zM7 9V6.5a3 3 0 0 1 6 0V9M10 12v2',
  refresh: 'M16 10a6 6 0 1 1-1.8-4.3M16 3.5V7h-3.5',
} as const

export type IconName = keyof typeof paths

/** Those that point along the line one reads: from right to left they are turned around. */
const turning: ReadonlySet<string> = new Set([
  'back',
  'forwardTo',
  'reply',
  'replyAll',
  'forward',
  'sent',
  'undo',
  'signOut',
  'list',
  'quote',
])

export const Icon = ({ name, filled = false }: { readonly name: IconName; readonly filled?: boolean }): JSX.Element => (
  <svg class={turning.has(name) ? 'icon turns' : 'icon'} viewBox="0 0 20 20" aria-hidden="true" focusable="false">
    <path d={paths[name]} fill={filled ? 'currentColor' : 'none'} />
  </svg>
)

interface ButtonProps {
  readonly icon: IconName
  readonly label: string
  readonly onClick: (event: MouseEvent) => void
  /** The key that does the same. */
  readonly keyHint?: string | undefined
  readonly pressed?: boolean
  readonly filled?: boolean
  readonly class?: string
  readonly disabled?: boolean
  readonly expanded?: boolean
  readonly tabIndex?: number
}
/** A button of an icon only; its name is told by tooltip and to screen readers. */
export const IconButton = (props: ButtonProps): JSX.Element => (
  <button
    type="button"
    class={`icon-button ${props.class ?? ''}`}
    aria-label={props.label}
    title={props.keyHint === undefined ? props.label : `${props.label} (${props.keyHint})`}
    aria-pressed={props.pressed}
    aria-expanded={props.expanded}
    aria-haspopup={props.expanded === undefined ? undefined : 'menu'}
    disabled={props.disabled}
    tabIndex={props.tabIndex}
    onClick={props.onClick}
  >
    <Icon name={props.icon} filled={props.filled ?? false} />
  </button>
)
