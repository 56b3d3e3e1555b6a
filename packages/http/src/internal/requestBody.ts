/**
 * What the headers of a request say about its body.
 */
import * as Headers from "@effect/platform/Headers"
import type { TransportBody } from "../Transport.js"

/** The headers with the length of a stream, where it was declared. Without it a stream is sent in chunks. */
export const withLength = (headers: Headers.Headers, body: TransportBody): Headers.Headers =>
  body._tag === "Stream" && body.length !== undefined
    ? Headers.set(headers, "content-length", String(body.length))
    : headers
