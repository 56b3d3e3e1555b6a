/**
 * A process that puts one client under one load: it warms the client up, and then counts for as many milliseconds as each
 * message says. Run by hand, it counts once:
 *
 *     node --cpu-prof packages/bench/dist/loadChild.js "getStore, UndiciTransport" '{"inFlight":32}' http://127.0.0.1:1234 10000
 */
import { contenders } from "./contenders.js"
import { count, type Load, warmUp } from "./load.js"
import { STORE_ID } from "./page.js"
import { report } from "./parent.js"

const [name = "", json = "", baseUrl = "", warmUpRequests = ""] = process.argv.slice(2)

const make = await contenders[name]?.()
if (make === undefined) throw new Error(`There is no contender ${JSON.stringify(name)}`)
const client = await make(baseUrl)

const store = JSON.stringify(await client.get())
if (!store.includes(STORE_ID)) throw new Error(`${name} did not get the store`)

const load: Load = JSON.parse(json)
await warmUp(load, client, Number(warmUpRequests))

process.on("message", async (duration) => report(await count(load, client, Number(duration))))

if (process.send === undefined) {
  await report(await count(load, client, 5_000))
  process.exit()
}
await report("ready")
