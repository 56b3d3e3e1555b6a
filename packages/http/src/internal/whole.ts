/**
 * What transports for small answers share: an answer is handed over whole, and so spares the streams, signals and promises
 * that others need to hand it over in parts.
 */
import * as Cookies from "@effect/platform/Cookies"
import type * as Headers from "@effect/platform/Headers"
import * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as HttpIncomingMessage from "@effect/platform/HttpIncomingMessage"
import * as UrlParams from "@effect/platform/UrlParams"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { type Whole, WholeBody } from "./body.js"

/** The cap that a call sets on the bodies of its answers. */
export const maxBodyBytesOf = (context: Context.Context<never>): number =>
  Option.match(Context.get(context, HttpIncomingMessage.MaxBodySize), {
    onNone: () => Number.POSITIVE_INFINITY,
    onSome: Number
  })

/** The body that a request sends, if these transports can send it. */
export const bodyOf = (
  request: HttpClientRequest.HttpClientRequest
): Either.Either<string | Uint8Array<ArrayBuffer> | null, HttpClientError.RequestError> => {
  const { body } = request
  if (body._tag === "Empty") return Either.right(null)
  if (body._tag === "Uint8Array") return Either.right(new Uint8Array(body.body))
  return body._tag === "Raw" && typeof body.body === "string"
    ? Either.right(body.body)
    : Either.left(
        new HttpClientError.RequestError({
          request,
          reason: "Encode",
          description: "This transport sends bodies of bytes or text only"
        })
      )
}

/** What an exchange comes to. */
export type Received = Either.Either<WholeResponse, HttpClientError.HttpClientError>

/** An answer whose body is there already. */
export class WholeResponse extends Inspectable.Class implements HttpClientResponse.HttpClientResponse, Whole {
  readonly [HttpIncomingMessage.TypeId]: HttpIncomingMessage.TypeId = HttpIncomingMessage.TypeId
  readonly [HttpClientResponse.TypeId]: HttpClientResponse.TypeId = HttpClientResponse.TypeId
  readonly remoteAddress = Option.none<string>()

  constructor(
    readonly request: HttpClientRequest.HttpClientRequest,
    readonly status: number,
    readonly headers: Headers.Headers,
    private readonly body: Uint8Array,
    private readonly setCookies: () => ReadonlyArray<string>
  ) {
    super()
  }

  get [WholeBody](): Uint8Array {
    return this.body
  }

  get cookies(): Cookies.Cookies {
    return Cookies.fromSetCookie(this.setCookies())
  }

  get stream(): Stream.Stream<Uint8Array> {
    return Stream.succeed(this.body)
  }

  get arrayBuffer(): Effect.Effect<ArrayBuffer> {
    return Effect.sync(() => new Uint8Array(this.body).buffer)
  }

  get text(): Effect.Effect<string> {
    return Effect.sync(() => new TextDecoder().decode(this.body))
  }

  get json(): Effect.Effect<unknown, HttpClientError.ResponseError> {
    return Effect.tryMap(this.text, {
      try: (text) => (text === "" ? null : JSON.parse(text)),
      catch: (cause) => this.undecodable(cause)
    })
  }

  get urlParamsBody(): Effect.Effect<UrlParams.UrlParams> {
    return Effect.map(this.text, (text) => UrlParams.fromInput(new URLSearchParams(text)))
  }

  get formData(): Effect.Effect<FormData, HttpClientError.ResponseError> {
    return Effect.tryPromise({
      try: () => new Response(new Uint8Array(this.body), { headers: this.headers }).formData(),
      catch: (cause) => this.undecodable(cause)
    })
  }

  toJSON(): unknown {
    return HttpIncomingMessage.inspect(this, {
      _id: "@effect-apify/http/WholeResponse",
      request: this.request.toJSON(),
      status: this.status
    })
  }

  private undecodable(cause: unknown): HttpClientError.ResponseError {
    return new HttpClientError.ResponseError({ request: this.request, response: this, reason: "Decode", cause })
  }
}
