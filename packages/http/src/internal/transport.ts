/**
 * What a client sends by: the caller's `HttpClient`, or a transport of our own.
 */
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type * as Option from "effect/Option"
import type * as Tracer from "effect/Tracer"
import type { Answer } from "../Operation.js"

/** Sends requests. */
export interface Transport {
  /** What has to be there before an exchange begins. */
  readonly prepare: Effect.Effect<(sending: Sending) => Exchange>
  /** Whether requests tell the server of the span that they belong to. */
  readonly propagates: Effect.Effect<boolean>
}

/** A request to be sent, and who wants to know what comes of it. */
export interface Sending {
  readonly request: HttpClientRequest.HttpClientRequest
  readonly maxBodyBytes: number
  readonly span: Option.Option<Tracer.Span>
  /** The caller's. */
  readonly fiber: Fiber.RuntimeFiber<unknown, unknown>
  /** An answer has begun. */
  onStatus(status: number): void
  /** What came of it. Told once, or not at all where the exchange was ended before. */
  onEnd(exit: Exit.Exit<Answer, Unanswered>): void
}

/** A request and its answer, under way. */
export interface Exchange {
  /** Ends it, and waits for nothing. */
  abandon(): void
  /** Ends it, and waits until nothing is left of it. */
  readonly stop: Effect.Effect<void>
}

/** The cause of a request that was not sent, because it would have carried the token elsewhere. */
export const LEADS_ASTRAY = "A redirect leads elsewhere, and the token does not go there"

/** Why no answer came, or only part of one. */
export class Unanswered {
  constructor(
    /** As it was sent. */
    readonly request: HttpClientRequest.HttpClientRequest,
    /** What the transport threw. */
    readonly cause: unknown,
    /** What had come of the answer before it broke off. */
    readonly begun?: Pick<Answer, "status" | "headers">
  ) {}
}

/** What `fetch` must not do: lead the token elsewhere, answer from a cache, send cookies along. */
export const unaffected = { redirect: "manual", cache: "no-store", credentials: "omit" } as const satisfies RequestInit
