import { workedMs } from '@postrider/testkit/clock'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  COMMAND_NAMES,
  type CommandName,
  type CommandOf,
  formatSection,
  ImapReceiver,
  LIMITS_AFTER_LOGIN,
  MAX_SEARCH_DEPTH,
  type ParsedCommand,
  parseCommand,
} from './index.ts'

function parse(text: string, utf8 = false): ParsedCommand {
  const receiver = new ImapReceiver(LIMITS_AFTER_LOGIN)
  receiver.push(Buffer.from(`a ${text}\r\n`, 'utf8'))
  for (let event = receiver.next(); event !== undefined; event = receiver.next()) {
    if (event.kind === 'message') receiver.accept()
    else if (event.kind === 'command') return parseCommand(event.command, utf8)
    else if (event.kind === 'error') return { ok: false, tag: 'a', text: event.text, code: undefined }
  }
  throw new Error(`no command in ${text}`)
}

function good<Name extends CommandName>(name: Name, text: string, utf8 = false): Omit<CommandOf<Name>, 'name' | 'tag'> {
  const parsed = parse(text, utf8)
  assert.ok(parsed.ok, parsed.ok ? '' : `${text}: ${parsed.text}`)
  assert.equal(parsed.command.name, name)
  const { name: _name, tag: _tag, ...args } = parsed.command
  return args as Omit<CommandOf<Name>, 'name' | 'tag'>
}

function bad(text: string): string {
  const parsed = parse(text)
  assert.ok(!parsed.ok, `${text} should not parse`)
  return parsed.text
}

const ranges = (...numbers: number[]): { kind: 'ranges'; ranges: Uint32Array } => ({
  kind: 'ranges',
  ranges: Uint32Array.from(numbers),
})
const set = ranges(1, 0)

test('RFC 9051 §6.1 and §6.2: commands about the connection', () => {
  for (const name of [
    'CAPABILITY',
    'NOOP',
    'LOGOUT',
    'STARTTLS',
    'IDLE',
    'NAMESPACE',
    'CLOSE',
    'UNSELECT',
    'CHECK',
  ] as const) {
    assert.deepEqual(good(name, name), { uid: false })
    assert.equal(bad(`${name} x`), 'Unexpected arguments')
  }
  assert.deepEqual(good('LOGIN', 'LOGIN bob "pa ss\\"\\\\"'), { uid: false, user: 'bob', password: 'pa ss"\\' })
  assert.deepEqual(good('LOGIN', 'LOGIN rené "é"'), { uid: false, user: 'rené', password: 'é' })
  assert.deepEqual(good('AUTHENTICATE', 'AUTHENTICATE plain'), {
    uid: false,
    mechanism: 'PLAIN',
    initialResponse: undefined,
  })
  assert.equal(good('AUTHENTICATE', 'AUTHENTICATE SCRAM-SHA-256 =').initialResponse, '')
  assert.equal(good('AUTHENTICATE', 'AUTHENTICATE PLAIN AGJvYgBi').initialResponse, 'AGJvYgBi')
  assert.deepEqual(good('ENABLE', 'ENABLE condstore QRESYNC').capabilities, ['CONDSTORE', 'QRESYNC'])
  assert.deepEqual(
    [...good('ID', 'ID ("Name" "x" "os" NIL)').parameters],
    [
      ['name', 'x'],
      ['os', ''],
    ],
  )
  assert.equal(good('ID', 'ID NIL').parameters.size, 0)
  assert.equal(good('ID', 'ID ("__proto__" "x")').parameters.get('__proto__'), 'x')
  bad('ID ("a")')
  assert.equal(good('COMPRESS', 'COMPRESS deflate').algorithm, 'DEFLATE')
})

