/**
 * Runtimes that lack something, and test runners that take something away.
 */
import { createServer, type Server } from "node:http"
import * as Headers from "@effect/platform/Headers"
import { afterEach, assert, describe, it, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { ApifyClient, getStore } from "../src/index.js"
import { minimalBody } from "./arbitraries.js"
import { transports, unhurried, urlOf } from "./realSockets.js"

afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
  vi.resetModules()
})

const PlatformRequest = globalThis.Request

/** Cloudflare's workerd before the end of 2024, which implements neither of these options. */
class WorkerdsRequest extends PlatformRequest {
  constructor(input: RequestInfo | URL, init: RequestInit = {}) {
    refuseAsWorkerd(init)
    super(input, init)
  }
}

const refuseAsWorkerd = (init: RequestInit): void => {
  for (const option of ["cache", "credentials"]) {
    if (option in init) throw new Error(`The '${option}' field on 'RequestInitializerDict' is not implemented.`)
  }
}

/** Cloudflare's workerd of today. */
class StrictRequest extends PlatformRequest {
  constructor(input: RequestInfo | URL, init: RequestInit = {}) {
    if (init.redirect === "error") throw new TypeError('Invalid redirect value, must be one of "follow" or "manual"')
    super(input, init)
  }
}

/** A browser that turns what it does not know into text. */
class TextRequest extends PlatformRequest {
  constructor(input: RequestInfo | URL, init: RequestInit = {}) {
    super(input, init.body instanceof ReadableStream ? { ...init, body: String(init.body) } : init)
  }
}

/** A browser, which lets programs set neither of these headers. */
class BrowsersRequest extends PlatformRequest {
  constructor(input: RequestInfo | URL, init: RequestInit = {}) {
    super(input, init)
    this.headers.delete("accept-encoding")
    this.headers.delete("user-agent")
  }
}

/** What a program imports where `Request` is another, and the requests that it sends there. */
const importedWith = async (Request: typeof PlatformRequest) => {
  vi.stubGlobal("Request", Request)
  vi.resetModules()
  const sent: Array<RequestInit> = []
  const fetch: typeof globalThis.fetch = async (_, init = {}) => {
    if (Request === WorkerdsRequest) refuseAsWorkerd(init)
    sent.push(init)
    return new Response(minimalBody, { headers: { "content-type": "application/json" } })
  }
  return { sent, fetch, http: await import("../src/index.js") }
}

describe("a runtime without cache and credentials", () => {
  it("is sent requests without them by FetchTransport", async () => {
    const { fetch, http, sent } = await importedWith(WorkerdsRequest)
    const client = Layer.provide(http.ApifyClient.layer(), http.FetchTransport.layerWith({ fetch }))
    const store = await Effect.runPromise(Effect.provide(http.getStore("~my-store"), client))
    assert.strictEqual(store.id, "WkzbQMuFYuamGv3YF")
    assert.strictEqual(sent[0]?.redirect, "manual")
  })

  it("is sent requests without them by HttpClient", async () => {
    const { fetch, http, sent } = await importedWith(WorkerdsRequest)
    const FetchHttpClient = await import("@effect/platform/FetchHttpClient")
    const client = http.ApifyClient.layer().pipe(
      Layer.provide(http.HttpClientTransport.layer),
      Layer.provide(FetchHttpClient.layer)
    )
    const call = http
      .getStore("~my-store")
      .pipe(Effect.provide(client), Effect.provideService(FetchHttpClient.Fetch, fetch))
    assert.strictEqual((await Effect.runPromise(call)).id, "WkzbQMuFYuamGv3YF")
    assert.strictEqual(sent[0]?.redirect, "manual")
  })
})

