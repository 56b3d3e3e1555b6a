/**
 * Runs of Actors: their IDs, and the statuses and origins by which the last run can be selected.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { idPattern, runOrigins, runStatuses } from "./internal/patterns.js"

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
export const RunId = Schema.String.pipe(Schema.pattern(idPattern), Schema.brand("RunId")).annotations({
  identifier: "RunId",
  description: "17 letters and digits",
  arbitrary: () => (fc) => fc.stringMatching(idPattern).map((id) => RunId.make(id))
})

/**
 * The type of `RunId`.
 *
 * @since 0.1.0
 * @category models
 */
export type RunId = typeof RunId.Type

/**
 * The status of a run: `READY`, `RUNNING`, `SUCCEEDED`, `FAILED`, `TIMING-OUT`, `TIMED-OUT`, `ABORTING` or `ABORTED`.
 *
 * Source: Apify's documentation of the last run.
 *
 * @since 0.1.0
 * @category schemas
 */
export const RunStatus = Schema.Literal(...runStatuses).annotations({ identifier: "RunStatus" })

/**
 * The type of `RunStatus`.
 *
 * @since 0.1.0
 * @category models
 */
export type RunStatus = typeof RunStatus.Type

/**
 * How a run was started: `DEVELOPMENT`, `WEB`, `API`, `SCHEDULER`, `TEST`, `WEBHOOK`, `ACTOR`, `CLI`, `STANDBY`, `CI`, `MCP`
 * or `APIFY_AI`.
 *
 * Source: Apify's documentation of the last run. Only the Apify SDK's own list has `APIFY_AI`.
 *
 * @since 0.1.0
 * @category schemas
 */
export const RunOrigin = Schema.Literal(...runOrigins).annotations({ identifier: "RunOrigin" })

/**
 * The type of `RunOrigin`.
 *
 * @since 0.1.0
 * @category models
 */
export type RunOrigin = typeof RunOrigin.Type
