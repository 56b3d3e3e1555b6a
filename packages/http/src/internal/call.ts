/**
 * One call: attempts within their time, waits in between, and an end by the deadline.
 */
import type * as Headers from "@effect/platform/Headers"
import {
  type CallError,
  describeFailure,
  gaveUpBecause,
  isCallError,
  TimeoutError,
  TransportError
} from "@effect-apify/domain/CallError"
import { originAndPath, REDACTED, redactor } from "@effect-apify/domain/Redaction"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import { constVoid } from "effect/Function"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Runtime from "effect/Runtime"
import * as Tracer from "effect/Tracer"
import type { CallLimits } from "../CallOptions.js"
import type { CallSummary, DecodeContext, Operation, OperationRequest } from "../Operation.js"
import type { ResponseHead, TransportRequest, TransportService } from "../Transport.js"
import { monotonicMillis, setAlarm } from "./alarm.js"
import type { Bag } from "./bag.js"
import { parametersOf, queryOf } from "./query.js"
import { awaitPermit, type RateLimiter } from "./rateLimiter.js"
import { requestProblem } from "./requestProblem.js"
import { beginning, decide, type History, isRefusal, mayBeCarriedOut } from "./retry.js"
import type { RetryBudget } from "./retryBudget.js"
import {
  countCall,
  countRetry,
  type ServerAttributes,
  type Telemetry,
  timeRequest,
  withCallSpan,
  withinSpan
} from "./telemetry.js"

/** What ends with the client. */
export interface Closable {
  place: number
  /** Ends it with the error of a closed client. */
  close(): void
}

/** What all calls of a client share. */
export interface Client {
  readonly transport: TransportService
  /** Scheme, host and port, without a slash at the end. */
  readonly origin: string
  /** The path of the base URL, without a slash at the end. */
  readonly basePath: string
  /** The headers of a request: its own, and what every request has, credentials included. */
  readonly headersWith: (own: OperationRequest["headers"]) => Headers.Headers
  /** Where the token was read from. */
  readonly tokenSource: Option.Option<string>
  readonly server: ServerAttributes
  /** Removes secrets from a text of the server's. */
  readonly redact: (text: string) => string
  readonly budget: RetryBudget
  readonly limiter: RateLimiter
  /** What is under way. */
  readonly open: Bag<Closable>
  isClosed: boolean
  /** Whether it has warned that it has no connection to the server. */
  hasWarned: boolean
}

/** A request under way. */
interface Sent {
  /** When its attempt began. */
  readonly sentAt: number
  /** The start of the response, once there is one. */
  readonly head: ResponseHead | undefined
}

/** What a call is about, apart from what its responses mean. */
export type CallOperation<E> = Omit<Operation<never, E>, "decode">

/** One call under way. A class, as all that lives as long as a call should be (docs/decisions/0011). */
export class Call<E> implements Closable {
  place = 0
  readonly clock: Clock.Clock
  /** In whole milliseconds of a clock that never jumps. */
  readonly start: number
  /** The path and the query of the request. */
  readonly path: string
  /** The same without the signature of a link. */
  readonly shownPath: string
  /** Removes secrets from a text of the server's. */
  readonly redact: (text: string) => string
  /** What the rate limit and the retry budget know the store by. Names are case-insensitive. */
  readonly storeKey: string
  /**
   * Ends the attempt or the wait that is under way, and waits for its end. The call's own end runs it where the call is
   * interrupted: a canceler of `Effect.async` would miss an interruption between two of them.
   */
  stop: Effect.Effect<void> = Effect.void
  /** Ends the attempt or the wait that is under way with the error of a closed client. */
  close: () => void = constVoid
  /** Whether a permit of the rate limiter was used for the attempt that is under way. */
  hasPermit = false
  /** Whether the stream of the body failed: then the call ends with its error, whatever the error is. */
  hasSourceFailed = false
  /** Whether the stream of the body was read from. */
  hasReadBody = false
  /** Whether the server may have carried out an earlier attempt. */
  mayBeCarriedOut = false
  attempts = 0
  /** The request of the attempt that is under way; of a redirect that is followed, the one to which it led. */
  sent: Sent | undefined

