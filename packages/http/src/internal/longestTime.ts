/**
 * The longest time limit, and the longest wait, that a client takes.
 */
import * as Duration from "effect/Duration"

/**
 * JavaScript's timers count milliseconds in 31 bits. Effect's clock never ends a longer sleep, so that a longer time limit
 * would be none, and a longer wait would be endless.
 */
export const LONGEST_TIME: Duration.Duration = Duration.days(24)
