/**
 * A process that gets one path from the emulator by undici: some times to warm the server up, and then a number of times at
 * each message. What it gets of records is put there first.
 */
import { request } from "undici"
import { countRequests, warmUp } from "./load.js"
import { TOKEN } from "./page.js"
import { report } from "./parent.js"
import { promiseClient } from "./promiseClients.js"
import { bytesOf } from "./tasks.js"

const [baseUrl = "", path = "", inFlight = "", warmUpRequests = "", requests = ""] = process.argv.slice(2)

const url = baseUrl + path
const headers = { authorization: `Bearer ${TOKEN}` }

if (path.includes("/records/")) {
  const { body } = await request(url, { method: "PUT", headers, body: bytesOf(1_000) })
  await body.dump()
}

const client = promiseClient(async () => {
  const { body, statusCode } = await request(url, { headers })
  if (statusCode !== 200) throw new Error(`The emulator responded with ${statusCode}`)
  return body.text()
})
await warmUp({ inFlight: Number(inFlight) }, client, Number(warmUpRequests))

process.on("message", async () => report(await countRequests(Number(inFlight), client, Number(requests))))

await report("ready")
