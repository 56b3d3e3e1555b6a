/**
 * A name server of our own: look-ups fail as they do on the internet, and no query leaves this machine.
 */
import dns from "node:dns"
import { isIP } from "node:net"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

export const UNKNOWN_NAME = "no-such-name.test"
export const BUSY_NAME = "busy-name-server.test"

const failure = (code: string, hostname: string): Error =>
  Object.assign(new Error(`getaddrinfo ${code} ${hostname}`), { code, syscall: "getaddrinfo", hostname })

/** Fails every look-up but this machine's names until the scope ends. */
export const brokenNames: Effect.Effect<void, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => {
    const lookup = dns.lookup
    const broken = (
      hostname: string,
      options: dns.LookupAllOptions,
      done: (error: NodeJS.ErrnoException | null, addresses: Array<dns.LookupAddress>) => void
    ): void => {
      if (hostname === BUSY_NAME) process.nextTick(done, failure("EAI_AGAIN", hostname))
      else if (hostname === "localhost" || isIP(hostname) !== 0) lookup(hostname, options, done)
      else process.nextTick(done, failure("ENOTFOUND", hostname))
    }
    Object.defineProperty(dns, "lookup", { value: broken, configurable: true, writable: true })
    return lookup
  }),
  (lookup) =>
    Effect.sync(() => Object.defineProperty(dns, "lookup", { value: lookup, configurable: true, writable: true }))
)
