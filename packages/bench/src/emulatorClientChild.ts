/**
 * A process that sends requests by undici: some to warm the server up, and then a number of them at each message.
 */
import { countRequests, warmUp } from "./load.js"
import { report } from "./parent.js"
import { undici } from "./promiseClients.js"

/** undici opens as many connections. */
const IN_FLIGHT = 32

const [baseUrl = "", warmUpRequests = "", requests = ""] = process.argv.slice(2)

const client = await undici(baseUrl)
await warmUp({ inFlight: IN_FLIGHT }, client, Number(warmUpRequests))

process.on("message", async () => report(await countRequests(IN_FLIGHT, client, Number(requests))))

await report("ready")
