/**
 * A process that serves the store, and tells its URL.
 */
import { listen, serveStore } from "./server.js"
import { tell } from "./tell.js"

await tell(await listen(serveStore()))
