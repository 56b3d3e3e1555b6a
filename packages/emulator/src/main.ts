#!/usr/bin/env node
/**
 * The emulator's command line.
 *
 * Exit codes: 0 after SIGINT or SIGTERM, 1 if the emulator cannot start or is stopped before it is ready, 2 for a bad
 * command line.
 *
 * @since 0.1.0
 */
import { stripVTControlCharacters } from "node:util"
import * as Command from "@effect/cli/Command"
import * as HelpDoc from "@effect/cli/HelpDoc"
import * as Options from "@effect/cli/Options"
import * as ValidationError from "@effect/cli/ValidationError"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { redact } from "@effect-apify/domain/Redaction"
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { constVoid } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { IN_MEMORY } from "./Database.js"
import { DEMO_SECOND_TOKEN, DEMO_TOKEN, demoSeed } from "./demo.js"
import { Emulator } from "./Emulator.js"
import { unknowns } from "./Unknowns.js"

/** Always the same, so that a setting that points at the emulator stays right. */
const DEFAULT_PORT = 4010

/** What each option takes, for those who leave its value out. */
const values: ReadonlyMap<string, string> = new Map([
  ["--port", "a number from 0 to 65535"],
  ["--host", "an address, such as 127.0.0.1"],
  ["--database", "the name of a file"],
  ["--seed", "the name of a JSON file"],
  ["--maximum-record-bytes", "a number of bytes"]
])

const NotBlank = (name: string) =>
  Schema.String.pipe(
    Schema.filter((text) => text.trim() !== "", {
      message: () => `${name} must not be blank. Give ${values.get(name)}`
    })
  )

const Port = Schema.String.pipe(
  Schema.filter((text) => /^\d{1,5}$/.test(text) && Number(text) <= 65_535, {
    message: () => "--port must be a number from 0 to 65535"
  })
)

const Bytes = Schema.String.pipe(
  Schema.filter((text) => /^\d+$/.test(text) && Number.isSafeInteger(Number(text)), {
    message: () => "--maximum-record-bytes must be a whole number of bytes"
  })
)

const options = {
  port: Options.text("port").pipe(
    Options.withPseudoName("number"),
    Options.withSchema(Port),
    Options.map(Number),
    Options.withDescription(`The port to listen on; 0 takes any free port. Default: ${DEFAULT_PORT}.`),
    Options.withDefault(DEFAULT_PORT)
  ),
  host: Options.text("host").pipe(
    Options.withSchema(NotBlank("--host")),
    Options.withDescription("The address to listen on. Default: 127.0.0.1, which other machines cannot reach."),
    Options.withDefault("127.0.0.1")
  ),
  database: Options.text("database").pipe(
    Options.withPseudoName("file"),
    Options.withSchema(NotBlank("--database")),
    Options.withDescription("The file to keep the data in, created if it does not exist. Default: in memory."),
    Options.withDefault(IN_MEMORY)
  ),
  seed: Options.text("seed").pipe(
    Options.withPseudoName("file"),
    Options.withSchema(NotBlank("--seed")),
    Options.withDescription(
      "A JSON file of users, tokens, stores, records and runs to load. Default: a demo for an empty database, nothing for any other."
    ),
    Options.optional
  ),
  maximumRecordBytes: Options.text("maximum-record-bytes").pipe(
    Options.withPseudoName("number"),
    Options.withSchema(Bytes),
    Options.map(Number),
    Options.withDescription(
      `The largest body of a record, in bytes as it is sent. Default: ${unknowns.MAXIMUM_RECORD_BYTES} (200 MiB).`
    ),
    Options.withDefault(unknowns.MAXIMUM_RECORD_BYTES)
  ),
  rateLimits: Options.boolean("rate-limits").pipe(
    Options.withDescription(
      "Respond with 429 to more requests than Apify allows: 200 a second for the records of a store, 60 for anything else of it, and 60 for lists and new stores."
    )
  )
}

