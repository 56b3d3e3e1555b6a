/**
 * How large a record may be.
 */
import * as Context from "effect/Context"
import { MAXIMUM_RECORD_BYTES } from "../Unknowns.js"

/** In bytes, as it is sent. */
export class RecordLimit extends Context.Reference<RecordLimit>()("@effect-apify/emulator/internal/RecordLimit", {
  defaultValue: () => MAXIMUM_RECORD_BYTES
}) {}
