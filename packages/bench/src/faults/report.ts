/**
 * Writes `docs/faults.md`: every case on every transport, beside the official client. With row numbers as arguments it plays those
 * alone, and prints them.
 */
import { writeFile } from "node:fs/promises"
import { Fault, FaultServer } from "@effect-apify/fault-server"
import * as Effect from "effect/Effect"
import { bomb, type Case, casesOf, redirects } from "../../../http/test/faults/cases.js"
import { brokenNames } from "../../../http/test/faults/names.js"
import { getStoreOperation, type Operation, store } from "../../../http/test/faults/operations.js"
import { expectedOf, fits, nameOf, outcomeOf, play } from "../../../http/test/faults/play.js"
import { transports } from "../../../http/test/faults/transports.js"
import { OTHER_STORE, official, playOfficial } from "./official.js"
import { type RecordScenario, recordScenarios, recordsElsewhere } from "./recordScenarios.js"
import { incomparable, oursOn, type Scenario, scenariosOf } from "./scenarios.js"

const UNEXPECTED = "NOT AS EXPECTED"
const BOMB_MEBIBYTES = 300

/** Of `docs/faults.md`. */
const ROWS = 100

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("<", "&lt;").replace(/\s+/g, " ")

const row = (cells: ReadonlyArray<string>): string => `| ${cells.map(cell).join(" | ")} |`

const counted = (outcome: string, requests: number): string => `${outcome} (${requests})`

const lineOf = (operation: Operation, played: Case, index: number) =>
  Effect.gen(function* () {
    const ours = yield* Effect.forEach(transports, (transport) =>
      Effect.map(play(operation, played, transport, index), ({ exit, leaks, report }) => {
        const found = outcomeOf(operation, exit)
        const isAsExpected = fits(expectedOf(played, transport).outcome, found)
        const mark = isAsExpected ? (played.deviations?.[transport.name] === undefined ? "" : " *") : ` ${UNEXPECTED}`
        const leak = leaks.length === 0 ? "" : ", secrets shown"
        return `${counted(`${nameOf(found)}${leak}`, report.requests.length)}${mark}`
      })
    )
    const { outcome, requests } = yield* playOfficial(played, index)
    return row([
      String(played.row),
      anonymous(played.name),
      anonymous(Fault.describePlan(played.plan)) || "–",
      ...ours,
      counted(outcome, requests)
    ])
  })

/** An outcome of ours that does not match is marked. */
const lineOfScenario = (operation: Operation, { name, outcome, plan, play, row: number }: Scenario) =>
  Effect.gen(function* () {
    const ours = yield* Effect.forEach(transports, (transport) =>
      Effect.map(Effect.scoped(play(oursOn(operation, transport))), (found) =>
        outcome.test(found) ? found : `${found} ${UNEXPECTED}`
      )
    )
    return row([String(number), name, plan, ...ours, yield* Effect.scoped(play(official))])
  })

/** The same of a record or a list. */
const lineOfRecords = ({ name, outcome, plan, play, row: number }: RecordScenario) =>
  Effect.gen(function* () {
    const ours = yield* Effect.forEach(transports, (transport) =>
      Effect.map(Effect.scoped(play(transport)), (found) => (outcome.test(found) ? found : `${found} ${UNEXPECTED}`))
    )
    return row([String(number), name, plan, ...ours, yield* Effect.scoped(play("official"))])
  })

/** Row 59 is part of every other. */
const lineOfSecrets = (lines: ReadonlyArray<string>): string => {
  const columns = lines.map((line) => line.split(" | ").slice(3))
  const found = [...transports, "the official client"].map((_, column) => {
    const cells = columns.map((cells) => cells[column] ?? "").filter((cell) => !cell.includes("not comparable"))
    const showing = cells.filter((cell) => cell.includes("secrets shown")).length
    return showing === 0 ? `no secret in ${cells.length} cases` : `secrets in ${showing} of ${cells.length} cases`
  })
  return row(["59", "the token and the keys, in all that these cases show", "all of them", ...found])
}

const numberOf = (line: string): number => Number(/\d+/.exec(line)?.[0])

const exceptionsTo = (cases: ReadonlyArray<Case>): ReadonlyArray<string> =>
  transports.flatMap((transport) => [
    ...transport.exceptions.map((exception) => `- ${transport.name}: ${exception}`),
    ...cases.flatMap(({ deviations, name, row }) => {
      const deviation = deviations?.[transport.name]
      return deviation === undefined ? [] : [`- ${transport.name}, row ${row}, ${name}: ${deviation.reason}`]
    })
  ])

const anonymous = (text: string): string =>
  text
    .replaceAll(/127\.0\.0\.1:\d+/g, "another.origin")
    .replace(/\?token=.*/, "?token=…")
    .replace(/x{9,}/, "xxx…")

