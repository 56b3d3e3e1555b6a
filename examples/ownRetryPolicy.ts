/**
 * Choose how often, how long and after which errors to retry: for a client, for one call, or with a schedule of your own.
 *
 *     npx pnpm@12 tsx examples/ownRetryPolicy.ts
 *
 * Each call meets a server that is busy at first. The client logs its retries at debug level, which this example shows.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { type ApifyClient, type GetStoreError, getStore, RetryPolicy, type Store } from "@effect-apify/http"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import { busyServer } from "./busyServer.js"
import { EXAMPLE_STORE, localApify } from "./local.js"

/** For a client. Default: 8 retries, with waits from half a second to 20 seconds. */
const client = localApify({ retry: { retries: 3, baseDelay: "50 millis", maxDelay: "1 second" } })

/** For one call. What is left out stays as the client has it. */
const unlessBusy = getStore(EXAMPLE_STORE, { retry: { while: (error) => error._tag !== "ServerError" } })
const once = getStore(EXAMPLE_STORE, { retry: RetryPolicy.none })

/** A schedule of your own. It sees each failure, and waits as long as the server requests. */
const everyTenthOfASecond = Schedule.identity<GetStoreError>().pipe(
  Schedule.addDelay((error) =>
    Option.getOrElse("retryAfter" in error ? error.retryAfter : Option.none(), () => Duration.millis(100))
  ),
  Schedule.whileInput((error) => error.retryable !== "Never"),
  Schedule.tapInput((error: GetStoreError) => Effect.logDebug(`The schedule got a ${error._tag}.`)),
  Schedule.intersect(Schedule.recurs(5))
)
const withOwnSchedule = Effect.retry(once, everyTenthOfASecond)

type Call = Effect.Effect<Store, GetStoreError, ApifyClient.ApifyClient>

const show = (title: string, call: Call, busyTimes: number) =>
  Effect.gen(function* () {
    yield* Console.log(`\n${title}`)
    const result = yield* Effect.either(Logger.withMinimumLogLevel(call, LogLevel.Debug))
    yield* Console.log(Either.isRight(result) ? `  got ${result.right.id}` : `  gave up: ${result.left.message}`)
  }).pipe(Effect.provide(Layer.provide(client, busyServer(busyTimes))))

const program = Effect.gen(function* () {
  yield* show("The client's policy, with a server that is busy twice", getStore(EXAMPLE_STORE), 2)
  yield* show("The same, with a server that stays busy", getStore(EXAMPLE_STORE), Number.POSITIVE_INFINITY)
  yield* show("A call that does not wait for a busy server", unlessBusy, 2)
  yield* show("A call without retries", once, 2)
  yield* show("A schedule of your own", withOwnSchedule, 2)
})

const plainLogger = Logger.withConsoleLog(Logger.make(({ message }) => `  ${message}`))

program.pipe(
  Effect.provide(Logger.replace(Logger.defaultLogger, plainLogger)),
  NodeRuntime.runMain({ disablePrettyLogger: true })
)
