/**
 * Imports one module in a fresh process, and prints how long that took, in milliseconds.
 */
const [specifier = ""] = process.argv.slice(2)

const since = performance.now()
await import(specifier)
console.log(JSON.stringify(performance.now() - since))
process.exit()
