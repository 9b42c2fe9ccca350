// What a benchmark has in every page it opens: probes that see what is painted. Called by harness/browser.ts.
;(() => {
  /** Calls back when the frame in which `there` was true has been painted. */
  const whenPainted = (there) =>
    new Promise((resolve) => {
      const look = () => {
        if (!there()) return requestAnimationFrame(look)
        const painted = new MessageChannel()
        painted.port1.onmessage = () => resolve(performance.now())
        painted.port2.postMessage(0)
      }
      requestAnimationFrame(look)
    })

  /** The element itself, and the documents of the frame that it is or of those that lie in it. */
  const textsOf = (one) => {
    const frames = one.localName === 'iframe' ? [one] : [...one.querySelectorAll('iframe')]
    return [one.textContent, ...frames.map((frame) => frame.contentDocument?.body?.textContent ?? '')]
  }
  /** Whether the text is in one of the elements, or in each of them. */
  const has = (selector, text, each) => {
    const found = [...document.querySelectorAll(selector)].map((one) => textsOf(one).join(' '))
    const there = found.filter((one) => one.includes(text)).length
    return there > 0 && (!each || there === found.filter((one) => one.trim() !== '').length)
  }

  let act
  let seen
  const times = new Map()
  let pressed = 0

  window.bench = {
    /** When the first element that matches was painted, ms since the page was asked for. */
    first: (selector) =>
      whenPainted(() => {
        const found = document.querySelector(selector)
        return found !== null && found.getBoundingClientRect().height > 0 && found.textContent.trim() !== ''
      }),
    /** From now on: the last press of a key or the pointer, and when the text was painted after it. */
    expect(selector, text, each) {
      act = undefined
      for (const type of ['pointerdown', 'keydown'])
        addEventListener(type, (event) => (act = event.timeStamp), { capture: true })
      seen = whenPainted(() => act !== undefined && has(selector, text, each))
    },
    async took() {
      const late = new Promise((_, reject) => setTimeout(() => reject(new Error('never painted')), 30_000))
      return (await Promise.race([seen, late])) - act
    },
    /** From now on: how long keys took until the next frame (Event Timing). */
    watchKeys() {
      addEventListener('keydown', () => pressed++, { capture: true })
      new PerformanceObserver((list) => {
        for (const { name, interactionId, duration } of list.getEntries())
          if (name.startsWith('key') && interactionId > 0)
            times.set(interactionId, Math.max(times.get(interactionId) ?? 0, duration))
      }).observe({ type: 'event', durationThreshold: 16 })
    },
    /** All of them; those that are too short to be told of count as 16 ms. */
    async keyTimes() {
      // Entries come a moment behind the frame.
      await new Promise((resolve) => setTimeout(resolve, 1_000))
      const long = [...times.values()]
      return [...long, ...Array(Math.max(0, pressed - long.length)).fill(16)]
    },
    /** Scrolls so many frames, by pixels or (below 1) by a part of the whole height, and counts the frames that took more than 50 ms. */
    async scroll(selector, frames, step) {
      const box = document.querySelector(selector)
      const by = step < 1 ? box.scrollHeight * step : step
      const next = () => new Promise((resolve) => requestAnimationFrame(resolve))
      for (let i = 0; i < 10; i++) await next()
      let last = await next()
      let long = 0
      for (let i = 0; i < frames; i++) {
        box.scrollTop += by
        const now = await next()
        if (now - last > 50) long++
        last = now
      }
      return long
    },
    /** WCAG 2.2 A and AA, by axe: how many nodes. */
    async axeNodes() {
      const runOnly = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']
      return (await window.axe.run(document, { runOnly })).violations.reduce((sum, { nodes }) => sum + nodes.length, 0)
    },
  }
})()
