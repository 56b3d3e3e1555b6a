/**
 * A server that is busy at first, for the examples that show retries.
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { HttpClientTransport, type Transport } from "@effect-apify/http"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"

/** Responds to the first `times` requests with a 503, and sends the others. */
export const busyServer = (times: number): Layer.Layer<Transport.Transport> =>
  Layer.unwrapEffect(
    Effect.map(Ref.make(0), (count) =>
      HttpClientTransport.layerWith({
        transformClient: HttpClient.transform((response, request) =>
          Effect.flatMap(
            Ref.getAndUpdate(count, (before) => before + 1),
            (before) =>
              before < times
                ? Effect.succeed(HttpClientResponse.fromWeb(request, new Response("busy", { status: 503 })))
                : response
          )
        )
      })
    )
  ).pipe(Layer.provide(FetchHttpClient.layer))
