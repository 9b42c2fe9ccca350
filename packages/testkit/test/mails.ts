/** A mail of about `bytes` bytes with a Message-ID of its own. */
export function testMail(options: { from: string; to: string; subject: string; bytes?: number; id?: string }): {
  id: string
  text: string
} {
  const id = options.id ?? `<${crypto.randomUUID()}@outside.example>`
  const head = [
    `From: Someone Outside <${options.from}>`,
    `To: <${options.to}>`,
    `Subject: ${options.subject}`,
    `Date: ${new Date().toUTCString().replace('GMT', '+0000')}`,
    `Message-ID: ${id}`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    '',
    '',
  ].join('\r\n')
  const line = 'The quick brown fox jumps over the lazy dog, again and again.\r\n'
  const fill = Math.max(1, Math.ceil(((options.bytes ?? 1_000) - head.length) / line.length))
  return { id, text: head + line.repeat(fill) }
}
