/**
 * How long the emulator waits for clients.
 */
import * as Context from "effect/Context"

/** All in milliseconds. */
export class ClientLimits extends Context.Reference<ClientLimits>()("@effect-apify/emulator/internal/ClientLimits", {
  defaultValue: () => ({
    /** How long a client may take to send its headers. Slower ones get a 408 and are dropped. */
    headersTimeout: 10_000,
    /** How long a client may send nothing of a body, or send one that nobody reads. */
    bodyTimeout: 15_000,
    /** How often slow clients are looked for. */
    connectionsCheckingInterval: 1_000
  })
}) {}