test('RFC 9051 §6.3: commands about mailboxes', () => {
  assert.deepEqual(good('SELECT', 'SELECT inbox'), {
    uid: false,
    mailbox: 'INBOX',
    condstore: false,
    qresync: undefined,
  })
  assert.equal(good('EXAMINE', 'EXAMINE "Entw&APw-rfe" (CONDSTORE)').mailbox, 'Entwürfe')
  assert.equal(good('SELECT', 'SELECT "Entwürfe"', true).mailbox, 'Entwürfe')
  assert.equal(good('SELECT', 'SELECT A&B').mailbox, 'A&B', 'not modified UTF-7, taken as it stands')
  assert.deepEqual(good('SELECT', 'SELECT x (QRESYNC (67890007 90060115194045000 1:7 (1,3 4,9)))').qresync, {
    uidValidity: 67_890_007,
    modSeq: Number.MAX_SAFE_INTEGER,
    knownUids: ranges(1, 7),
    matchData: { numbers: ranges(1, 1, 3, 3), uids: ranges(4, 4, 9, 9) },
  })
  assert.deepEqual(good('SELECT', 'SELECT x (QRESYNC (1 2 (1 4)))').qresync?.matchData, {
    numbers: ranges(1, 1),
    uids: ranges(4, 4),
  })
  assert.deepEqual(good('CREATE', 'CREATE Drafts (USE (\\Drafts \\Sent))').specialUse, ['drafts', 'sent'])
  assert.deepEqual(good('RENAME', 'RENAME a "b c"'), { uid: false, from: 'a', to: 'b c' })
  assert.deepEqual(good('STATUS', 'STATUS x (messages UIDNEXT MESSAGES)').items, ['MESSAGES', 'UIDNEXT'])
  bad('STATUS x (FOO)')
  bad('STATUS x ()')
  assert.deepEqual(good('LSUB', 'LSUB "" %').pattern, '%')
  assert.deepEqual(good('LIST', 'LIST "" *'), {
    uid: false,
    selection: { subscribed: false, remote: false, recursiveMatch: false, specialUse: false },
    reference: '',
    patterns: ['*'],
    returns: { subscribed: false, children: false, specialUse: false, status: undefined },
    extended: false,
  })
  const extended = good('LIST', 'LIST (SUBSCRIBED RECURSIVEMATCH) "" ("a%" b) RETURN (CHILDREN STATUS (SIZE))')
  assert.deepEqual(extended.patterns, ['a%', 'b'])
  assert.deepEqual(extended.returns.status, ['SIZE'])
  assert.ok(extended.extended && extended.selection.subscribed && extended.returns.children)
  bad('LIST (RECURSIVEMATCH) "" *')
  bad('LIST "" ()')
  assert.deepEqual(good('SETQUOTA', 'SETQUOTA "" (STORAGE 512)').limits, [{ resource: 'STORAGE', limit: 512 }])
})

test('RFC 9051 §6.4.5: FETCH', () => {
  const attributes = (text: string): unknown => good('FETCH', `FETCH 1:* ${text}`).attributes
  assert.deepEqual(attributes('fast'), [{ kind: 'FLAGS' }, { kind: 'INTERNALDATE' }, { kind: 'RFC822.SIZE' }])
  assert.deepEqual(attributes('(UID FLAGS MODSEQ)'), [{ kind: 'UID' }, { kind: 'FLAGS' }, { kind: 'MODSEQ' }])
  assert.deepEqual(attributes('BODY.PEEK[1.2.HEADER.FIELDS (From "To")]<10.20>'), [
    {
      kind: 'BODY[]',
      peek: true,
      section: { part: [1, 2], text: 'HEADER.FIELDS', fields: ['From', 'To'] },
      partial: { offset: 10, length: 20 },
    },
  ])
  assert.deepEqual(attributes('(BINARY.SIZE[1] BINARY.PEEK[2]<0.5> BODY[])'), [
    { kind: 'BINARY.SIZE[]', part: [1] },
    { kind: 'BINARY[]', peek: true, part: [2], partial: { offset: 0, length: 5 } },
    { kind: 'BODY[]', peek: false, section: { part: [], text: '', fields: [] }, partial: undefined },
  ])
  assert.deepEqual(attributes('(PREVIEW (LAZY) PREVIEW EMAILID)'), [
    { kind: 'PREVIEW', lazy: true },
    { kind: 'PREVIEW', lazy: false },
    { kind: 'EMAILID' },
  ])
  const modified = good('FETCH', 'UID FETCH 1:* FLAGS (CHANGEDSINCE 12345 VANISHED)')
  assert.deepEqual([modified.uid, modified.set, modified.changedSince, modified.vanished], [true, set, 12345, true])
  for (const wrong of [
    'BODY[MIME]',
    'BODY[1',
    'BODY[0]',
    'BODY[]<1>',
    'BODY[]<1.0>',
    '()',
    'FOO',
    'BODY[HEADER.FIELDS (a:b)]',
  ]) {
    bad(`FETCH 1 ${wrong}`)
  }
  assert.equal(
    formatSection({ part: [1, 2], text: 'HEADER.FIELDS', fields: ['From', 'a(b'] }),
    '1.2.HEADER.FIELDS (From "a(b")',
  )
  assert.equal(formatSection({ part: [], text: '', fields: [] }), '')
})

