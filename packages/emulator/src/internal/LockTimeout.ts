/**
 * How long a statement waits for a lock.
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"

/**
 * How long a statement waits for another process that holds the file's lock. Requests of other clients are handled
 * meanwhile.
 */
export class LockTimeout extends Context.Reference<LockTimeout>()("@effect-apify/emulator/internal/LockTimeout", {
  defaultValue: () => Duration.millis(500)
}) {}