describe("a runtime that claims to be Node, and refuses redirects by no error", () => {
  it("is sent a stream whose redirects are not followed", async () => {
    const { fetch, http, sent } = await importedWith(StrictRequest)
    const client = Layer.provide(http.ApifyClient.layer(), http.FetchTransport.layerWith({ fetch }))
    const put = http.putRecord("~my-store", "bytes", Stream.make(new Uint8Array(8)))
    await Effect.runPromise(Effect.ignore(Effect.provide(put, client)))
    assert.deepStrictEqual([sent.length, sent[0]?.redirect], [1, "manual"])
  })
})

describe("a browser that cannot send streams", () => {
  it("is sent none, and the error says so", async () => {
    const { fetch, http, sent } = await importedWith(TextRequest)
    const client = Layer.provide(http.ApifyClient.layer(), http.FetchTransport.layerWith({ fetch }))
    const put = http.putRecord("~my-store", "bytes", Stream.make(new Uint8Array(8)), { replayable: true })
    const error = await Effect.runPromise(Effect.flip(Effect.provide(put, client)))
    assert.include(error.message, "cannot send streams: send bytes")
    assert.deepInclude(error, { _tag: "TransportError", reason: "request", attempts: 1 })
    assert.lengthOf(sent, 0)
  })
})

describe("a runtime that sets its own User-Agent", () => {
  it("is not given another, for which a browser would send a preflight request", async () => {
    const { fetch, http, sent } = await importedWith(BrowsersRequest)
    const client = Layer.provide(
      http.ApifyClient.layer({ userAgent: "mine" }),
      http.FetchTransport.layerWith({ fetch })
    )
    await Effect.runPromise(Effect.provide(http.getStore("~my-store"), client))
    assert.lengthOf(sent, 1)
    assert.notProperty(sent[0]?.headers, "user-agent")
  })
})

describe("a runtime that decodes bodies, and tells nobody how they were encoded", () => {
  it("is not trusted with the length of a body", async () => {
    await importedWith(BrowsersRequest)
    const { Collector } = await import("../src/internal/collect.js")
    const head = { status: 200, headers: Headers.fromInput({ "content-length": "10" }) }
    assert.strictEqual(new Collector(head, "GET", 1000).reading, "chunks")
  })

  it("has decoded what says that it is encoded", async () => {
    const headers = { "content-type": "text/plain", "content-encoding": "gzip", "content-length": "4" }
    const { http } = await importedWith(BrowsersRequest)
    const fetch: typeof globalThis.fetch = async () => new Response("text", { headers })
    const client = Layer.provide(http.ApifyClient.layer(), http.FetchTransport.layerWith({ fetch }))
    const result = await Effect.runPromise(Effect.either(Effect.provide(http.getRecord("~my-store", "OUTPUT"), client)))
    const bytes = Either.match(result, { onLeft: String, onRight: ({ bytes }) => new TextDecoder().decode(bytes) })
    assert.strictEqual(bytes, "text")
  })
})

describe.each(transports)("fake timers of a test runner with $name", ({ transport }) => {
  const withServer = async (use: (server: Server) => Promise<void>): Promise<void> => {
    const server = createServer((_, response) => {
      response.writeHead(200, { "content-type": "application/json" }).end(minimalBody)
    })
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve)
    })
    try {
      await use(server)
    } finally {
      server.close()
      server.closeAllConnections()
    }
  }

  // A connection that is idle when they begin holds its next request up for some seconds, until it times out: undici, and so
  // Node's fetch, looks at it once more in a `setImmediate`.
  it("stop no call", () =>
    withServer(async (server) => {
      vi.useFakeTimers()
      const client = Layer.provide(ApifyClient.layer({ ...unhurried, baseUrl: urlOf(server) }), transport)
      const calls = Effect.zip(getStore("~my-store"), getStore("~my-store"))
      const [one, other] = await Effect.runPromise(Effect.provide(calls, client))
      assert.strictEqual(one.id, "WkzbQMuFYuamGv3YF")
      assert.strictEqual(other.id, "WkzbQMuFYuamGv3YF")
    }))
})