test('RFC 9051 §6.4.6 to §6.4.8: STORE, COPY, MOVE, EXPUNGE', () => {
  assert.deepEqual(good('STORE', 'STORE 1:* (UNCHANGEDSINCE 5) +FLAGS.SILENT (\\seen $Forwarded \\Recent)'), {
    uid: false,
    set,
    unchangedSince: 5,
    action: 'add',
    silent: true,
    flags: ['\\Seen', '$Forwarded'],
  })
  assert.deepEqual(good('STORE', 'STORE 1:* FLAGS \\Deleted a').flags, ['\\Deleted', 'a'])
  bad('STORE 1 FLAGS (\\Foo)')
  bad('STORE 1 FLAGS (\\*)')
  assert.deepEqual(good('MOVE', 'UID MOVE $ Trash'), { uid: true, set: { kind: 'saved' }, mailbox: 'Trash' })
  assert.deepEqual(good('EXPUNGE', 'EXPUNGE'), { uid: false, set: undefined })
  assert.deepEqual(good('EXPUNGE', 'UID EXPUNGE 1:*'), { uid: true, set })
  bad('UID EXPUNGE')
  bad('EXPUNGE 1')
  bad('UID NOOP')
  const replace = good('REPLACE', 'UID REPLACE 4 Drafts (\\Draft) {1+}\r\nx')
  assert.deepEqual([replace.set, replace.mailbox, replace.message.flags], [ranges(4, 4), 'Drafts', ['\\Draft']])
  assert.ok(good('APPEND', 'APPEND x UTF8 (~{1+}\r\nx)').messages[0]?.utf8)
  bad('APPEND x')
  bad('APPEND x ')
})

test('RFC 9051 §6.4.4: SEARCH programs', () => {
  const key = (text: string): unknown => good('SEARCH', `SEARCH ${text}`).key
  assert.deepEqual(key('UNSEEN 1:* UID 4'), {
    kind: 'and',
    keys: [
      { kind: 'flag', flag: '\\Seen', present: false },
      { kind: 'set', uid: false, set },
      { kind: 'set', uid: true, set: ranges(4, 4) },
    ],
  })
  assert.deepEqual(key('OR (FROM a) NOT TO "b c"'), {
    kind: 'or',
    left: { kind: 'from', value: 'a' },
    right: { kind: 'not', key: { kind: 'to', value: 'b c' } },
  })
  assert.deepEqual(key('CHARSET UTF-8 SUBJECT {6+}\r\nä€x'), { kind: 'subject', value: 'ä€x' })
  assert.deepEqual(key('SENTSINCE 1-Jan-1970'), { kind: 'date', date: 'sent', compare: 'since', day: 0 })
  assert.deepEqual(key('ON "2-Feb-1970"'), { kind: 'date', date: 'internal', compare: 'on', day: 32 })
  assert.deepEqual(key('MODSEQ "/flags/\\\\draft" all 620162338'), { kind: 'modseq', value: 620_162_338 })
  assert.deepEqual(key('YOUNGER 60'), { kind: 'age', compare: 'younger', seconds: 60 })
  assert.deepEqual(key('HEADER Message-ID ""'), { kind: 'header', field: 'Message-ID', value: '' })
  assert.deepEqual(key('$'), { kind: 'set', uid: false, set: { kind: 'saved' } })
  assert.deepEqual(good('SEARCH', 'SEARCH RETURN () ALL').returns, {
    min: false,
    max: false,
    all: true,
    count: false,
    save: false,
  })
  assert.deepEqual(good('SEARCH', 'SEARCH RETURN (SAVE MIN) ALL').returns, {
    min: true,
    max: false,
    all: false,
    count: false,
    save: true,
  })
  bad('SEARCH')
  bad('SEARCH FOO')
  bad('SEARCH ON 31-Feb-2020')
  const charset = parse('SEARCH CHARSET KOI8-R TEXT x')
  assert.ok(!charset.ok && charset.code === 'BADCHARSET')
})

