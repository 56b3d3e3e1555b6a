/**
 * Apify's official client, put to the same cases.
 */
import { inspect } from "node:util"
import { FaultServer } from "@effect-apify/fault-server"
import type { ApifyClient } from "apify-client"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { type Case, patient } from "../../../http/test/faults/cases.js"
import { store } from "../../../http/test/faults/operations.js"
import { placeOf, storeFor } from "../../../http/test/faults/play.js"
import { SIGNATURE, SIGNING_KEY, TOKEN } from "../../../http/test/faults/secrets.js"
import type { MakeClient, Settings } from "./scenarios.js"

// It warns of each failure with its stack, and reads the level as it is loaded.
process.env.APIFY_LOG_LEVEL = "ERROR"
const apifyClient = await import("apify-client")

/** How long a case may take before it counts as one that does not end. */
const BOUND = Duration.seconds(10)

/** The id of the store that the other origin of the redirects responds with. */
export const OTHER_STORE = "otherOriginStore1"

export interface OfficialOutcome {
  readonly outcome: string
  readonly requests: number
}

const needsTrust = ({ at, greeting }: Case): boolean =>
  greeting === undefined && (at === "https" || at === "expired" || at === "other host")

const isTheStore = (value: unknown): boolean =>
  typeof value === "object" &&
  value !== null &&
  "id" in value &&
  value.id === store.id &&
  "createdAt" in value &&
  value.createdAt instanceof Date &&
  !Number.isNaN(value.createdAt.getTime())

const isFrom = (error: unknown, field: string): string | undefined => {
  const fields = new Map<string, unknown>(typeof error === "object" && error !== null ? Object.entries(error) : [])
  const value = fields.get(field)
  return typeof value === "string" || typeof value === "number" ? String(value) : undefined
}

export const nameOfError = (error: unknown): string => {
  const name = error instanceof Error ? error.constructor.name : "no error"
  const shown = `${inspect(error, { depth: 9 })}`
  const leak = [TOKEN, SIGNING_KEY, SIGNATURE].some((secret) => shown.includes(secret)) ? ", secrets shown" : ""
  return `${[name, isFrom(error, "statusCode") ?? isFrom(error, "code")].filter((part) => part !== undefined).join(" ")}${leak}`
}

/** Gets a store with it, and names the outcome in a few words. */
const get = (client: ApifyClient, ref: string, bound: Duration.Duration): Effect.Effect<string> =>
  Effect.tryPromise({ try: () => client.keyValueStore(ref).get(), catch: nameOfError }).pipe(
    Effect.match({
      onSuccess: (value) =>
        value === undefined
          ? "undefined"
          : isTheStore(value)
            ? "success"
            : inspect(value).includes(OTHER_STORE)
              ? "the store of the other origin"
              : "a value that is no store",
      onFailure: (name) => name
    }),
    Effect.timeoutTo({
      duration: bound,
      onSuccess: (outcome) => outcome,
      onTimeout: () => `not ended after ${Duration.format(bound)}`
    })
  )

/** A client with the same limits as ours, as far as it has them. */
export const officialClient = ({ baseUrl, limits, token }: Omit<Settings, "bound">): ApifyClient => {
  const { baseDelay, retries } = limits.retry ?? {}
  return new apifyClient.ApifyClient({
    token,
    baseUrl,
    ...(retries === undefined ? {} : { maxRetries: retries }),
    ...(baseDelay === undefined ? {} : { minDelayBetweenRetriesMillis: Duration.toMillis(baseDelay) }),
    ...(limits.attemptTimeout === undefined ? {} : { timeoutSecs: Duration.toSeconds(limits.attemptTimeout) })
  })
}

export const official: MakeClient = ({ bound, ...settings }) =>
  Effect.try({
    try: () => {
      const client = officialClient(settings)
      return (ref: string) => get(client, ref, bound)
    },
    catch: nameOfError
  })

/** Plays a case with two retries, a second for an attempt, and no tricks. */
export const playOfficial = (played: Case, index: number): Effect.Effect<OfficialOutcome, never, FaultServer> =>
  Effect.gen(function* () {
    const server = yield* FaultServer
    if (needsTrust(played)) return { outcome: "not comparable: takes no authority to trust", requests: 0 }
    const { url: baseUrl } = yield* placeOf(played)
    const name = storeFor(played, "official", index)
    // However often it tries, it meets the last fault of the plan.
    const last = played.plan.slice(-1).map(({ fault }) => ({ fault, times: Number.POSITIVE_INFINITY }))
    yield* server.plan(name, [...played.plan, ...last])
    const limits = { ...patient, attemptTimeout: "1 second" } as const
    const outcome = yield* Effect.merge(
      Effect.flatMap(official({ token: TOKEN, baseUrl, limits, bound: BOUND }), (get) => get(name))
    )
    return { outcome, requests: (yield* server.report(name)).requests.length }
  }).pipe(Effect.scoped)