const readyMessage = ({ url, isDemo }: typeof Emulator.Service): string => {
  const store = `${url}/v2/key-value-stores/${demoSeed.stores[0]?.store.id}`
  const demo = [
    "",
    `  Token   ${DEMO_TOKEN} (it may write; ${DEMO_SECOND_TOKEN} is another user's)`,
    `  Try     curl -H "Authorization: Bearer ${DEMO_TOKEN}" ${store}`
  ]
  return [`The Apify emulator is ready at ${url}`, ...(isDemo ? demo : []), "  Stop    Ctrl+C"].join("\n")
}

const progress = { isReady: false }

const command = Command.make("effect-apify-emulator", options, ({ seed, ...rest }) =>
  Effect.gen(function* () {
    const emulator = yield* Emulator
    progress.isReady = true
    yield* Console.log(readyMessage(emulator))
    return yield* Effect.never
  }).pipe(Effect.provide(Emulator.layer({ ...rest, seed: Option.getOrUndefined(seed) })))
).pipe(
  Command.withDescription(
    "A local Apify: serves key-value stores and their records over HTTP from a database on this machine."
  )
)

const run = Command.run(command, { name: "Apify emulator", version: "0.1.0" })

/** The first option that lacks its value; the parser of the command line takes it for an unknown one. */
const withoutValue = (args: ReadonlyArray<string>): string | undefined =>
  args
    .map((arg, index) => (arg.endsWith("=") ? arg.slice(0, -1) : (args[index + 1] ?? "--").startsWith("--") ? arg : ""))
    .find((option) => values.has(option))

const exitCodeOf = (exit: Exit.Exit<unknown, unknown>): number => {
  if (Exit.isSuccess(exit)) return 0
  if (Cause.isInterruptedOnly(exit.cause)) return progress.isReady ? 0 : 1
  return Option.exists(Cause.failureOption(exit.cause), ValidationError.isValidationError) ? 2 : 1
}

const report = (cause: Cause.Cause<{ readonly message: string } | ValidationError.ValidationError>) => {
  if (Cause.isInterruptedOnly(cause)) {
    return progress.isReady
      ? Effect.void
      : Console.error("Stopped before the emulator was ready. A seed is loaded whole or not at all.")
  }
  return Option.match(Cause.failureOption(cause), {
    onNone: () => Console.error(`An unexpected error occurred: ${redact(Cause.pretty(cause))}`),
    // A bad command line has been explained by then.
    onSome: (error) => (ValidationError.isValidationError(error) ? Effect.void : Console.error(error.message))
  })
}

/** Colors are for terminals, and for those who want them. */
const withoutColors: Layer.Layer<never> = Layer.unwrapEffect(
  Effect.map(Effect.console, (console) => {
    const plain = (stream: NodeJS.WriteStream, write: (...args: ReadonlyArray<unknown>) => Effect.Effect<void>) => {
      const hasColors = stream.isTTY && (process.env.NO_COLOR ?? "") === ""
      return (...args: ReadonlyArray<unknown>) =>
        write(...args.map((arg) => (typeof arg === "string" && !hasColors ? stripVTControlCharacters(arg) : arg)))
    }
    return Console.setConsole({
      ...console,
      log: plain(process.stdout, console.log),
      error: plain(process.stderr, console.error)
    })
  })
)

const program = Effect.suspend(() => {
  const option = withoutValue(process.argv.slice(2))
  if (option === undefined) return run(process.argv)
  return Effect.zipRight(
    Console.error(`${option} needs a value: ${values.get(option)}.`),
    Effect.fail(ValidationError.missingValue(HelpDoc.empty))
  )
})

// It serves on if nobody reads what it prints, as in `… | head`.
process.stdout.on("error", constVoid)

program.pipe(
  // Unlike `tapErrorCause`, it runs to its end in a fiber that was interrupted.
  Effect.onError(report),
  Effect.provide(withoutColors),
  // Standard output is for the ready message.
  Effect.provide(Logger.replace(Logger.defaultLogger, Logger.withConsoleError(Logger.logfmtLogger))),
  Effect.provide(NodeContext.layer),
  NodeRuntime.runMain({
    disableErrorReporting: true,
    disablePrettyLogger: true,
    teardown: (exit, onExit) => onExit(exitCodeOf(exit))
  })
)
