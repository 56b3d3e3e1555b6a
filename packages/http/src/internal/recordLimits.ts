/**
 * The limits of operations on records, where neither the client nor the call sets them (docs/decisions/0018).
 */
import * as Duration from "effect/Duration"
import type { CallLimits } from "../CallOptions.js"
import { LONGEST_TIME } from "../RetryPolicy.js"

/** A page of a thousand keys is almost a megabyte where keys are long and links are signed. */
export const KEYS: Partial<CallLimits> = { attemptTimeout: Duration.seconds(30), maxBodyBytes: 4 * 1024 * 1024 }

/** 16 MiB take a minute at 2.3 Mbit/s. */
export const READ: Partial<CallLimits> = {
  attemptTimeout: Duration.minutes(1),
  callTimeout: Duration.minutes(6),
  maxBodyBytes: 16 * 1024 * 1024
}

/** The time until a stream begins, and then while nothing moves. */
export const STREAM: Partial<CallLimits> = { attemptTimeout: Duration.minutes(1), callTimeout: Duration.minutes(6) }

/** What is sent may be larger than what is read as a whole. */
export const WRITE: Partial<CallLimits> = { attemptTimeout: Duration.minutes(6), callTimeout: Duration.minutes(12) }

/** A stream goes on for as long as it moves. */
export const UPLOAD: Partial<CallLimits> = { attemptTimeout: Duration.minutes(1), callTimeout: LONGEST_TIME }
