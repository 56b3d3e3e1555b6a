/**
 * Who decides how fast a client's paced calls are sent: the client by itself, or something that several clients share.
 *
 * Paced are the calls that send many requests, such as those of `listKeys` and `getRecords`. No other call needs a slot.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import type { RateClass } from "./Operation.js"

/**
 * A span of time in which a client may send requests.
 *
 * @since 0.1.0
 * @category models
 */
export interface Slot {
  /** How long until it begins: a finite time. */
  readonly delay: Duration.Duration
  /** How long it lasts from then on: more than 0. What has not been sent by its end needs another slot. */
  readonly lasts: Duration.Duration
  /** How many requests may be sent in it: 1 or more. The client spaces them as it does by itself. */
  readonly requests: number
}

/**
 * The slots of one client. It requests one slot at a time for each store and class of requests, and only while calls wait.
 *
 * @since 0.1.0
 * @category models
 */
export interface Slots {
  /**
   * The next slot for a store, which is named in lower case. It should not take long: calls wait for it, by their deadlines at most. If
   * it dies, or gives no slot that can be used, the call that waits longest ends with that defect, and the next one requests a slot again.
   */
  readonly next: (store: string, rate: RateClass) => Effect.Effect<Slot>
}

/**
 * What clients can share to keep to Apify's rate limits together.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** The slots of the client with this base URL and token. */
  readonly slotsOf: (client: {
    readonly baseUrl: string
    readonly token: Option.Option<Redacted.Redacted>
  }) => Effect.Effect<Slots>
}

/**
 * What a client shares its pace with. By default nothing: each client paces its calls by itself. A client's layer looks for it
 * when it is built, so provide it to that layer, as `SharedPacing` shows.
 *
 * @since 0.1.0
 * @category tags
 */
export class Pacing extends Context.Reference<Pacing>()("@effect-apify/http/Pacing", {
  defaultValue: (): Option.Option<Service> => Option.none()
}) {}
