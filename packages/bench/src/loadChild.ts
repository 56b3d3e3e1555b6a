/**
 * A process that puts one client under one load, and prints what was counted.
 *
 *     node loadChild.js "getStore, layerNode" '{"inFlight":32}' http://127.0.0.1:1234 1000 2000
 */
import { contenders } from "./contenders.js"
import { apply, type Load, Meter } from "./load.js"
import { STORE_ID } from "./page.js"

const [name = "", load = "", baseUrl = "", warmUp = "", duration = ""] = process.argv.slice(2)

const make = await contenders[name]?.()
if (make === undefined) throw new Error(`There is no contender ${JSON.stringify(name)}`)
const client = await make(baseUrl)

const answer = JSON.stringify(await client.get())
if (!answer.includes(STORE_ID)) throw new Error(`${name} did not get the store`)

const parsed: Load = JSON.parse(load)
const meter = new Meter(Number(warmUp), Number(duration))
await apply(parsed, client, meter)
console.log(JSON.stringify(meter.counted))
// Connections that are kept alive would hold it back.
process.exit()
