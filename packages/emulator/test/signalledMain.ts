/**
 * The command line with a signal to itself at the first store that it loads: the load's transaction is open then, and the
 * event loop runs many times before its end.
 */
import Database from "libsql"

let isSignalled = false

Object.assign(Database.prototype, {
  prepare: new Proxy(Database.prototype.prepare, {
    apply: (prepare, database, args: [string]) => {
      if (!isSignalled && /^\s*INSERT INTO "?stores\b/.test(args[0])) {
        isSignalled = true
        process.kill(process.pid, "SIGTERM")
      }
      return Reflect.apply(prepare, database, args)
    }
  })
})

void import("../src/main.js")