test('RFC 5256, RFC 5957: SORT and THREAD', () => {
  assert.deepEqual(good('SORT', 'UID SORT (REVERSE DATE DISPLAYFROM) UTF-8 ALL'), {
    uid: true,
    returns: undefined,
    criteria: [
      { key: 'DATE', reverse: true },
      { key: 'DISPLAYFROM', reverse: false },
    ],
    key: { kind: 'all' },
  })
  assert.ok(good('SORT', 'SORT RETURN (COUNT) (DATE) UTF-8 ALL').returns?.count)
  assert.equal(good('THREAD', 'THREAD references US-ASCII ALL').algorithm, 'REFERENCES')
  bad('SORT (FOO) UTF-8 ALL')
  bad('SORT () UTF-8 ALL')
})

test('P2: nesting, list and set limits are errors, in linear time', () => {
  const depth = 30_000
  assert.match(bad(`SEARCH ${'('.repeat(depth)}ALL${')'.repeat(depth)}`), /deep/)
  assert.match(bad(`SEARCH ${'NOT '.repeat(16_000)}ALL`), /deep/)
  assert.match(bad(`SEARCH ${'OR '.repeat(20_000)}ALL`), /deep/)
  good('SEARCH', `SEARCH ${'OR FROM a '.repeat(MAX_SEARCH_DEPTH - 2)}FROM b`)
  assert.match(bad(`SEARCH ${'ALL '.repeat(16_000)}ALL`), /long/)
  assert.match(bad(`STORE 1 FLAGS (${'a '.repeat(30_000)}b)`), /many/)
  assert.match(bad(`FETCH 1 (${'('.repeat(60_000)}`), /expected/)
  assert.match(bad(`FETCH ${'1,'.repeat(32_768)}1 FLAGS`), /line too long|message set/i)
  assert.match(bad(`FETCH 1 BODY[${'1.'.repeat(30_000)}1]`), /deep/)
  const started = workedMs()
  bad(`ID (${'"" '.repeat(20_000)}`)
  bad(`LIST "" (${'"a" '.repeat(16_000)}`)
  bad(`LOGIN "${'\\"'.repeat(30_000)}`)
  assert.ok(workedMs() - started < 200)
})

const words = fc.constantFrom(
  ...COMMAND_NAMES,
  'UID',
  '1:*',
  '(',
  ')',
  '$',
  'RETURN',
  'BODY[',
  ']',
  'HEADER.FIELDS',
  '"x"',
  '\\Seen',
  'NIL',
  'OR',
  'NOT',
  'CHARSET',
  'UTF-8',
  '{2+}\r\nab',
  '<0.1>',
)

test('P5: grammar words in any order are a command or an error, never an exception', () => {
  fc.assert(
    fc.property(fc.constantFrom(...COMMAND_NAMES), fc.array(words, { maxLength: 12 }), (name, rest) => {
      parse(`${name} ${rest.join(' ')}`)
    }),
    { numRuns: 2000 },
  )
})
