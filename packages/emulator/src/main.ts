#!/usr/bin/env node
/**
 * The emulator's command line.
 *
 * Exit codes: 0 once stopped by SIGINT or SIGTERM, 1 when it cannot start, 2 for a bad command line.
 *
 * @since 0.1.0
 */
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as ValidationError from "@effect/cli/ValidationError"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { redact } from "@effect-apify/domain"
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { IN_MEMORY } from "./Database.js"
import { Emulator } from "./Emulator.js"
import { DEMO_TOKEN, demoSeed } from "./demo.js"

/** The port unless told: fixed, so that a setting that points at the emulator stays right. */
const DEFAULT_PORT = 4010

const options = {
  port: Options.integer("port").pipe(
    Options.withSchema(
      Schema.Int.pipe(Schema.between(0, 65_535, { message: () => "A port is a number from 0 to 65535" }))
    ),
    Options.withDescription(`The port to listen on; 0 takes any that is free. Unless told: ${DEFAULT_PORT}.`),
    Options.withDefault(DEFAULT_PORT)
  ),
  host: Options.text("host").pipe(
    Options.withDescription("The address to listen on. Unless told, only this machine can connect."),
    Options.withDefault("127.0.0.1")
  ),
  database: Options.text("database").pipe(
    Options.withPseudoName("file"),
    Options.withDescription("The file to keep the data in, made where there is none. Unless told, it is in memory."),
    Options.withDefault(IN_MEMORY)
  ),
  seed: Options.text("seed").pipe(
    Options.withPseudoName("file"),
    Options.withDescription(
      "A JSON file of users, tokens and stores to load. Unless told, a new database gets a demo."
    ),
    Options.optional
  )
}

const readyMessage = ({ url, isDemo }: typeof Emulator.Service): string => {
  const store = `${url}/v2/key-value-stores/${demoSeed.stores[0]?.store.id}`
  const demo = [
    "",
    `  Token   ${DEMO_TOKEN} (it may write)`,
    `  Try     curl -H "Authorization: Bearer ${DEMO_TOKEN}" ${store}`
  ]
  return [`The Apify emulator is ready at ${url}`, ...(isDemo ? demo : []), "  Stop    Ctrl+C"].join("\n")
}

const command = Command.make("emulator", options, ({ seed, ...rest }) =>
  Effect.gen(function* () {
    yield* Console.log(readyMessage(yield* Emulator))
    return yield* Effect.never
  }).pipe(Effect.provide(Emulator.layer({ ...rest, seed: Option.getOrUndefined(seed) })))
).pipe(Command.withDescription("A local Apify: serves Get store over HTTP from an embedded database."))

const run = Command.run(command, { name: "Apify emulator", version: "0.1.0" })

const exitCodeOf = (exit: Exit.Exit<unknown, unknown>): number => {
  if (Exit.isSuccess(exit) || Cause.isInterruptedOnly(exit.cause)) return 0
  return Option.exists(Cause.failureOption(exit.cause), ValidationError.isValidationError) ? 2 : 1
}

const report = (cause: Cause.Cause<{ readonly message: string } | ValidationError.ValidationError>) => {
  if (Cause.isInterruptedOnly(cause)) return Effect.void
  return Option.match(Cause.failureOption(cause), {
    onNone: () => Console.error(`Something unexpected went wrong: ${redact(Cause.pretty(cause))}`),
    // A bad command line has been explained by then.
    onSome: (error) => (ValidationError.isValidationError(error) ? Effect.void : Console.error(error.message))
  })
}

run(process.argv).pipe(
  Effect.tapErrorCause(report),
  // Standard output is for the ready line.
  Effect.provide(Logger.replace(Logger.defaultLogger, Logger.withConsoleError(Logger.logfmtLogger))),
  Effect.provide(NodeContext.layer),
  NodeRuntime.runMain({
    disableErrorReporting: true,
    disablePrettyLogger: true,
    teardown: (exit, onExit) => onExit(exitCodeOf(exit))
  })
)
