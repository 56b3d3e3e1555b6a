/**
 * A process that serves the store, and reports its URL.
 */
import { report } from "./parent.js"
import { listen, serveStore } from "./server.js"

await report(await listen(serveStore()))
