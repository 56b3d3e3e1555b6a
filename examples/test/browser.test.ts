/**
 * The bundle for browsers, on a page that has what it uses of one. `npx pnpm@12 runtimes` opens it in Chromium.
 */
import { assert, describe, it, vi } from "@effect/vitest"
import { Emulator } from "@effect-apify/emulator"
import * as Effect from "effect/Effect"
import { bundleForBrowsers } from "../../vitest.bundle.js"

const ROOT = `${import.meta.dirname}/../..`

const emulator = Emulator.layer({ seed: `${ROOT}/packages/emulator/seed.example.json` })

/** Runs the bundle on a page; gives what the page shows. */
const open = (search: string): Effect.Effect<string> =>
  Effect.promise(async () => {
    const program = await bundleForBrowsers(`${ROOT}/examples/browser.ts`)
    return new Promise((resolve) => {
      const document = { querySelector: () => ({ replaceChildren: resolve }) }
      new Function("document", "location", program)(document, { search })
    })
  })

describe("browser", () => {
  it.live.each([
    ["a public record", "JaneOpenById00001", "3 pages"],
    ["a public store without the record", "JaneOpenByName001", "It has no output"],
    ["a store that is not public", "JaneRestricted001", "It is not public"]
  ] as const)("shows %s", ([, store, text]) =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      assert.strictEqual(yield* open(`?store=${store}&api=${url}`), text)
    }).pipe(Effect.provide(emulator))
  )

  // The tests have one, in this process.
  it.live("sends nothing of a trace where the page has another copy of Effect", () =>
    Effect.gen(function* () {
      const fetch = vi.spyOn(globalThis, "fetch").mockResolvedValue(new Response('{"pages":3}'))
      yield* Effect.addFinalizer(() => Effect.sync(() => fetch.mockRestore()))
      yield* open("?store=JaneOpenById00001")
      const headers = fetch.mock.calls.map(([, init]) => new Headers(init?.headers))
      assert.deepStrictEqual(
        headers.map((headers) => [headers.has("traceparent"), headers.has("b3")]),
        [[false, false]]
      )
    }).pipe(Effect.scoped)
  )

  it.live("asks for a store where the page names none", () =>
    Effect.map(open(""), (text) => assert.match(text, /store/i))
  )
})
