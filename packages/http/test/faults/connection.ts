/**
 * A client of the server's, for the tests that make many calls with one.
 */
import { assert } from "@effect/vitest"
import { FaultServer, type Origin } from "@effect-apify/fault-server"
import { ApifyClient, type CallOptions } from "@effect-apify/http"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { keepExit, leaks, nothingShown, type Shown, TOKEN, watched } from "./secrets.js"
import type { Transport } from "./transports.js"

/** Keeps what each call of a client comes to, whoever made it. */
const keepingExits = (kept: Shown) =>
  Layer.effect(
    ApifyClient,
    Effect.map(ApifyClient, (client) => ({
      run: (operation, options) => keepExit(kept)(client.run(operation, options))
    }))
  )

/**
 * Runs calls against an origin of their own, with one client, and looks for secrets in all that they came to and showed.
 * Its connections are gone when this ends, if ever.
 */
export const withClient = <A, E, R>(
  transport: Transport,
  options: CallOptions,
  calls: (origin: Origin, kept: Shown) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, FaultServer | Exclude<R, ApifyClient>> =>
  Effect.scoped(
    Effect.gen(function* () {
      const origin = yield* (yield* FaultServer).listen()
      const kept = nothingShown()
      const client = ApifyClient.layer({ token: Redacted.make(TOKEN), baseUrl: origin.url, ...options })
      const result = yield* calls(origin, kept).pipe(
        watched(kept),
        Effect.provide(Layer.orDie(Layer.provide(keepingExits(kept), Layer.provide(client, transport.layer))))
      )
      assert.deepStrictEqual(yield* leaks(kept), [], "secrets shown")
      return result
    })
  )
