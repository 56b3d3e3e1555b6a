/**
 * What an operation of Apify's API is to the client: a request, and the meaning of an answer.
 *
 * @since 0.1.0
 */

import type * as Headers from "@effect/platform/Headers"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type { GetStoreError } from "@effect-apify/domain/GetStoreError"
import type * as Duration from "effect/Duration"
import type * as Either from "effect/Either"
import type * as Option from "effect/Option"

/**
 * An answer with its body.
 *
 * @since 0.1.0
 * @category models
 */
export interface Answer {
  readonly status: number
  readonly headers: Headers.Headers
  readonly body: Uint8Array
  /** Whether the body went on after the cap; the rest was not read. */
  readonly truncated: boolean
}

/**
 * What was asked, and what it took until now: the part of an error that does not come from the answer.
 *
 * @since 0.1.0
 * @category models
 */
export interface Asked {
  readonly method: "GET"
  /** Without credentials. */
  readonly url: string
  readonly ref: string
  readonly attempts: number
  readonly elapsed: Duration.Duration
}

/**
 * What the meaning of an answer depends on besides the answer.
 *
 * @since 0.1.0
 * @category models
 */
export interface Circumstances {
  readonly asked: Asked
  /** The time by the wall clock, in milliseconds since 1970. */
  readonly now: number
  /** Where the token was read from; none where none was sent. */
  readonly tokenSource: Option.Option<string>
  /** Hides secrets in a text of the server's. */
  readonly redact: (text: string) => string
}

/**
 * An operation of Apify's API.
 *
 * @since 0.1.0
 * @category models
 */
export interface Operation<A> {
  /** Names its span and tags its metrics. */
  readonly name: string
  /** The store that it is about: the segment of the path. */
  readonly ref: string
  /** Its URL begins with the path: the client puts base URL, token and headers to it. */
  readonly request: HttpClientRequest.HttpClientRequest
  /**
   * Whether its requests go out no more often than Apify allows for one store, together with all others of the client that keep
   * to that. They do not unless told.
   */
  readonly isSpaced?: boolean
  /** What an answer means. What it throws is the call's defect. */
  readonly interpret: (answer: Answer, circumstances: Circumstances) => Either.Either<A, GetStoreError>
}
