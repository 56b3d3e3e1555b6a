/**
 * A process that serves the store, and prints its URL.
 */
import { listen, serveStore } from "./server.js"

const parent = process.ppid

console.log(await listen(serveStore()))

// Whoever started it and could not stop it is gone.
setInterval(() => process.ppid === parent || process.exit(), 1_000)
