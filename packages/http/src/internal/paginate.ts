/**
 * Listings as streams, which get a page when its items are needed.
 */
import type { CallError } from "@effect-apify/domain/CallError"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { ApifyClient } from "../ApifyClient.js"
import type { CallOptions } from "../CallOptions.js"
import type { Pages } from "./pages.js"

/**
 * The items of all pages. Where a page has an item that is not valid, those before it are given, and then its error.
 *
 * @param begin the pages of a new listing, for each run of the stream
 */
export const paginate = <A, Page, E>(
  begin: () => Pages<A, Page, E>,
  options?: CallOptions
): Stream.Stream<A, E | CallError, ApifyClient> =>
  Stream.unwrap(
    Effect.map(ApifyClient, (client) => {
      const pages = begin()
      let failure: Option.Option<E | CallError> = Option.none()
      const pull = Effect.suspend(() => {
        const operation = Option.isSome(failure) ? undefined : pages.next()
        if (operation === undefined) return Effect.fail(failure)
        return Effect.matchEffect(client.run(operation, options), {
          onFailure: (error) => {
            failure = Option.some(error)
            return Effect.succeed(Chunk.unsafeFromArray(pages.takeLast(operation.received)))
          },
          onSuccess: (page) => Effect.succeed(Chunk.unsafeFromArray(pages.take(page)))
        })
      })
      return Stream.repeatEffectChunkOption(pull)
    })
  )
