/**
 * IMAP over the memory store on a pretended connection: what the session itself costs, without TLS, socket and disk. Run:
 * `node packages/protocols/bench/imap.bench.ts`. Compare with mail-protocols.md §4 (Dovecot 2.3: FETCH 1:* (UID FLAGS) of 10,000 5.7 to
 * 13 ms, SELECT 3.7 to 10 ms, ENVELOPE warm 103 ms, BODYSTRUCTURE 17 ms, 13 header fields 77 ms).
 */
import { mailItem } from '@postrider/domain'
import { mail, openRoom } from '../src/imap/test/room.ts'

const COUNT = 10_000
const room = await openRoom()
const folders = await room.store.folders(room.bob.mailbox)
const inbox = folders.find((one) => one.role === 'inbox')!
for (let i = 0; i < COUNT; i += 500) {
  await room.store.apply(
    room.bob.mailbox,
    Array.from({ length: 500 }, (_, k) => ({
      op: 'add' as const,
      folder: inbox.id,
      item: mailItem(
        Buffer.from(mail(`Message ${i + k}`, { References: `<Message${i + k - 1}@example.net>` }, 'x'.repeat(2000))),
        {
          received: Date.now(),
          flags: (i + k) % 3,
        },
      ),
    })),
  )
}
const client = await room.login()
/** Answers are dropped: collecting them would be what is measured. */
async function timed(name: string, command: string, runs = 5): Promise<void> {
  const times: number[] = []
  let bytes = 0
  for (let run = 0; run < runs; run++) {
    bytes = 0
    let tail = ''
    const tag = `x${run}`
    const done = new Promise<void>((resolve) => {
      client.write = (chunk) => {
        bytes += chunk.length
        tail = (tail + Buffer.from((chunk as Uint8Array).slice(-200)).toString('latin1')).slice(-200)
        if (new RegExp(`^${tag} (OK|NO|BAD)`, 'm').test(tail)) resolve()
        return true
      }
    })
    const started = performance.now()
    client.send(`${tag} ${command}\r\n`)
    await done
    times.push(performance.now() - started)
  }
  times.sort((a, b) => a - b)
  console.log(
    `${name.padEnd(44)} ${times[0]!.toFixed(1).padStart(8)} ms best ${times[times.length >> 1]!.toFixed(1).padStart(8)} ms median ${bytes} bytes`,
  )
}
await timed('SELECT', 'SELECT INBOX')
await timed('FETCH 1:* (FLAGS)', 'FETCH 1:* (FLAGS)')
await timed('FETCH 1:* (UID FLAGS)', 'FETCH 1:* (UID FLAGS)')
await timed('UID FETCH 1:* (FLAGS INTERNALDATE SIZE MODSEQ)', 'UID FETCH 1:* (FLAGS INTERNALDATE RFC822.SIZE MODSEQ)')
await timed('FETCH 1:* (ENVELOPE)', 'FETCH 1:* (ENVELOPE)')
await timed('FETCH 1:* (BODYSTRUCTURE)', 'FETCH 1:* (BODYSTRUCTURE)')
await timed(
  'UID FETCH 1:* 13 header fields',
  'UID FETCH 1:* (UID RFC822.SIZE FLAGS BODY.PEEK[HEADER.FIELDS (From To Cc Bcc Subject Date Message-ID Priority X-Priority References Newsgroups In-Reply-To Content-Type)])',
)
await timed('FETCH 1:* (BODY.PEEK[])', 'FETCH 1:* (BODY.PEEK[])')
await timed('SEARCH UNSEEN', 'SEARCH UNSEEN')
await timed('UID SEARCH 1:* NOT DELETED', 'UID SEARCH 1:* NOT DELETED')
await timed('SORT (DATE)', 'SORT (DATE) UTF-8 ALL', 3)
await timed('SORT (SUBJECT)', 'SORT (SUBJECT) UTF-8 ALL', 3)
await timed('THREAD REFERENCES', 'THREAD REFERENCES UTF-8 ALL', 3)
await timed('STORE 1:* +FLAGS (\\Flagged)', 'STORE 1:* +FLAGS (\\Flagged)', 1)
await timed('NOOP', 'NOOP', 50)
await room.close()
