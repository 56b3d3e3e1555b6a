/**
 * Handle every error of `getStore`, each in its own way.
 *
 *     npx pnpm@12 tsx examples/handleErrors.ts
 *
 * It causes each error once, and prints what the program does about it.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { type ApifyClient, type GetStoreError, getStore, RetryPolicy, type Store } from "@effect-apify/http"
import { layerRespond } from "@effect-apify/http/testing"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Match from "effect/Match"
import * as Option from "effect/Option"
import * as Record from "effect/Record"
import { failures } from "./failures.js"

type Reaction = Data.TaggedEnum<{
  UseStore: { readonly store: Store }
  DoWithout: { readonly reason: string }
  TellUser: { readonly message: string }
  TryLater: { readonly wait: Duration.Duration }
  AlertOperator: { readonly message: string }
}>
const { AlertOperator, DoWithout, TellUser, TryLater, UseStore } = Data.taggedEnum<Reaction>()

const soon = Duration.minutes(1)

/** If a tag is missing, this does not compile. To handle one error alone: `Effect.catchTag("StoreNotFoundError", …)`. */
const reactionTo = Match.type<GetStoreError>().pipe(
  Match.withReturnType<Reaction>(),
  Match.tagsExhaustive({
    // The user can correct the reference or the token: the message says how.
    InvalidStoreRefError: ({ message }) => TellUser({ message }),
    BadRequestError: ({ message }) => TellUser({ message }),
    UnauthorizedError: ({ message }) => TellUser({ message }),
    ForbiddenError: ({ message }) => TellUser({ message }),
    PaymentRequiredError: ({ message }) => TellUser({ message }),
    // A store that does not exist may be a normal result.
    StoreNotFoundError: ({ ref }) => DoWithout({ reason: `there is no store ${ref}` }),
    // These may pass: the client's retries did not help, but a later call may.
    RateLimitedError: ({ retryAfter }) => TryLater({ wait: Option.getOrElse(retryAfter, () => soon) }),
    ServerError: ({ retryAfter }) => TryLater({ wait: Option.getOrElse(retryAfter, () => soon) }),
    TimeoutError: ({ limit }) => TryLater({ wait: Duration.max(limit, soon) }),
    TransportError: ({ message, retryable }) =>
      retryable === "Never" ? AlertOperator({ message }) : TryLater({ wait: soon }),
    // The server is not Apify, or Apify has changed.
    MethodNotAllowedError: ({ message }) => AlertOperator({ message }),
    UnexpectedResponseError: ({ message }) => AlertOperator({ message }),
    MalformedResponseError: ({ message }) => AlertOperator({ message })
  })
)

/** Never fails: there is a reaction to each error. */
const lookUp = (ref: string): Effect.Effect<Reaction, never, ApifyClient.ApifyClient> =>
  Effect.match(getStore(ref), { onSuccess: (store): Reaction => UseStore({ store }), onFailure: reactionTo })

const describe = (reaction: Reaction): string => {
  switch (reaction._tag) {
    case "UseStore":
      return `use ${reaction.store.id}`
    case "DoWithout":
      return `do without: ${reaction.reason}`
    case "TellUser":
      return `tell the user: ${reaction.message}`
    case "TryLater":
      return `try again in ${Duration.format(reaction.wait)}`
    case "AlertOperator":
      return `alert an operator: ${reaction.message}`
  }
}

const program = Effect.forEach(Record.toEntries(failures), ([tag, respond]) =>
  lookUp(tag === "InvalidStoreRefError" ? "my store" : "janedoe~my-store").pipe(
    Effect.flatMap((reaction) => Console.log(`${tag}\n  ${describe(reaction)}`)),
    Effect.provide(
      layerRespond(respond, {
        retry: RetryPolicy.none,
        attemptTimeout: tag === "TimeoutError" ? "100 millis" : "1 minute"
      })
    )
  )
)

NodeRuntime.runMain(program)
