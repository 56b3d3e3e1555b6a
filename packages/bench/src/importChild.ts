/**
 * Imports one module in a fresh process, and reports how long that took, in milliseconds.
 */
const [specifier = ""] = process.argv.slice(2)

const since = performance.now()
await import(specifier)
const millis = performance.now() - since

// Not before: it is not what is measured.
const { report } = await import("./parent.js")
await report(millis)
process.exit()
