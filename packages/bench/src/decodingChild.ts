/**
 * Decoding alone: what a body costs once it has been received, in microseconds (medians).
 */
import * as Headers from "@effect/platform/Headers"
import { StoreBody } from "@effect-apify/domain"
import { GetStore } from "@effect-apify/http/Stores"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import { identity } from "effect/Function"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import { Bench } from "tinybench"
import { BODY, STORE_ID } from "./page.js"
import { report } from "./parent.js"

const body = new TextEncoder().encode(BODY)
const json: unknown = JSON.parse(BODY)

const operation = new GetStore(STORE_ID, false)

const response = {
  status: 200,
  headers: Headers.fromInput({ "content-type": "application/json; charset=utf-8" }),
  body,
  isTruncated: false
}

const context = {
  call: {
    operation: operation.name,
    method: "GET",
    url: `https://api.apify.com/v2/key-value-stores/${STORE_ID}`,
    store: operation.store,
    attempts: 1,
    elapsed: Duration.zero
  },
  now: 0,
  tokenSource: Option.none(),
  maxBodyBytes: BODY.length,
  redact: identity
} as const

if (Either.isLeft(operation.decode(response, context))) throw new Error("The body does not decode")

const decode = ParseResult.decodeUnknownEither(StoreBody)

const bench = new Bench({ time: Number(process.argv[2]), warmupTime: 500 })
  .add("JSON.parse", () => JSON.parse(BODY))
  .add("schema", () => decode(json))
  .add("bytes to store", () => operation.decode(response, context))
await bench.run()

const micros = bench.tasks.map(({ name, result }) => {
  if (!("latency" in result)) throw new Error(`${name} was not measured`)
  return [name, result.latency.p50 * 1_000]
})
await report(Object.fromEntries(micros))
process.exit()
