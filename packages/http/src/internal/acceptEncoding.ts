/**
 * Whether a client decides how responses to it are compressed.
 */

/**
 * Whether this platform sends the `accept-encoding` that it is told to send. Browsers do not: there a response may be
 * compressed although it shows no `content-encoding`, and its `content-length` is that of the compressed body.
 */
export const sendsAcceptEncoding: () => boolean = (() => {
  let result: boolean | undefined
  return () => {
    result ??= new Request("http://localhost", { headers: { "accept-encoding": "identity" } }).headers.has(
      "accept-encoding"
    )
    return result
  }
})()
