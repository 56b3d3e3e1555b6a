/**
 * Bad luck of every kind: for each error of `getStore`, what has to happen for it to come about.
 */
import * as HttpClientError from "@effect/platform/HttpClientError"
import {
  emptyNameRefusal,
  type GetStoreError,
  insufficientPermissionsRefusal,
  internalServerErrorRefusal,
  methodNotAllowedRefusal,
  type Refusal,
  storeNotFoundRefusal,
  tokenNotProvidedRefusal
} from "@effect-apify/domain"
import type { Respond } from "@effect-apify/http/testing"
import * as Effect from "effect/Effect"

const refuse = ({ error, status }: Refusal) => Effect.succeed(Response.json({ error }, { status }))

const paymentRequired = { type: "not-enough-usage-to-run-paid-actor", message: "The monthly usage is used up" }

/** What answers a request with each of the errors. */
export const troubles: Record<GetStoreError["_tag"], Respond> = {
  InvalidStoreRefError: () => Effect.dieMessage("For what is no reference, nothing is sent."),
  BadRequestError: () => refuse(emptyNameRefusal),
  UnauthorizedError: () => refuse(tokenNotProvidedRefusal),
  PaymentRequiredError: () => refuse({ status: 402, error: paymentRequired }),
  ForbiddenError: () => refuse(insufficientPermissionsRefusal),
  StoreNotFoundError: () => refuse(storeNotFoundRefusal),
  MethodNotAllowedError: () => refuse(methodNotAllowedRefusal),
  RateLimitedError: () => Effect.succeed(new Response("", { status: 429, headers: { "retry-after": "30" } })),
  ServerError: () => refuse(internalServerErrorRefusal),
  UnexpectedResponseError: () => Effect.succeed(new Response("", { status: 302, headers: { location: "/login" } })),
  MalformedResponseError: () => Effect.succeed(Response.json({ data: { id: 7 } })),
  TransportError: (request) => Effect.fail(new HttpClientError.RequestError({ request, reason: "Transport" })),
  TimeoutError: () => Effect.never
}