  constructor(
    readonly client: Client,
    readonly operation: CallOperation<E>,
    readonly request: OperationRequest<E>,
    readonly limits: CallLimits,
    readonly telemetry: Telemetry,
    /** The caller's. */
    readonly fiber: Fiber.RuntimeFiber<unknown, unknown>
  ) {
    this.clock = Context.get(fiber.currentDefaultServices, Clock.Clock)
    this.start = monotonicMillis(this.clock)
    const { query, signature } = request
    const path = client.basePath + request.path
    const parameters = query === undefined ? [] : parametersOf(query)
    if (signature === undefined) {
      this.path = path + queryOf(parameters)
      this.shownPath = this.path
      this.redact = client.redact
    } else {
      if (!Redacted.isRedacted(signature)) throw new Cause.IllegalArgumentException(SIGNATURE_EXPECTED)
      const secret = Redacted.value(signature)
      const hide = redactor([secret])
      this.path = path + queryOf([...parametersOf({ signature: secret }), ...parameters])
      this.shownPath = path + queryOf([`signature=${REDACTED}`, ...parameters])
      this.redact = (text) => client.redact(hide(text))
    }
    this.storeKey = Option.match(operation.store, { onNone: () => "", onSome: (store) => store.toLowerCase() })
  }
}

const SIGNATURE_EXPECTED = "signature must be a Redacted string: use Redacted.make"

const elapsedMillis = <E>({ clock, start }: Call<E>): number => monotonicMillis(clock) - start

/** Milliseconds until the deadline. */
export const remainingMillis = <E>(call: Call<E>): number =>
  Duration.toMillis(call.limits.callTimeout) - elapsedMillis(call)

/** What was requested, for errors: by the redirect that was followed, where the attempt had got that far. */
export const summaryOf = <E>(call: Call<E>, request?: TransportRequest): CallSummary => ({
  operation: call.operation.name,
  method: call.request.method,
  url: request?.isRedirected === true ? shownTarget(call, request) : call.client.origin + call.shownPath,
  store: call.operation.store,
  attempts: call.attempts,
  elapsed: Duration.millis(elapsedMillis(call))
})

const shownTarget = ({ redact }: Call<unknown>, { origin, path }: TransportRequest): string =>
  redact(Option.getOrElse(originAndPath(origin + path), () => origin))

/** What decoding a response may need. A caller's operation may print or copy it, so it holds nothing else. */
export const decodeContextOf = <E>(call: Call<E>, isAnonymous: boolean, attempted: TransportRequest): DecodeContext => {
  const { client, clock, limits, redact, request } = call
  const isSigned = request.signature !== undefined
  return {
    call: summaryOf(call, attempted),
    now: clock.unsafeCurrentTimeMillis(),
    tokenSource: isAnonymous || isSigned ? Option.none() : client.tokenSource,
    isTokenWithheld: isAnonymous && !isSigned && Option.isSome(client.tokenSource),
    isRedirected: attempted.isRedirected === true,
    mayBeRepetition: call.mayBeCarriedOut,
    maxBodyBytes: limits.maxBodyBytes,
    redact
  }
}

/** The error of a call whose client was closed. */
export const closedError = <E>(call: Call<E>, description?: string): TransportError =>
  new TransportError({ ...summaryOf(call), reason: "closed", description: Option.fromNullable(description) })

/** The error of a request that was not sent. Its path is not shown. */
const unsendable = <E>(call: Call<E>, problem: string): TransportError =>
  new TransportError({
    ...summaryOf(call),
    url: call.client.origin + call.client.basePath,
    reason: "request",
    description: Option.some(problem),
    permanent: true
  })

/** The error of a call that ran out of time. */
export const callTimeout = <E>(call: Call<E>, history: History): TimeoutError =>
  new TimeoutError({
    ...summaryOf(call),
    phase: "call",
    limit: call.limits.callTimeout,
    lastFailure: Option.map(history.lastError, ({ message }) => message)
  })

/** Makes one attempt. */
export type MakeAttempt<A, E> = (call: Call<E>, history: History) => Effect.Effect<A, E | CallError>

/** Ends a call whose request cannot be sent. */
const failUnsent = <E>(telemetry: Telemetry, error: E): Exit.Exit<never, E> => {
  const exit = Exit.fail(error)
  countCall(telemetry, 0, 0, exit)
  return exit
}

