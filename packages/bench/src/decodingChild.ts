/**
 * Decoding alone: what a body costs once it is there, in microseconds (medians).
 */
import * as Headers from "@effect/platform/Headers"
import { StoreBody } from "@effect-apify/domain"
import { interpretGetStore } from "@effect-apify/http"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import { identity } from "effect/Function"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import { Bench } from "tinybench"
import { BODY, STORE_ID } from "./page.js"
import { tell } from "./tell.js"

const body = new TextEncoder().encode(BODY)
const json: unknown = JSON.parse(BODY)

const answer = {
  status: 200,
  headers: Headers.fromInput({ "content-type": "application/json; charset=utf-8" }),
  body,
  truncated: false
}

const circumstances = {
  asked: {
    method: "GET",
    url: `https://api.apify.com/v2/key-value-stores/${STORE_ID}`,
    ref: STORE_ID,
    attempts: 1,
    elapsed: Duration.zero
  },
  now: 0,
  tokenSource: Option.none(),
  redact: identity
} as const

if (Either.isLeft(interpretGetStore(answer, circumstances))) throw new Error("The body does not decode")

const decode = ParseResult.decodeUnknownEither(StoreBody)

const bench = new Bench({ time: Number(process.argv[2]), warmupTime: 500 })
  .add("JSON.parse", () => JSON.parse(BODY))
  .add("schema", () => decode(json))
  .add("bytes to store", () => interpretGetStore(answer, circumstances))
await bench.run()

const micros = bench.tasks.map(({ name, result }) => {
  if (!("latency" in result)) throw new Error(`${name} was not measured`)
  return [name, result.latency.p50 * 1_000]
})
await tell(Object.fromEntries(micros))
process.exit()
