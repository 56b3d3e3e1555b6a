/**
 * Runs of Actors: what names one, and what the last run may be asked for.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

const pattern = /^[a-zA-Z0-9]{17}$/

/**
 * A run's ID as Apify generates it, 17 letters and digits.
 *
 * @example
 * ```ts
 * import { RunId } from "@effect-apify/domain"
 *
 * const id = RunId.make("HG7ML7M8z78YcAPEB")
 * ```
 *
 * @since 0.1.0
 * @category schemas
 */
export const RunId = Schema.String.pipe(Schema.pattern(pattern), Schema.brand("RunId")).annotations({
  identifier: "RunId",
  description: "17 letters and digits",
  arbitrary: () => (fc) => fc.stringMatching(pattern).map((id) => RunId.make(id))
})

/**
 * The type of `RunId`.
 *
 * @since 0.1.0
 * @category models
 */
export type RunId = typeof RunId.Type

/**
 * The status of a run.
 *
 * Source: Apify's documentation of the last run.
 *
 * @since 0.1.0
 * @category schemas
 */
export const RunStatus = Schema.Literal(
  "READY",
  "RUNNING",
  "SUCCEEDED",
  "FAILED",
  "TIMING-OUT",
  "TIMED-OUT",
  "ABORTING",
  "ABORTED"
).annotations({ identifier: "RunStatus" })

/**
 * The type of `RunStatus`.
 *
 * @since 0.1.0
 * @category models
 */
export type RunStatus = typeof RunStatus.Type

/**
 * How a run was started.
 *
 * Source: Apify's documentation of the last run. `APIFY_AI` is not there, but in the list of the Apify SDK.
 *
 * @since 0.1.0
 * @category schemas
 */
export const RunOrigin = Schema.Literal(
  "DEVELOPMENT",
  "WEB",
  "API",
  "SCHEDULER",
  "TEST",
  "WEBHOOK",
  "ACTOR",
  "CLI",
  "STANDBY",
  "CI",
  "MCP",
  "APIFY_AI"
).annotations({ identifier: "RunOrigin" })

/**
 * The type of `RunOrigin`.
 *
 * @since 0.1.0
 * @category models
 */
export type RunOrigin = typeof RunOrigin.Type
