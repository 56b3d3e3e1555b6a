/**
 * A client of the server's, for the tests that make many calls with one.
 */
import { assert } from "@effect/vitest"
import { FaultServer, type Origin } from "@effect-apify/fault-server"
import { ApifyClient, type CallOptions } from "@effect-apify/http"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { type DrivenTime, makeDrivenTime } from "./drivenTime.js"
import { settled } from "./play.js"
import { keepExit, leaks, nothingShown, type Shown, TOKEN, watched } from "./secrets.js"
import type { Connections, Transport } from "./transports.js"

/** Keeps the exit of each call of a client, whoever made it. */
const keepingExits = (kept: Shown) =>
  Layer.effect(
    ApifyClient.ApifyClient,
    Effect.map(ApifyClient.ApifyClient, (client) => ({
      ...client,
      run: (operation, options) => keepExit(kept)(client.run(operation, options))
    }))
  )

/** Runs calls with one client of a base URL, and looks for secrets in their exits and in all that they showed. */
export const withClientOf = <A, E, R>(
  baseUrl: string,
  transport: Transport,
  options: CallOptions,
  calls: (kept: Shown) => Effect.Effect<A, E, R>,
  connections?: Connections
): Effect.Effect<A, E, Exclude<R, ApifyClient.ApifyClient>> =>
  Effect.gen(function* () {
    const kept = nothingShown()
    const client = transport.client({ token: Redacted.make(TOKEN), baseUrl, ...options }, connections)
    const result = yield* calls(kept).pipe(
      watched(kept),
      Effect.provide(Layer.orDie(Layer.provide(keepingExits(kept), client)))
    )
    assert.deepStrictEqual(yield* leaks(kept), [], "secrets shown")
    return result
  })

/** What calls of one client are made to, what they show, and time for those that are to run by it. */
export interface Called {
  readonly origin: Origin
  readonly kept: Shown
  readonly time: DrivenTime
}

/**
 * The same against an origin of their own. Nothing may be under way there once the calls are over. Once the client is gone
 * nothing may be open, where its connections do not outlive it, but what undici was still connecting for calls that were
 * interrupted: those have brought no request.
 */
export const withClient = <A, E, R>(
  transport: Transport,
  options: CallOptions,
  calls: (called: Called) => Effect.Effect<A, E, R>,
  connections?: Connections
): Effect.Effect<A, E, FaultServer | Exclude<R, ApifyClient.ApifyClient>> =>
  Effect.scoped(
    Effect.gen(function* () {
      const server = yield* FaultServer
      const time = makeDrivenTime()
      const origin = yield* Effect.withClock(server.listen(), time.clock)
      const result = yield* withClientOf(
        origin.url,
        transport,
        options,
        (kept) =>
          Effect.zipLeft(
            calls({ origin, kept, time }),
            settled(origin, ({ busy }) => busy === 0)
          ),
        connections
      )
      if (!transport.keepsConnections) yield* settled(origin, ({ open, unused }) => open === unused)
      return result
    })
  )
