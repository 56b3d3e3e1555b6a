/**
 * The messages of errors.
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import type { GaveUp } from "../ApifyError.js"
import { formatPath, type Problem } from "../Problem.js"
import { excerpt } from "../Redaction.js"

interface Request {
  readonly url: string
  readonly attempts: number
  readonly elapsed: Duration.Duration
  readonly gaveUp?: Option.Option<GaveUp>
}

interface Response extends Request {
  readonly status: number
  readonly apifyType: Option.Option<string>
  readonly apifyMessage: Option.Option<string>
  readonly snippet: Option.Option<string>
}

/** A message on one line, without secrets, whatever the server, the transport and the caller put into it. */
export const printable = (message: string): string => excerpt(message, Number.POSITIVE_INFINITY)

// Patterns and not `new URL`: a message must never throw.
export const hostOf = (url: string): string => url.replace(/^[a-z]+:\/\/([^/]*).*/i, "$1")

/** What to check after a response that Apify's API does not send. The base URL is what a request's has before `/v2`. */
export const checkApi = (url: string): string =>
  `Check that ${/^[a-z]+:\/\/[^/]*(?:.*?(?=\/v2\/)|)/i.exec(url)?.[0] ?? url} is Apify's API and that no proxy or login page stands in between.`

const endings: Record<GaveUp, string> = {
  retries: "",
  deadline: "; no time for another before the deadline",
  budget: "; not retried: too many calls of this client failed recently",
  unsafe: "; not sent again: the server may have carried it out, and what it creates may exist"
}

/** " (3 attempts in 4s)" */
export const effort = ({ attempts, elapsed, gaveUp = Option.none() }: Request): string => {
  const ending = Option.match(gaveUp, { onNone: () => "", onSome: (reason) => endings[reason] })
  if (attempts <= 1 && ending === "") return ""
  return ` (${attempts} ${attempts === 1 ? "attempt" : "attempts"} in ${Duration.format(elapsed)}${ending})`
}

/** Another party's message, as the end of a sentence: ": access denied" */
export const afterColon = (text: Option.Option<string>): string =>
  Option.match(text, { onNone: () => "", onSome: (text) => `: ${text.replace(/\.$/, "")}` })

/** "Apify responded with 403 insufficient-permissions: … (2 attempts in 1s)" */
export const responded = (error: Response): string => {
  const who = Option.isSome(error.apifyType) ? "Apify" : hostOf(error.url)
  const what = error.status === 0 ? "a redirect" : String(error.status)
  const type = Option.match(error.apifyType, { onNone: () => "", onSome: (type) => ` ${type}` })
  const text = afterColon(Option.orElse(error.apifyMessage, () => error.snippet))
  return `${who} responded with ${what}${type}${text}${effort(error)}`
}

/** "data.id is missing; it is not JSON" */
export const describeProblems = (problems: ReadonlyArray<Problem>): string =>
  problems
    .map(({ path, problem }) => (path.length === 0 ? `it ${problem}` : `${excerpt(formatPath(path), 80)} ${problem}`))
    .join("; ")
