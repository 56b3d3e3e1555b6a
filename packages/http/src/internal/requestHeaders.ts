/**
 * The headers of a request.
 */
import * as Headers from "@effect/platform/Headers"
import type { TransportBody } from "../Transport.js"

/** The headers with the length of a stream, where it was declared. Without it a stream is sent in chunks. */
export const withLength = (headers: Headers.Headers, body: TransportBody): Headers.Headers =>
  body._tag === "Stream" && body.length !== undefined
    ? Headers.set(headers, "content-length", String(body.length))
    : headers

/** How many bytes the headers take in a request. */
export const sizeOfHeaders = (headers: Headers.Headers): number =>
  Object.entries(headers).reduce((size, [name, value]) => size + name.length + value.length + ": \r\n".length, 0)
