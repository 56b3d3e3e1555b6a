/**
 * Say how often, how long and on which errors to try again: for a client, for one call, or by a schedule of your own.
 *
 *     npx tsx examples/ownRetryPolicy.ts
 *
 * Each call meets a server that is busy at first. The client logs its retries at debug level, and debug is on here.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import type { GetStoreError, Store } from "@effect-apify/domain"
import { type ApifyClient, getStore, RetryPolicy } from "@effect-apify/http"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import { busyTransport } from "./busyTransport.js"
import { EXAMPLE_STORE, localApify } from "./local.js"

/** Of a client: what is left out stays as it is by default, 8 retries from half a second on, up to 20 seconds. */
const patientClient = localApify({ retry: { retries: 3, baseDelay: "50 millis", maxDelay: "1 second" } })

/** Of one call: what is left out stays as the client has it. */
const unlessBusy = getStore(EXAMPLE_STORE, { retry: { while: (error) => error._tag !== "ServerError" } })
const once = getStore(EXAMPLE_STORE, { retry: RetryPolicy.none })

/** Of your own: each failure goes to the schedule, which waits as long as the server asked for, if it did. */
const everyTenthOfASecond = Schedule.identity<GetStoreError>().pipe(
  Schedule.addDelay((error) => Option.getOrElse(RetryPolicy.retryAfterOf(error), () => Duration.millis(100))),
  Schedule.whileInput((error) => error.retryable !== "Never"),
  Schedule.tapInput((error: GetStoreError) => Effect.logDebug(`The schedule got a ${error._tag}.`)),
  Schedule.intersect(Schedule.recurs(5))
)
const byOwnSchedule = Effect.retry(once, everyTenthOfASecond)

const show = (title: string, call: Effect.Effect<Store, GetStoreError, ApifyClient>, busyTimes: number) =>
  Effect.gen(function* () {
    yield* Console.log(`\n${title}`)
    const result = yield* Effect.either(Logger.withMinimumLogLevel(call, LogLevel.Debug))
    yield* Console.log(Either.isRight(result) ? `  got ${result.right.id}` : `  gave up: ${result.left.message}`)
  }).pipe(Effect.provide(Layer.provide(patientClient, busyTransport(busyTimes))))

const program = Effect.gen(function* () {
  yield* show("The client's policy, against a server that is busy twice", getStore(EXAMPLE_STORE), 2)
  yield* show("The same, against a server that stays busy", getStore(EXAMPLE_STORE), Number.POSITIVE_INFINITY)
  yield* show("A call that does not wait for a busy server", unlessBusy, 2)
  yield* show("A call without retries", once, 2)
  yield* show("A schedule of your own", byOwnSchedule, 2)
})

const plainLogger = Logger.withConsoleLog(Logger.make(({ message }) => `  ${message}`))

program.pipe(
  Effect.provide(Logger.replace(Logger.defaultLogger, plainLogger)),
  NodeRuntime.runMain({ disablePrettyLogger: true })
)
