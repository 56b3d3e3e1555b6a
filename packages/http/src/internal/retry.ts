/**
 * The one place that decides whether and when to try again.
 */
import { type CallError, gaveUpBecause, type TransportReason } from "@effect-apify/domain/CallError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { CallLimits } from "../CallOptions.js"
import * as RetryPolicy from "../RetryPolicy.js"

/** What a call has been through. */
export interface History {
  /** Retries that the budget paid for. */
  readonly charged: number
  /** Whether an error that is retried once was. */
  readonly hasRetriedOnce: boolean
  /** Whether a connection that the server had closed was retried. */
  readonly hasRetriedReused: boolean
  /** What the last attempt failed with. */
  readonly lastError: Option.Option<CallError>
}

/** The history of a call that begins. */
export const beginning: History = {
  charged: 0,
  hasRetriedOnce: false,
  hasRetriedReused: false,
  lastError: Option.none()
}

/** What the decision depends on, besides the error and the history. */
interface RetryConditions {
  readonly limits: CallLimits
  /** Requests sent. */
  readonly attempts: number
  /** Milliseconds until the deadline of the call. */
  readonly remaining: number
  /** Whether the request may be sent again even if the server has carried it out. */
  readonly isIdempotent: boolean
  /** Whether the body can be sent again. */
  readonly isBodyIntact: boolean
}

/** Either to try again after a wait, with the history that the call has then, or the error with which the call ends. */
type Verdict =
  | {
      readonly _tag: "Retry"
      readonly waitMillis: number
      readonly history: History
      /** Whether the retry is charged to the budget, once the wait is over. */
      readonly isCharged: boolean
    }
  | { readonly _tag: "Stop"; readonly error: CallError }

const stop = (error: CallError): Verdict => ({ _tag: "Stop", error })

/** The statuses with which a server that works refuses a request. */
const refusals: ReadonlySet<string> = new Set<CallError["_tag"]>([
  "BadRequestError",
  "UnauthorizedError",
  "PaymentRequiredError",
  "ForbiddenError",
  "MethodNotAllowedError"
])

/** Whether an error shows that the server works. */
export const isRefusal = (error: CallError): boolean => refusals.has(error._tag)

/** Whether the connection failed that had served an earlier request. */
const isStale = (error: CallError): boolean => error._tag === "TransportError" && error.reused

/** Why a request did not reach the server. */
const unsent: ReadonlySet<TransportReason> = new Set<TransportReason>([
  "dns",
  "connect",
  "tls",
  "proxy",
  "request",
  "file"
])

/** Whether the server may have carried out the request although the attempt failed. */
export const mayBeCarriedOut = (error: CallError): boolean => {
  switch (error._tag) {
    case "TransportError":
      return !unsent.has(error.reason)
    case "UnexpectedResponseError":
      return error.status < 400 || error.status >= 500 || error.status === 408
    case "RateLimitedError":
      return false
    default:
      return !isRefusal(error)
  }
}

/**
 * Decides what follows an error.
 *
 * - An error that another attempt cannot help, or after which the request must not be sent again, ends the call.
 * - So does any error once the policy's retries are used up, or where the wait would pass the deadline: then at once, and
 *   the error says so.
 * - A connection that the server closed while it was idle says nothing about the server: once in a call, the request is
 *   sent again at once and free of charge.
 * - A 429 is not charged to the budget: the rate limiter takes care of it.
 */
export const decide = (
  error: CallError,
  history: History,
  { attempts, isBodyIntact, isIdempotent, limits, remaining }: RetryConditions
): Effect.Effect<Verdict> => {
  if (!isIdempotent && mayBeCarriedOut(error)) return Effect.succeed(stop(gaveUpBecause(error, "unsafe")))
  const { retryable } = error
  if (retryable === "Never" || (retryable === "Once" && history.hasRetriedOnce)) return Effect.succeed(stop(error))
  if (!isBodyIntact) return Effect.succeed(stop(error))
  if (attempts > limits.retry.retries || !limits.retry.while(error)) {
    return Effect.succeed(stop(gaveUpBecause(error, "retries")))
  }
  return Effect.map(RetryPolicy.delay(limits.retry, attempts), (delay) => {
    const next = { ...history, lastError: Option.some(error) }
    if (isStale(error) && !history.hasRetriedReused) {
      return { _tag: "Retry", waitMillis: 0, isCharged: false, history: { ...next, hasRetriedReused: true } }
    }
    const floor = Option.getOrElse(RetryPolicy.retryAfterOf(error), () => Duration.zero)
    const waitMillis = Math.max(Duration.toMillis(delay), Duration.toMillis(floor))
    if (waitMillis >= remaining) return stop(gaveUpBecause(error, "deadline"))
    const isCharged = error._tag !== "RateLimitedError"
    return {
      _tag: "Retry",
      waitMillis,
      isCharged,
      history: {
        ...next,
        charged: history.charged + (isCharged ? 1 : 0),
        hasRetriedOnce: history.hasRetriedOnce || retryable === "Once"
      }
    }
  })
}
