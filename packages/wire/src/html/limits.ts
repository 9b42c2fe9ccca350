/** Every limit of the sanitiser. What lies beyond is left out and `cut` says so; nothing beyond is an error. */

/** Characters of HTML that are read. */
export const MAX_HTML = 8 * 1024 * 1024
/** Elements open at the same time; deeper tags are left out, their text stays. */
export const MAX_DEPTH = 128
/** Attributes of one tag that are read. */
export const MAX_ATTRIBUTES = 64
/** Characters of one attribute. */
export const MAX_ATTRIBUTE = 8_192
/** Characters of one address of a link or picture. */
export const MAX_URL = 4_096
/** Characters of one picture inside of the mail's HTML (`data:`). */
export const MAX_DATA_URL = 3 * 1024 * 1024
/** Remote pictures of one mail. */
export const MAX_REMOTE = 2_000
/** Characters of all style sheets of one mail, and of one style attribute. */
export const MAX_STYLE_SHEETS = 512 * 1024
export const MAX_STYLE = 4_096
/** Rules of all style sheets of one mail. */
export const MAX_RULES = 5_000
/** Characters of one value of a declaration. */
export const MAX_VALUE = 1_024
/** Depth of `>` in plain text that is shown as quotes. */
export const MAX_QUOTES = 20
