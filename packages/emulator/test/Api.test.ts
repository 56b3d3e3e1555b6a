/**
 * What a route gets of its request.
 */
import { once } from "node:events"
import * as Http from "node:http"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Option from "effect/Option"
import { character } from "../../../vitest.text.js"
import { makeApi } from "../src/Api.js"
import { databaseLayer, IN_MEMORY } from "../src/Database.js"
import { jsonResponse, type Route } from "../src/Router.js"
import { request } from "./request.js"
import { connected } from "./sockets.js"

/** Responds with what it was sent. */
const echo: Route = {
  method: "PUT",
  path: "/v2/echoes/:name",
  rateLimit: 200,
  handle: Effect.fnUntraced(function* ({ parameters, query, headers, nextChunk }) {
    const chunks: Array<Uint8Array> = []
    for (let next = yield* nextChunk; Option.isSome(next); next = yield* nextChunk) chunks.push(next.value)
    return jsonResponse(201, {
      name: parameters.get("name"),
      query: query.get("a"),
      type: headers["content-type"],
      body: Buffer.concat(chunks).toString("latin1")
    })
  })
}

/** The API with one route on a server of its own. */
const serve = Effect.fnUntraced(function* (route: Route) {
  const server = yield* Effect.acquireRelease(
    Effect.sync(() => Http.createServer()),
    (server) =>
      Effect.sync(() => {
        server.close()
        server.closeAllConnections()
      })
  )
  server.on("request", yield* NodeHttpServer.makeHandler(yield* makeApi("http://127.0.0.1", { routes: [route] })))
  yield* Effect.promise(() => once(server.listen(0, "127.0.0.1"), "listening"))
  const address = server.address()
  return `http://127.0.0.1:${address !== null && typeof address === "object" ? address.port : 0}`
})

it.scopedLive("a route gets the headers and every byte of the body", () =>
  Effect.gen(function* () {
    const url = yield* serve(echo)
    const put = (body: string) =>
      request(url, "/v2/echoes/one?a=b", { method: "PUT", headers: { "content-type": "text/x" }, body })
    yield* Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(fc.string({ unit: character, size: "large", maxLength: 20_000 }), (body) =>
          Effect.gen(function* () {
            const { status, headers, text } = yield* put(body)
            assert.strictEqual(status, 201)
            assert.strictEqual(headers["x-ratelimit-limit"], "200")
            assert.deepStrictEqual(JSON.parse(text), {
              name: "one",
              query: "b",
              type: "text/x",
              body: Buffer.from(body).toString("latin1")
            })
          }).pipe(Effect.runPromise)
        )
      )
    )
    assert.strictEqual((yield* request(url, "/v2/echoes/one")).status, 405)
  }).pipe(Effect.provide(databaseLayer(IN_MEMORY)))
)

it.scopedLive("a body that breaks off interrupts its route, and the next request is served", () =>
  Effect.gen(function* () {
    const ended = yield* Effect.makeLatch()
    const begun = yield* Effect.makeLatch()
    const url = yield* serve({
      ...echo,
      handle: ({ nextChunk }) =>
        Effect.tap(nextChunk, () => begun.open).pipe(
          Effect.repeat({ while: Option.isSome }),
          Effect.as(jsonResponse(200, {})),
          Effect.ensuring(ended.open)
        )
    })
    const socket = yield* connected(url, "PUT /v2/echoes/one HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc")
    yield* begun.await
    socket.resetAndDestroy()
    yield* ended.await
    const { status } = yield* request(url, "/v2/echoes/one", { method: "PUT", body: "abc" })
    assert.strictEqual(status, 200)
  }).pipe(Effect.provide(databaseLayer(IN_MEMORY)))
)
