/**
 * Errors of calls as those that Effect's `KeyValueStore` fails with.
 */
import { BadArgument, type PlatformError, SystemError, type SystemErrorReason } from "@effect/platform/Error"
import type { InvalidRecordKeyError } from "@effect-apify/domain/RecordErrors"
import type { ListKeysError } from "../Keys.js"
import type { DeleteRecordError, GetRecordError, HeadRecordError, PutRecordError } from "../Records.js"

/** What the calls fail with. */
export type CallFailure = GetRecordError | HeadRecordError | PutRecordError | DeleteRecordError | ListKeysError

const module = "KeyValueStore"

const reasons: Readonly<Record<CallFailure["_tag"], SystemErrorReason>> = {
  UnauthorizedError: "PermissionDenied",
  PaymentRequiredError: "PermissionDenied",
  ForbiddenError: "PermissionDenied",
  RateLimitedError: "Busy",
  TimeoutError: "TimedOut",
  MalformedResponseError: "InvalidData",
  MalformedRecordError: "InvalidData",
  StoreNotFoundError: "NotFound",
  RecordNotFoundError: "NotFound",
  BadRequestError: "Unknown",
  MethodNotAllowedError: "Unknown",
  ServerError: "Unknown",
  UnexpectedResponseError: "Unknown",
  TransportError: "Unknown",
  RecordTooLargeError: "Unknown",
  RecordRejectedError: "Unknown",
  // Both were checked before.
  InvalidRecordKeyError: "Unknown",
  InvalidStoreRefError: "Unknown"
}

/**
 * A failed call.
 *
 * @param key the key of the record, for a call that is about one
 */
export const systemError =
  (method: string, key?: string) =>
  (cause: CallFailure): PlatformError =>
    new SystemError({
      reason: reasons[cause._tag],
      module,
      method,
      description: cause.message,
      ...(key === undefined ? {} : { pathOrDescriptor: key }),
      cause
    })

/** A key that no record can have. */
export const badArgument =
  (method: string, areEscaped: boolean) =>
  (cause: InvalidRecordKeyError): PlatformError => {
    const advice = areEscaped
      ? ""
      : ' With keys: "escaped", any text is a key if it has at most 256 characters once escaped.'
    const description = `${cause.key} is not a record key: ${cause.problem}.${advice}`
    return new BadArgument({ module, method, description, cause })
  }
