/** email:InternetCPID: the Windows code page of a charset name ([MS-ASEMAIL] §2.2.2.40). */

const codePages: ReadonlyMap<string, number> = new Map([
  ['us-ascii', 20127],
  ['ascii', 20127],
  ['utf-8', 65001],
  ['utf8', 65001],
  ['utf-7', 65000],
  ['utf-16', 1200],
  ['utf-16le', 1200],
  ['utf-16be', 1201],
  ['big5', 950],
  ['big5-hkscs', 950],
  ['gb2312', 936],
  ['gbk', 936],
  ['gb18030', 54936],
  ['hz-gb-2312', 52936],
  ['shift_jis', 932],
  ['sjis', 932],
  ['windows-31j', 932],
  ['iso-2022-jp', 50220],
  ['euc-jp', 51932],
  ['euc-kr', 51949],
  ['ks_c_5601-1987', 949],
  ['iso-2022-kr', 50225],
  ['koi8-r', 20866],
  ['koi8-u', 21866],
  ['macintosh', 10000],
  ['cp437', 437],
  ['cp850', 850],
  ['cp852', 852],
  ['cp866', 866],
  ['ibm866', 866],
])

/** UTF-8 where the name is unknown: that is what the body is delivered in. */
const DEFAULT = 65001

/** The code page number of a charset; of US-ASCII when there is none (RFC 2045 §5.2). */
export function codePage(charset: string | undefined): number {
  if (charset === undefined) return 20127
  const name = charset.trim().toLowerCase()
  const known = codePages.get(name)
  if (known !== undefined) return known
  const latin = /^iso[-_]?8859[-_](\d{1,2})(?:-[ie])?$/.exec(name)
  if (latin !== null) return 28590 + Number(latin[1])
  const windows = /^(?:windows|win|cp)[-_]?(125\d|874)$/.exec(name)
  return windows === null ? DEFAULT : Number(windows[1])
}