/** Runs an operation to its end: its result, or what its last attempt failed with. */
export const run = <A, E>(
  client: Client,
  operation: CallOperation<E>,
  limits: CallLimits,
  attempt: MakeAttempt<A, E>
): Effect.Effect<A, E | CallError> =>
  withCallSpan(operation.name, operation.store, (telemetry, fiber) => {
    const { request } = operation
    if (Either.isLeft(request)) return failUnsent(telemetry, request.left)
    const call = new Call(client, operation, request.right, limits, telemetry, fiber)
    const problem = requestProblem(request.right)
    if (problem !== undefined) return failUnsent(telemetry, unsendable(call, problem))
    const attempts = Effect.suspend(() => {
      client.open.add(call)
      return attemptsFrom(call, attempt, beginning)
    })
    return Effect.onExit(attempts, (exit) => {
      client.open.remove(call)
      if (call.hasPermit) reportPermit(call, exit)
      timeAttempt(call, exit)
      countCall(telemetry, call.attempts, elapsedMillis(call), exit)
      return Exit.isInterrupted(exit) ? call.stop : Effect.void
    })
  })

/** An attempt, once the rate limiter permits it, and after a failure those that may still help. */
const attemptsFrom = <A, E>(
  call: Call<E>,
  attempt: MakeAttempt<A, E>,
  history: History
): Effect.Effect<A, E | CallError> => {
  if (call.client.isClosed) return Effect.fail(closedError(call))
  if (isPermitted(call)) return attemptFrom(call, attempt, history)
  return Effect.flatMap(permit(call), (isPermitted) =>
    isPermitted ? attemptFrom(call, attempt, history) : Effect.fail(outOfTime(call, history))
  )
}

const attemptFrom = <A, E>(
  call: Call<E>,
  attempt: MakeAttempt<A, E>,
  history: History
): Effect.Effect<A, E | CallError> =>
  Effect.matchCauseEffect(attempt(call, history), {
    // `Effect.catchAll` leaves more behind, and lets through a defect beside a failure, which may hold a transport's secrets.
    onFailure: (cause) => {
      timeAttempt(call, Exit.failCause(cause))
      return call.hasSourceFailed
        ? Effect.failCause(cause)
        : Either.match(Cause.failureOrCause(cause), {
            onLeft: (error): Effect.Effect<A, E | CallError> => {
              if (isCallError(error)) return afterFailure(call, attempt, history, error)
              succeeded(call, history)
              return Effect.fail(error)
            },
            onRight: Effect.failCause
          })
    },
    onSuccess: (result) => {
      timeAttempt(call, Exit.void)
      succeeded(call, history)
      return Effect.succeed(result)
    }
  })

/** Times the attempt that has ended, if it has sent a request. */
const timeAttempt = <E>(call: Call<E>, exit: Exit.Exit<unknown, unknown>): void => {
  const { client, clock, request, sent, telemetry } = call
  if (sent === undefined) return
  call.sent = undefined
  const millis = monotonicMillis(clock) - sent.sentAt
  timeRequest(telemetry, { method: request.method, server: client.server, millis, head: sent.head }, exit)
}

/** The server works: the budget gets back what the call's retries took. */
const succeeded = <E>(call: Call<E>, history: History): void =>
  call.client.budget.succeeded(call.storeKey, history.charged)

/** Whether a request may be sent now. Calls that are not paced ask the limiter only after a 429. */
const isPermitted = <E>(call: Call<E>): boolean => {
  const { client, clock, operation, storeKey } = call
  const now = monotonicMillis(clock)
  call.hasPermit = false
  if (!operation.isPaced && !client.limiter.isHeldBack(storeKey, operation.rate, now)) return true
  call.hasPermit = client.limiter.take(storeKey, operation.rate, now, operation.isPaced)
  return call.hasPermit
}

/** Tells the limiter whether the call had time for the response. */
const reportPermit = <E>({ client, operation, storeKey }: Call<E>, exit: Exit.Exit<unknown, unknown>): void => {
  if (Exit.isInterrupted(exit) || isCallTimeout(exit)) {
    client.limiter.wasted(storeKey, operation.rate)
  } else {
    client.limiter.served(storeKey, operation.rate)
  }
}

const isCallTimeout = (exit: Exit.Exit<unknown, unknown>): boolean =>
  Exit.isFailure(exit) &&
  Option.exists(Cause.failureOption(exit.cause), (error) => error instanceof TimeoutError && error.phase === "call")

