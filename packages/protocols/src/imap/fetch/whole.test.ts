import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Client, mail, openRoom } from '../test/room.ts'

const MAILS = 150

/** The answers of a FETCH, one for each message, in the order of their numbers; the partial form looks like the whole one. */
async function answers(client: Client, question: string): Promise<string[]> {
  client.send(`f ${question}\r\n`)
  const isThere = (): boolean => /(?:^|\r\n)f [A-Z]+ [^\r]*\r\n$/.test(client.received.toString('latin1').slice(-200))
  while (!isThere()) await client.more()
  const text = client.received.toString('latin1').replaceAll('BODY[]<0>', 'BODY[]')
  client.received = Buffer.alloc(0)
  const found: string[] = []
  for (let at = 0; text.startsWith('* ', at); ) {
    const [head = '', size] = /[^\r]*?(?:\{(\d+)\})?\r\n/y.exec(text.slice(at)) ?? []
    const end = size === undefined ? at + head.length : text.indexOf('\r\n', at + head.length + Number(size)) + 2
    found.push(text.slice(at, end))
    at = end
  }
  assert.match(text, /f OK [^\r]*\r\n$/)
  const numberOf = (answer: string): number => Number(answer.split(' ')[1])
  return found.sort((a, b) => numberOf(a) - numberOf(b))
}

test('whole messages are the same read together and one by one: small and large, with NUL, gone, marked', async (t) => {
  const room = await openRoom()
  t.after(() => room.close())
  for (let i = 1; i <= MAILS; i++) {
    const line = `${i} ${'x'.repeat(60)}\r\n`
    const body = i % 40 === 7 ? line.repeat(1_500) : line.repeat((i * 37) % 300)
    await room.deliver(mail(`subject ${i}`, {}, i % 50 === 3 ? `${body}\0\0${line}` : body), {
      seen: i % 3 === 0,
      keywords: i % 60 === 1 ? ['$label'] : [],
    })
  }
  const client = await room.login()
  await client.command('SELECT INBOX')
  await client.command('UID STORE 5,64:66 +FLAGS.SILENT (\\Deleted)')
  await client.command('EXPUNGE')
  for (const attributes of ['', 'FLAGS ', 'RFC822.SIZE INTERNALDATE ']) {
    const together = await answers(client, `UID FETCH 1:* (${attributes}BODY.PEEK[])`)
    const single = await answers(client, `UID FETCH 1:* (${attributes}BODY.PEEK[]<0.9999999>)`)
    assert.equal(together.length, MAILS - 4)
    assert.deepEqual(together, single)
    assert.deepEqual(await answers(client, `FETCH 4:6,70 (UID ${attributes}BODY.PEEK[])`), [
      ...single.slice(3, 6),
      single[69],
    ])
  }
  assert.equal((await answers(client, 'UID FETCH 7 (BODY.PEEK[])')).length, 1)
  // Another session takes one away: nobody finds it any more, and the others are still there.
  const other = await room.login()
  await other.command('SELECT INBOX')
  await other.command('UID STORE 20 +FLAGS.SILENT (\\Deleted)')
  await other.command('EXPUNGE')
  assert.equal(
    (await answers(client, 'UID FETCH 18:22 (BODY.PEEK[])')).filter((one) => one.includes('BODY[]')).length,
    4,
  )
})

test('what cannot be read together is read one by one', async (t) => {
  const room = await openRoom()
  t.after(() => room.close())
  for (let i = 1; i <= 5; i++) await room.deliver(mail(`subject ${i}`))
  const client = await room.login()
  await client.command('SELECT INBOX')
  const expected = await answers(client, 'FETCH 1:* (BODY.PEEK[])')
  room.store.originals = () => Promise.reject(new Error('a damaged record'))
  assert.deepEqual(await answers(client, 'FETCH 1:* (BODY.PEEK[])'), expected)
})
