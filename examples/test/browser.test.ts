/**
 * The example for browsers: in Chromium, where the machine has one, and otherwise its bundle on a page of two objects, in Node.
 */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { assert, describe, it, layer, vi } from "@effect/vitest"
import { Emulator } from "@effect-apify/emulator"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import {
  CHROMIUM,
  hasChromium,
  launchBrowser,
  servePages,
  shownBy
} from "../../packages/bench/src/runtimes/chromium.js"
import { listen } from "../../packages/bench/src/server.js"
import { bundleForBrowsers } from "../../vitest.bundle.js"

const EXAMPLES = `${import.meta.dirname}/..`

const emulator = Emulator.layer({ seed: `${EXAMPLES}/../packages/emulator/seed.example.json` })

const bundled = Effect.promise(() => bundleForBrowsers(`${EXAMPLES}/browser.ts`))

/** Opens the page with a query; gives what it shows. */
class Page extends Context.Tag("Page")<Page, { readonly open: (search: string) => Effect.Effect<string> }>() {}

const inNode = Effect.map(bundled, (program) => ({
  open: (search: string) =>
    Effect.async<string>((resume) => {
      const document = { querySelector: () => ({ replaceChildren: (text: string) => resume(Effect.succeed(text)) }) }
      new Function("document", "location", program)(document, { search })
    })
}))

const inChromium = Effect.gen(function* () {
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(`${tmpdir()}/pages-`)),
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
  )
  copyFileSync(`${EXAMPLES}/browser.html`, `${folder}/browser.html`)
  writeFileSync(`${folder}/browser.js`, yield* bundled)
  const pages = servePages(folder)
  // Of another origin than the emulator's.
  const origin = yield* Effect.acquireRelease(
    Effect.promise(() => listen(pages)),
    () =>
      Effect.sync(() => {
        pages.close()
        pages.closeAllConnections()
      })
  )
  const browser = yield* Effect.acquireRelease(Effect.promise(launchBrowser), (browser) =>
    Effect.promise(() => browser.close())
  )
  const page = yield* Effect.promise(() => browser.newPage())
  return { open: (search: string) => Effect.promise(() => shownBy(page, `${origin}/browser.html${search}`)) }
})

const missing = `There is no ${CHROMIUM}`

if (!hasChromium) console.log(`${missing}: the example for browsers runs in Node.`)

describe("browser", () => {
  layer(Layer.merge(emulator, Layer.scoped(Page, hasChromium ? inChromium : inNode)), { excludeTestServices: true })(
    hasChromium ? "in Chromium" : "in Node, as there is no Chromium",
    (it) => {
      it.effect.each([
        ["a public record", "JaneOpenById00001", "3 pages"],
        ["a public store without the record", "JaneOpenByName001", "It has no output"],
        ["a store that is not public", "JaneRestricted001", "It is not public"]
      ] as const)("shows %s", ([, store, text]) =>
        Effect.gen(function* () {
          const { url } = yield* Emulator
          const { open } = yield* Page
          assert.strictEqual(yield* open(`?store=${store}&api=${url}`), text)
        })
      )

      it.effect("asks for a store where the page names none", () =>
        Effect.gen(function* () {
          const { open } = yield* Page
          assert.match(yield* open(""), /store/i)
        })
      )
    }
  )

  // The tests have one, in this process.
  it.live("sends nothing of a trace where the page has another copy of Effect", () =>
    Effect.gen(function* () {
      const fetch = vi.spyOn(globalThis, "fetch").mockResolvedValue(new Response('{"pages":3}'))
      yield* Effect.addFinalizer(() => Effect.sync(() => fetch.mockRestore()))
      const { open } = yield* inNode
      yield* open("?store=JaneOpenById00001")
      const headers = fetch.mock.calls.map(([, init]) => new Headers(init?.headers))
      assert.deepStrictEqual(
        headers.map((headers) => [headers.has("traceparent"), headers.has("b3")]),
        [[false, false]]
      )
    }).pipe(Effect.scoped)
  )

  it("is tested in Chromium by CI", () => {
    if (process.env.CI === "true" && !hasChromium) assert.fail(`${missing}. Install it: apt-get install chromium`)
  })
})
