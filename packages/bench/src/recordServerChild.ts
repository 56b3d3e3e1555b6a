/**
 * A process that serves records, and reports its URL.
 */
import { report } from "./parent.js"
import { serveRecords } from "./recordServer.js"
import { listen } from "./server.js"

await report(await listen(serveRecords()))
