import type * as Headers from "@effect/platform/Headers"
import type * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import { parseRetryAfter } from "../RetryAfter.js"
export const contentLength = (headers: Headers.Headers): Option.Option<number> => {
  const value = headers["content-length"]
  return value !== undefined && /^\d+$/.test(value) ? Option.some(Number(value)) : Option.none()
}
export const contentEncodings = (headers: Headers.Headers): ReadonlyArray<string> => {
  return (headers["content-encoding"] ?? "")
    .split(",")
    .map((e) => e.trim().toLowerCase())
    .filter((e) => e !== "" && e !== "identity")
}
export const contentType = (
  headers: Headers.Headers
): Option.Option<{ type: string; charset: Option.Option<string> }> => {
  const value = headers["content-type"]
  if (value === undefined) return Option.none()
  const [type = "", ...rest] = value.split(";")
  const charset = /charset\s*=\s*"?([^\s;"]+)/i.exec(rest.join(";"))?.[1]
  return Option.some({
    type: type.trim().toLowerCase(),
    charset: Option.map(Option.fromNullable(charset), (c) => c.toLowerCase())
  })
}
export const rateLimit = (headers: Headers.Headers): Option.Option<number> => {
  const text = headers["x-ratelimit-limit"]
  return text !== undefined && /^\d{1,9}$/.test(text) ? Option.some(Number(text)) : Option.none()
}
export const retryAfter = (headers: Headers.Headers, now: number): Option.Option<Duration.Duration> =>
  Option.flatMap(Option.fromNullable(headers["retry-after"]), (value) => parseRetryAfter(value, now))
