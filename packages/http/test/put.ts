/**
 * An operation that sends a stream.
 */
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { bodyFromStream, type Operation } from "../src/index.js"

/** Puts a stream, which may be run again for each attempt. Its result is the status of the response. */
export const put = (stream: Stream.Stream<Uint8Array>): Operation<number> => ({
  name: "put",
  store: Option.none(),
  isIdempotent: true,
  isPaced: false,
  rate: "record",
  request: Either.right({
    method: "PUT",
    path: "/v2/put",
    body: bodyFromStream({ open: Stream.toPull(stream), isReplayable: true })
  }),
  decode: ({ status }) => Either.right(status)
})
