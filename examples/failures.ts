/**
 * A way to make `getStore` fail with each of its errors.
 */
import * as HttpClientError from "@effect/platform/HttpClientError"
import {
  emptyNameRefusal,
  insufficientPermissionsRefusal,
  internalServerErrorRefusal,
  methodNotAllowedRefusal,
  type Refusal,
  storeNotFoundRefusal,
  tokenNotProvidedRefusal
} from "@effect-apify/domain"
import type { GetStoreError } from "@effect-apify/http"
import type { Respond } from "@effect-apify/http/testing"
import * as Effect from "effect/Effect"

const refuse = ({ error, status }: Refusal) => Effect.succeed(Response.json({ error }, { status }))

const paymentRequired = { type: "not-enough-usage-to-run-paid-actor", message: "The monthly usage is used up" }

/** How a server responds, or fails to respond, to cause each error. */
export const failures: Record<GetStoreError["_tag"], Respond> = {
  InvalidStoreRefError: () => Effect.dieMessage("No request is sent for an invalid reference."),
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
