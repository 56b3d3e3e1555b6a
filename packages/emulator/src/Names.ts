/**
 * Segments of paths that name something by its owner and its name.
 *
 * @since 0.1.0
 */
import { emptyNameRefusal, type Refusal } from "@effect-apify/domain/Refusal"
import * as Either from "effect/Either"
import * as Option from "effect/Option"

/**
 * What a segment names: the part before the separator, if there is one, and the rest.
 *
 * @since 0.1.0
 * @category models
 */
export interface Named {
  readonly owner: Option.Option<string>
  readonly name: string
}

/**
 * Reads a segment. A name follows a `/` (percent-encoded in a path) or a `~`; the slash wins.
 *
 * @since 0.1.0
 * @category decoding
 */
export const parseName = (segment: string): Either.Either<Named, Refusal> => {
  const separator = segment.includes("/") ? "/" : "~"
  const at = segment.indexOf(separator)
  if (at === -1) return Either.right({ owner: Option.none(), name: segment })
  const name = segment.slice(at + 1)
  return name === "" ? Either.left(emptyNameRefusal) : Either.right({ owner: Option.some(segment.slice(0, at)), name })
}
