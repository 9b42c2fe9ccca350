import assert from 'node:assert/strict'
import { test } from 'node:test'
import { placeOf } from './looking-on.ts'

test('places are shown without names of files, search words and tickets', () => {
  for (const [url, place] of [
    ['/jmap/api', '/jmap/api'],
    ['/jmap/events?types=Email&closeafter=no&ping=300', '/jmap/events?types=Email&closeafter=no&ping=300'],
    ['/jmap/download/A1/B22/salary?type=a', '/jmap/download/A1/B22/(6)?type=(1)'],
    ['/light/folder/M1?page=2&q=hunter2', '/light/folder/M1?page=2&q=(7)'],
    ['/light/mail/E1/salary.pdf', '/light/mail/E1/(10)'],
    ['/mail/', '/mail/'],
    ['/mail/search/hunter2', '/mail/(6)/(7)'],
    ['/mail/body/E1/P2', '/mail/body/E1/P2'],
    ['/web/session?hunter2%20a=1', '/web/session?(9)=(1)'],
    ['//', '(no path)'],
  ] as const)
    assert.equal(placeOf(url), place)
})
