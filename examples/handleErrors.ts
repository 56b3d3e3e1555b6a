/**
 * Handle every error of `getStore`, each in its own way.
 *
 *     npx tsx examples/handleErrors.ts
 *
 * Brings about each error once, and prints the reaction to it.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import type { GetStoreError, Store } from "@effect-apify/domain"
import { type ApifyClient, getStore, RetryPolicy } from "@effect-apify/http"
import { layerRespond } from "@effect-apify/http/testing"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Match from "effect/Match"
import * as Option from "effect/Option"
import * as Record from "effect/Record"
import { troubles } from "./troubles.js"

type Reaction = Data.TaggedEnum<{
  UseStore: { readonly store: Store }
  CarryOnWithout: { readonly reason: string }
  AskUser: { readonly message: string }
  TryLater: { readonly wait: Duration.Duration }
  CallOperator: { readonly message: string }
}>
const { AskUser, CallOperator, CarryOnWithout, TryLater, UseStore } = Data.taggedEnum<Reaction>()

const soon = Duration.minutes(1)

/** Leave a tag out, and this no longer compiles. To handle one alone: `Effect.catchTag("StoreNotFoundError", …)`. */
const reactionTo = Match.type<GetStoreError>().pipe(
  Match.withReturnType<Reaction>(),
  Match.tagsExhaustive({
    // Whoever gave the reference or the token can put it right: each message says how.
    InvalidStoreRefError: ({ message }) => AskUser({ message }),
    BadRequestError: ({ message }) => AskUser({ message }),
    UnauthorizedError: ({ message }) => AskUser({ message }),
    ForbiddenError: ({ message }) => AskUser({ message }),
    PaymentRequiredError: ({ message }) => AskUser({ message }),
    // No store is an answer too.
    StoreNotFoundError: ({ ref }) => CarryOnWithout({ reason: `there is no store ${ref}` }),
    // It passes by itself: the client's retries were not enough, but a later call may be.
    RateLimitedError: ({ retryAfter }) => TryLater({ wait: Option.getOrElse(retryAfter, () => soon) }),
    ServerError: ({ retryAfter }) => TryLater({ wait: Option.getOrElse(retryAfter, () => soon) }),
    TimeoutError: ({ limit }) => TryLater({ wait: Duration.max(limit, soon) }),
    TransportError: ({ message, retryable }) =>
      retryable === "Never" ? CallOperator({ message }) : TryLater({ wait: soon }),
    // Something else than Apify answers, or Apify has changed.
    MethodNotAllowedError: ({ message }) => CallOperator({ message }),
    UnexpectedResponseError: ({ message }) => CallOperator({ message }),
    MalformedResponseError: ({ message }) => CallOperator({ message })
  })
)

/** Never fails: every error has become a reaction. */
const lookUp = (ref: string): Effect.Effect<Reaction, never, ApifyClient> =>
  Effect.match(getStore(ref), { onSuccess: (store): Reaction => UseStore({ store }), onFailure: reactionTo })

const describe = (reaction: Reaction): string => {
  switch (reaction._tag) {
    case "UseStore":
      return `use ${reaction.store.id}`
    case "CarryOnWithout":
      return `carry on without: ${reaction.reason}`
    case "AskUser":
      return `ask the user: ${reaction.message}`
    case "TryLater":
      return `try again in ${Duration.format(reaction.wait)}`
    case "CallOperator":
      return `call an operator: ${reaction.message}`
  }
}

const program = Effect.forEach(Record.toEntries(troubles), ([tag, respond]) =>
  lookUp(tag === "InvalidStoreRefError" ? "my store" : "janedoe~my-store").pipe(
    Effect.flatMap((reaction) => Console.log(`${tag}\n  ${describe(reaction)}`)),
    Effect.provide(layerRespond(respond, { retry: RetryPolicy.none, attemptTimeout: "1 second" }))
  )
)

NodeRuntime.runMain(program)