/** Plays the rows given of an operation. */
const linesOf = (operation: Operation, isWanted: (row: number) => boolean) =>
  Effect.gen(function* () {
    const server = yield* FaultServer
    const otherOrigin = yield* server.listen()
    const otherStore = Fault.respond("the store of another origin", {
      body: JSON.stringify({ data: { ...store, id: OTHER_STORE } })
    })
    yield* Effect.forEach(["", "~elsewhere"], (name) => server.plan(name, Fault.forever(otherStore)))
    const bombs = isWanted(40) ? [yield* Effect.promise(() => bomb(BOMB_MEBIBYTES))] : []
    const cases = [...casesOf(operation), ...bombs, ...redirects(otherOrigin.url)]
    const single = yield* Effect.forEach(
      cases.filter(({ row }) => isWanted(row)),
      (played, index) => lineOf(operation, played, index),
      { concurrency: 4 }
    )
    const many = yield* Effect.forEach(
      scenariosOf(operation).filter(({ row }) => isWanted(row)),
      (scenario) => lineOfScenario(operation, scenario)
    )
    const records = yield* Effect.forEach(
      recordScenarios.filter(({ row }) => isWanted(row)),
      lineOfRecords
    )
    return { cases, played: [...single, ...many, ...records] }
  })

interface Lines {
  readonly cases: ReadonlyArray<Case>
  readonly played: ReadonlyArray<string>
}

/** All of the document, of the lines of every row. */
const documentOf = ({ cases, played }: Lines): string => {
  const lines = [
    ...played,
    ...incomparable.map(({ name, ours, reason, row: number }) =>
      row([String(number), name, "–", ...transports.map(() => ours), reason])
    ),
    ...recordsElsewhere.map(({ name, ours, row: number }) =>
      row([String(number), name, "–", ...transports.map(() => ours), "not compared"])
    ),
    lineOfSecrets(played)
  ].sort((one, other) => numberOf(one) - numberOf(other))
  const missing = Array.from({ length: ROWS }, (_, index) => index + 1).filter(
    (number) => !lines.some((line) => numberOf(line) === number)
  )
  if (missing.length > 0) throw new Error(`No line for the rows ${missing.join(", ")}`)
  const columns = ["row", "case", "the server's plan", ...transports.map(({ name }) => name), "apify-client"]
  return `# What goes wrong, and how each client reacts

Generated by \`npx pnpm@12 faults\`; do not edit. Each cell is the outcome of a call and, in parentheses, the number of requests that
the server read. Both clients retry twice, almost without waiting. Our calls run on a simulated clock, which advances only while nothing
else can happen. The official client has one second for an attempt, and counts as not ended after ten seconds. The last fault of a
plan repeats for as long as the client retries. "Secrets shown" means that \`util.inspect\` of its error prints a secret. Where it reports
success, only the ID and the date of creation are checked.

${[row(columns), row(columns.map(() => "---")), ...lines].join("\n")}

\\* deviates from the outcome that the row requires, for this reason:

${exceptionsTo(cases).join("\n")}

Rows 1 to 60 are calls of \`getStore\`; \`matrix.test.ts\` and \`behaviour.test.ts\` run them with other operations too. Rows 61 to 100 run
on the machine's clock, and there the official client counts as not ended after 5 s. "MiB" and "keys" say how much arrived.

Rows 8, 15, 20, 53 to 58 and 60 are many calls of one client, or none, so their cells count outcomes. Both clients have the same limits
there. A call counts as not ended after 10 s; in rows 54, 56 and 57 after 2 s; in the last case of row 60 after a
minute. The tests in \`packages/http/test/faults\` check these rows in more detail: \`behaviour.test.ts\`, \`endurance.test.ts\` and
\`local.test.ts\`. \`memory.test.ts\` checks the memory that rows 39 and 40 take, and \`recordMemory.test.ts\`
that of records of a gigabyte and of a million keys.

Two rows conflict with others. In row 37, deep nesting in an unknown field is dropped with the field, as row 34 requires. In row 44,
429s are not charged to the retry budget, as row 60 requires, so only the number of retries limits them.
`
}

const target = new URL("../../../../docs/faults.md", import.meta.url)
const wanted = process.argv.slice(2).map(Number)

const program = Effect.gen(function* () {
  yield* brokenNames
  return yield* linesOf(getStoreOperation, (row) => wanted.length === 0 || wanted.includes(row))
}).pipe(Effect.scoped, Effect.provide(FaultServer.layer))

const lines: Lines = await Effect.runPromise(program)
const unexpected = lines.played.filter((line) => line.includes(UNEXPECTED))
if (wanted.length === 0) await writeFile(target, documentOf(lines))
else console.log(lines.played.join("\n"))
console.log(
  [
    `${lines.played.length} cases on ${transports.length} transports, ${unexpected.length} not as expected`,
    ...unexpected
  ].join("\n")
)
// The connections of fetch and of the official client would keep the process for a while.
process.exit(unexpected.length === 0 ? 0 : 1)
