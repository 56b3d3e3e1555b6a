/**
 * Bad luck on demand, for the examples that show retries: a transport that answers in Apify's place at first.
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"

/** Answers the first `times` requests with a 503, and sends the others. */
export const busyTransport = (times: number): Layer.Layer<HttpClient.HttpClient> =>
  Layer.effect(
    HttpClient.HttpClient,
    Effect.gen(function* () {
      const seen = yield* Ref.make(0)
      return HttpClient.transform(yield* HttpClient.HttpClient, (send, request) =>
        Effect.flatMap(
          Ref.getAndUpdate(seen, (count) => count + 1),
          (before) =>
            before < times
              ? Effect.succeed(HttpClientResponse.fromWeb(request, new Response("busy", { status: 503 })))
              : send
        )
      )
    })
  ).pipe(Layer.provide(NodeHttpClient.layerUndici))
