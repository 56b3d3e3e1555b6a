/**
 * What every request by `fetch` must have: no redirects, which could take the token elsewhere; no cache; no cookies.
 */
import * as Predicate from "effect/Predicate"

const wanted = { redirect: "manual", cache: "no-store", credentials: "omit" } as const satisfies RequestInit

/** The options that are not the caller's to choose. */
export type ProtectedOption = keyof typeof wanted

let supported: RequestInit | undefined

/** Some runtimes throw for an option that they do not implement: it is left out there. */
export const protectedInit = (): RequestInit => {
  supported ??= {
    redirect: wanted.redirect,
    ...(takes({ cache: wanted.cache }) ? { cache: wanted.cache } : {}),
    ...(takes({ credentials: wanted.credentials }) ? { credentials: wanted.credentials } : {})
  }
  return supported
}

const takes = (init: RequestInit): boolean => {
  try {
    return new Request("http://localhost", init) instanceof Request
  } catch {
    return false
  }
}

/**
 * Unless it has both of these, Node's `fetch` copies a request for a redirect that may follow: with a stream for its body it
 * then keeps all that was sent, and reads from the stream before it has a connection.
 */
const withoutCopy: RequestInit = { redirect: "error", window: null }

/** What a request with a stream for its body must have. */
export const protectedStreamInit = (): RequestInit =>
  isNodes() && takes(withoutCopy) ? { ...protectedInit(), ...withoutCopy } : protectedInit()

/** A request by `fetch` that sends a stream. */
export const streamInit = (chunks: AsyncIterator<Uint8Array, undefined>): RequestInit => {
  if (!sendsStreams()) throw new TypeError("The fetch of this platform cannot send streams: send bytes")
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      pull: async (controller) => {
        const next = await chunks.next()
        if (next.done === true) controller.close()
        else controller.enqueue(new Uint8Array(next.value))
      }
    },
    { highWaterMark: 0 }
  )
  return { ...protectedStreamInit(), body: stream, ...{ duplex: "half" } }
}

let areStreamsSent: boolean | undefined

/** Whether `fetch` sends streams. Some browsers would send the text `[object ReadableStream]` instead, and report no error. */
const sendsStreams = (): boolean => {
  areStreamsSent ??= takesStream()
  return areStreamsSent
}

const takesStream = (): boolean => {
  try {
    const init = { method: "POST", body: new ReadableStream(), duplex: "half" }
    return !new Request("http://localhost", init).headers.has("content-type")
  } catch {
    return false
  }
}

/** Others, such as workerd, claim to be Node, and do not take its options. */
const isNodes = (): boolean =>
  Predicate.hasProperty(globalThis, "process") &&
  Predicate.hasProperty(globalThis.process, "versions") &&
  Predicate.hasProperty(globalThis.process.versions, "undici")

/** Whether Node's `fetch` failed because of a redirect, of which it tells nothing more then. */
export const isRedirect = (thrown: unknown): boolean =>
  Predicate.isError(thrown) && Predicate.isError(thrown.cause) && thrown.cause.message === "unexpected redirect"
