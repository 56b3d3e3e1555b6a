/**
 * Requests with a body in JSON.
 */
import type { HttpMethod } from "@effect-apify/domain/HttpMethod"
import type { OperationRequest, RequestBody } from "../Operation.js"

const headers = { "content-type": "application/json" } as const

const utf8 = new TextEncoder()

/** A class, because it lives as long as a call (docs/decisions/0011). */
export class JsonRequest implements OperationRequest {
  readonly headers = headers
  readonly body: RequestBody

  constructor(
    readonly method: HttpMethod,
    readonly path: string,
    readonly query: NonNullable<OperationRequest["query"]>,
    json: unknown
  ) {
    this.body = { _tag: "Bytes", bytes: utf8.encode(JSON.stringify(json)) }
  }
}
