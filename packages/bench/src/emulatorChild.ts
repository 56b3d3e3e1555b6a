/**
 * A process that runs the emulator with its demo and reports its URL, and then at each message the CPU that it has used, in
 * microseconds. With a file for its database and a number, so many records are put there first.
 */
import { Emulator } from "@effect-apify/emulator"
import * as Effect from "effect/Effect"
import Database from "libsql"
import { STORE_ID } from "./page.js"
import { report } from "./parent.js"

const [database = ":memory:", records = "0"] = process.argv.slice(2)

const emulator = Emulator.layer({ database })

if (records !== "0") {
  // Makes the tables and the demo.
  await Effect.runPromise(Effect.provide(Effect.void, emulator))
  const connection = new Database(database)
  connection.exec(`
    WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < ${Number(records)})
    INSERT INTO records (store_id, key, size, content_type, modified_at, body)
    SELECT '${STORE_ID}', printf('key-%08d', n), 1, 'text/plain', '2026-01-01T00:00:00.000Z', x'61' FROM numbers`)
  connection.close()
}

await Effect.gen(function* () {
  const { url } = yield* Emulator
  process.on("message", () => {
    const { system, user } = process.cpuUsage()
    return report(system + user)
  })
  yield* Effect.promise(() => report(url))
  return yield* Effect.never
}).pipe(Effect.provide(emulator), Effect.runPromise)
