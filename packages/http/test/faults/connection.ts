/**
 * A client of the server's, for the tests that make many calls with one.
 */
import { FaultServer, type Origin } from "@effect-apify/fault-server"
import { ApifyClient, type CallOptions } from "@effect-apify/http"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { TOKEN } from "./secrets.js"
import type { Transport } from "./transports.js"

/** Runs calls against an origin of their own, with one client. Its connections are gone when this ends, if ever. */
export const withClient = <A, E, R>(
  transport: Transport,
  options: CallOptions,
  calls: (origin: Origin) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, FaultServer | Exclude<R, ApifyClient>> =>
  Effect.scoped(
    Effect.gen(function* () {
      const origin = yield* (yield* FaultServer).listen()
      const client = ApifyClient.layer({ token: Redacted.make(TOKEN), baseUrl: origin.url, ...options })
      return yield* Effect.provide(calls(origin), Layer.orDie(Layer.provide(client, transport.layer)))
    })
  )
