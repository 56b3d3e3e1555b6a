/**
 * The connection by which Apify's platform tells an Actor what is about to happen.
 */
import * as Socket from "@effect/platform/Socket"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import type * as PubSub from "effect/PubSub"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import type { ActorEvent } from "../ActorEvent.js"

const FIRST_WAIT = Duration.seconds(1)
const LONGEST_WAIT = Duration.seconds(30)

/** Doubles with each failure. Random, as all runs on a server lose their connections together. */
const waitAfter = (failures: number): Effect.Effect<void> => {
  const wait = Duration.min(Duration.times(FIRST_WAIT, 2 ** failures), LONGEST_WAIT)
  return Effect.flatMap(Random.nextRange(0.5, 1), (part) => Effect.sleep(Duration.times(wait, part)))
}

/** Publishes the platform's events, and connects again whenever the connection is lost. */
export const listenTo = (
  url: Redacted.Redacted,
  events: PubSub.PubSub<ActorEvent>
): Effect.Effect<never, never, Socket.WebSocketConstructor> =>
  Effect.flatMap(Socket.makeWebSocket(Redacted.value(url), { closeCodeIsError: () => false }), (socket) => {
    let failures = 0
    const onOpen = Effect.sync(() => {
      failures = 0
    })
    // At once, and not as an effect: that would be interrupted by a connection that ends after the message.
    const receive = (message: string | Uint8Array): void => {
      const event = eventOf(message)
      // Not unsafeOffer, which leaves out the newest event where there is no room. Once the layer has ended, publish is interrupted. A
      // listener must not throw that: it would end the program.
      if (event !== undefined) Effect.runSyncExit(events.publish(event))
    }
    return Effect.suspend(() => socket.runRaw(receive, { onOpen })).pipe(
      Effect.as("it was closed"),
      // What the errors are caused by may show the URL, which may be all that it takes to connect.
      Effect.catchAll(({ reason }) => Effect.succeed(`${reason} failed`)),
      Effect.catchAllDefect(() => Effect.succeed("the runtime has no WebSocket, or none for its URL")),
      Effect.tap((problem) => Effect.logWarning(`No connection to the platform's events: ${problem}. Trying again.`)),
      Effect.zipRight(Effect.suspend(() => waitAfter(failures++))),
      Effect.forever
    )
  })

const utf8 = new TextDecoder()

/** What is no event is left out: the platform may say more than is known. */
const eventOf = (message: string | Uint8Array): ActorEvent | undefined => {
  try {
    const json: unknown = JSON.parse(Predicate.isString(message) ? message : utf8.decode(message))
    return Predicate.hasProperty(json, "name") && Predicate.isString(json.name)
      ? { name: json.name, data: Predicate.hasProperty(json, "data") ? json.data : undefined }
      : undefined
  } catch {
    return undefined
  }
}