/** Waits for a permit, and says whether there is one before the deadline. */
const permit = <E>(call: Call<E>): Effect.Effect<boolean, CallError> =>
  waiting(call, (end) => {
    const { client, clock, limits, operation, start, storeKey } = call
    const deadline = start + Duration.toMillis(limits.callTimeout)
    const notify = (exit: Exit.Exit<boolean>): void => {
      call.hasPermit = Exit.isSuccess(exit) && exit.value
      end(exit)
    }
    return awaitPermit(client.limiter, storeKey, operation.rate, clock, deadline, notify, operation.isPaced)
  })

/** Tries again, after a wait, or ends the call. */
const afterFailure = <A, E>(
  call: Call<E>,
  attempt: MakeAttempt<A, E>,
  history: History,
  error: CallError
): Effect.Effect<A, E | CallError> =>
  Effect.gen(function* () {
    const { client, limits, operation, request, storeKey, telemetry } = call
    if (isRefusal(error)) succeeded(call, history)
    call.mayBeCarriedOut ||= mayBeCarriedOut(error)
    const verdict = yield* decide(error, history, {
      limits,
      attempts: call.attempts,
      remaining: remainingMillis(call),
      isIdempotent: operation.isIdempotent,
      isBodyIntact: request.body?._tag !== "Stream" || request.body.isReplayable || !call.hasReadBody
    })
    if (verdict._tag === "Stop") return yield* Effect.fail(verdict.error)
    yield* withinSpan(
      telemetry,
      Effect.logDebug(
        `${operation.name}${Option.match(operation.store, { onNone: () => "", onSome: (store) => ` ${store}` })}: ${describeFailure(error)}, trying again in ${Duration.format(verdict.waitMillis)}`
      )
    )
    // With a wrong base URL, a program would be silent until its call has run out of time. Once: calls may be many.
    if (!client.hasWarned && error._tag === "TransportError" && !mayBeCarriedOut(error)) {
      client.hasWarned = true
      yield* withinSpan(telemetry, Effect.logWarning(`${error.message} Trying again.`))
    }
    yield* sleep(call, verdict.waitMillis)
    // Charged after the wait: the budget then knows what became of other calls meanwhile (docs/decisions/0014).
    if (verdict.isCharged && !client.budget.take(storeKey, monotonicMillis(call.clock))) {
      return yield* Effect.fail(gaveUpBecause(error, "budget"))
    }
    countRetry(telemetry, error._tag)
    return yield* attemptsFrom(call, attempt, verdict.history)
  })

const sleep = <E>(call: Call<E>, millis: number): Effect.Effect<void, CallError> =>
  millis <= 0 ? Effect.void : waiting(call, (end) => setAlarm(call.clock, millis, () => end(Exit.void)))

/** Waits for what `begin` starts, until the client is closed at most. */
const waiting = <A, E>(
  call: Call<E>,
  begin: (end: (exit: Exit.Exit<A, CallError>) => void) => () => void
): Effect.Effect<A, CallError> =>
  Effect.async((resume) => {
    // The client may have been closed since the last attempt.
    if (call.client.isClosed) return resume(Effect.fail(closedError(call)))
    let cancel = constVoid
    const end = (exit: Exit.Exit<A, CallError>): void => {
      call.stop = Effect.void
      call.close = constVoid
      resume(exit)
    }
    call.stop = Effect.sync(() => cancel())
    call.close = () => {
      cancel()
      end(Exit.fail(closedError(call)))
    }
    cancel = begin(end)
  })

/** The error of a call that has to wait until after its deadline: that of its last attempt, if there was one. */
const outOfTime = <E>(call: Call<E>, history: History): CallError =>
  Option.match(history.lastError, {
    onNone: () => callTimeout(call, history),
    onSome: (error) => gaveUpBecause(error, "deadline")
  })

/** The runtime of a caller's fiber, with a context that may be another, and a span as the parent of others. */
export const runtimeOf = <R>(
  fiber: Fiber.RuntimeFiber<unknown, unknown>,
  span: Option.Option<Tracer.Span>,
  context: Context.Context<R>
): Runtime.Runtime<R> =>
  Runtime.make({
    context: Option.isNone(span) ? context : Context.add(context, Tracer.ParentSpan, span.value),
    // Interruptible, even where the caller is not.
    runtimeFlags: Runtime.defaultRuntimeFlags,
    fiberRefs: fiber.getFiberRefs()
  })
