/**
 * Writes `docs/faults.md`: every case on every transport, beside the official client.
 */
import { writeFile } from "node:fs/promises"
import { Fault, FaultServer } from "@effect-apify/fault-server"
import * as Effect from "effect/Effect"
import { type Case, cases, store, strangers } from "./cases.js"
import { brokenNames } from "./names.js"
import { playOfficial, STRANGERS_STORE } from "./official.js"
import { expectedOf, fits, nameOf, outcomeOf, play } from "./play.js"
import { transports } from "./transports.js"

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("<", "&lt;").replace(/\s+/g, " ")

const row = (cells: ReadonlyArray<string>): string => `| ${cells.map(cell).join(" | ")} |`

const counted = (outcome: string, requests: number): string => `${outcome} (${requests})`

const lineOf = (played: Case, index: number) =>
  Effect.gen(function* () {
    const ours = yield* Effect.forEach(transports, (transport) =>
      Effect.map(play(played, transport, index), ({ exit, leaks, report }) => {
        const found = outcomeOf(exit)
        const isAsExpected = fits(expectedOf(played, transport).outcome, found) && leaks.length === 0
        const mark = isAsExpected ? (played.deviations?.[transport.name] === undefined ? "" : " *") : " NOT AS EXPECTED"
        return `${counted(nameOf(found), report.requests.length)}${mark}`
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

const exceptions = transports.flatMap((transport) => [
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

const program = Effect.gen(function* () {
  yield* brokenNames
  const server = yield* FaultServer
  const stranger = yield* server.listen()
  const theirs = Fault.answer("a stranger's store", {
    body: JSON.stringify({ data: { ...store, id: STRANGERS_STORE } })
  })
  yield* Effect.forEach(["", "~elsewhere"], (name) => server.plan(name, Fault.forever(theirs)))
  const all = [...cases, ...strangers(stranger.url, "?itself")]
  const lines = yield* Effect.forEach(
    all.map((played, index) => ({ played, index })).sort((one, other) => one.played.row - other.played.row),
    ({ index, played }) => lineOf(played, index),
    { concurrency: 4 }
  )
  const columns = ["row", "case", "the server's plan", ...transports.map(({ name }) => name), "apify-client"]
  return `# What goes wrong, and what comes of it

Made by \`npx pnpm@12 faults\`; do not edit. Each cell is what a call ends in, with the requests that the server read. Two retries on
either side, with hardly any wait; the official client has a second for an attempt, and ten seconds before it counts as not
ended. It meets the last fault of a plan as often as it tries. "Secrets shown" is what \`util.inspect\` prints of its error. What it
calls a store is looked at no closer than for its id and its date of creation.

${[row(columns), row(columns.map(() => "---")), ...lines].join("\n")}

\\* deviates from what the row asks for, and why:

${exceptions.join("\n")}

The rows that are missing take more than one call, or none. The tests beside this report's source hold them: 8, 15, 20, 51, 58
and 60 in \`behaviour.test.ts\`, 39 and 40 besides in \`memory.test.ts\`, 52 and 53 in \`endurance.test.ts\`, 54 to 57 in
\`local.test.ts\`. Row 59, that no secret is shown, is part of every row.
`
}).pipe(Effect.scoped, Effect.provide(FaultServer.layer))

const target = new URL("../../../../docs/faults.md", import.meta.url)
await writeFile(target, await Effect.runPromise(program))
// The connections of fetch and of the official client would keep the process for a while.
process.exit(0)
