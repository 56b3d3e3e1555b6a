/**
 * Gets a store and shows it: the repository's main command. If the environment names no Apify, it starts a local one on a
 * free port.
 *
 *     npx pnpm@12 start [REF] [--json]
 */
import { parseArgs } from "node:util"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import type { EmulatorError } from "@effect-apify/emulator"
import { type GetStoreError, getStore, parseStoreRef } from "@effect-apify/http"
import * as UndiciTransport from "@effect-apify/http/UndiciTransport"
import * as Cause from "effect/Cause"
import * as ConfigError from "effect/ConfigError"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import { apifyWith, EXAMPLE_STORE } from "./local.js"
import { formatJson, formatStore } from "./storeSummary.js"

const usage = `Usage: npx pnpm@12 start [REF] [--json]

Gets a key-value store and shows it.

  REF      the store: its ID, "username~store-name", or "~store-name" in your own account.
           Default: the example store of Apify's documentation.
  --json   print the store as JSON in Apify's format, with its secrets hidden
  --help   print this

It uses a local Apify that it starts itself. Set APIFY_TOKEN or APIFY_API_BASE_URL to use another one.`

const readArguments = Either.try({
  try: () => {
    const { positionals, values } = parseArgs({
      allowPositionals: true,
      options: { json: { type: "boolean", default: false }, help: { type: "boolean", short: "h", default: false } }
    })
    if (positionals.length > 1) throw new TypeError("Give at most one REF.")
    return { ref: positionals[0] ?? EXAMPLE_STORE, ...values }
  },
  catch: (error) => (error instanceof Error ? error.message : String(error))
})

/** Someone is waiting at the terminal, so it gives up after three attempts and not after a minute. */
const client = Layer.provide(apifyWith({ retry: { retries: 2 } }), UndiciTransport.layer)

const explain = (error: GetStoreError | ConfigError.ConfigError | EmulatorError): string => {
  if (!ConfigError.isConfigError(error)) return error.message
  return "path" in error ? `${error.path.join(".")} ${error.message}.` : String(error)
}

const program = Either.match(readArguments, {
  onLeft: (problem) => Effect.as(Console.error(`${problem}\n\n${usage}`), 2),
  onRight: ({ help, json, ref }) =>
    help
      ? Effect.as(Console.log(usage), 0)
      : Effect.zipRight(parseStoreRef(ref), Effect.provide(getStore(ref), client)).pipe(
          Effect.flatMap((store) => Console.log(json ? formatJson(store) : formatStore(store))),
          Effect.as(0),
          Effect.catchAll((error) => Effect.as(Console.error(explain(error)), 1))
        )
})

// A reader such as `head` may close the pipe before everything is written.
process.stdout.on("error", () => process.exit())

/** The exit code that a shell reports for a command that Ctrl+C has ended. */
const INTERRUPTED = 130

NodeRuntime.runMain(program, {
  teardown: (exit, onExit) =>
    onExit(
      Exit.match(exit, {
        onSuccess: (code) => (typeof code === "number" ? code : 0),
        onFailure: (cause) => (Cause.isInterruptedOnly(cause) ? INTERRUPTED : 1)
      })
    )
})
