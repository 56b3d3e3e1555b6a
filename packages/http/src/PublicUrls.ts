/**
 * Public links to the keys and the records of a store. Once the store is known, links are made without requests.
 *
 * @since 0.1.0
 */
import { PublicUrl } from "@effect-apify/domain/PublicUrl"
import type { InvalidRecordKeyError } from "@effect-apify/domain/RecordErrors"
import { parseRecordKey } from "@effect-apify/domain/RecordKey"
import { InvalidExpiryError } from "@effect-apify/domain/Signature"
import type { Store } from "@effect-apify/domain/Store"
import type { StoreId } from "@effect-apify/domain/StoreId"
import type { StoreRef } from "@effect-apify/domain/StoreRef"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import { ApifyClient } from "./ApifyClient.js"
import type { CallOptions } from "./CallOptions.js"
import { parametersOf, queryOf } from "./internal/query.js"
import { checkObject, checkText, checkWhole } from "./internal/settings.js"
import { keysSignature, type Sign, signerOf } from "./internal/signer.js"
import { storesPath } from "./internal/storeOperation.js"
import { type GetStoreError, getStore } from "./Stores.js"

/**
 * A public link.
 *
 * @since 0.1.0
 * @category models
 */
export interface PublicLink {
  /** Printing it hides the signature; `Redacted.value(url.href)` is the whole link. */
  readonly url: PublicUrl
  /**
   * Whether it is signed. It is not if the store was fetched by someone who may not write to it, and so may not see its signing
   * key: then the link opens what the store's general access opens, and no more.
   */
  readonly isSigned: boolean
}

/**
 * Which keys a link lists, and for how long.
 *
 * @since 0.1.0
 * @category options
 */
export interface KeysLinkOptions {
  /**
   * How long the signature is valid: a positive whole number of milliseconds. Default: for as long as the store keeps its signing
   * key.
   */
  readonly expiresIn?: Duration.DurationInput | undefined
  /** The most keys that a page may have. */
  readonly limit?: number | undefined
  /** Only keys that begin with this. */
  readonly prefix?: string | undefined
  /** Only keys of this collection of the store's schema. */
  readonly collection?: string | undefined
  /** Only keys after this one. */
  readonly exclusiveStartKey?: string | undefined
}

/**
 * Makes links to one store.
 *
 * @since 0.1.0
 * @category models
 */
export interface PublicUrls {
  /** A link to a record, which need not exist. It does not expire, unless the store gets another signing key. */
  readonly record: (key: string) => Effect.Effect<PublicLink, InvalidRecordKeyError>
  /** A link to the list of keys. */
  readonly keys: (options?: KeysLinkOptions) => Effect.Effect<PublicLink, InvalidExpiryError>
}

/**
 * Makes links to a store that was fetched, without any request. Links begin with the client's `publicBaseUrl`, and name the
 * store by its ID. Anyone who has a signed link can read what it links to.
 *
 * Signing is asynchronous: making several links at once is several times as fast.
 *
 * @example
 * ```ts
 * import { getStore, publicUrls } from "@effect-apify/http"
 * import * as Effect from "effect/Effect"
 * import * as Redacted from "effect/Redacted"
 *
 * const program = Effect.gen(function* () {
 *   const store = yield* getStore("~my-store")
 *   const urls = yield* publicUrls(store)
 *   const links = yield* Effect.forEach(["a.png", "b.png"], urls.record, { concurrency: 16 })
 *   return links.map(({ url }) => Redacted.value(url.href))
 * })
 * ```
 *
 * @since 0.1.0
 * @category operations
 */
export const publicUrls = (store: Store): Effect.Effect<PublicUrls, never, ApifyClient> =>
  Effect.flatMap(ApifyClient, ({ publicBaseUrl }) => {
    if (!isStore(store)) throw new Cause.IllegalArgumentException(STORE_EXPECTED)
    const { id, urlSigningSecretKey } = store
    return Effect.map(
      signerOf(urlSigningSecretKey),
      (sign) => new StorePublicUrls(`${publicBaseUrl}${storesPath}/${encodeURIComponent(id)}`, id, sign)
    )
  })

/** Whether what a caller gave, who may have no types, has what a link is made of. */
const isStore = (store: unknown): boolean =>
  Predicate.isRecord(store) && Predicate.isString(store.id) && Option.isOption(store.urlSigningSecretKey)

const STORE_EXPECTED =
  "store must be a store that was fetched. For a link by a reference use recordPublicUrl or keysPublicUrl"

class StorePublicUrls implements PublicUrls {
  constructor(
    /** The URL of the store. */
    private readonly base: string,
    private readonly id: StoreId,
    private readonly sign: Option.Option<Sign>
  ) {}

  readonly record = (key: string): Effect.Effect<PublicLink, InvalidRecordKeyError> =>
    Effect.flatMap(parseRecordKey(key), (key) => this.link(`${this.base}/records/${key}`, {}, (sign) => sign(key)))

  readonly keys = (options: KeysLinkOptions = {}): Effect.Effect<PublicLink, InvalidExpiryError> =>
    Effect.suspend(() => {
      checkObject("options", options, OPTIONS_EXAMPLE)
      const { collection, exclusiveStartKey, expiresIn, limit, prefix } = options
      checkWhole("limit", limit, 1)
      const texts = { prefix, exclusiveStartKey, collection }
      for (const [name, text] of Object.entries(texts)) if (text !== undefined) checkText(name, text)
      return Effect.flatMap(expiryOf(expiresIn), (expiresAt) =>
        this.link(`${this.base}/keys`, { limit, ...texts }, (sign) => keysSignature(sign, this.id, expiresAt))
      )
    })

  private link(
    url: string,
    filters: Omit<KeysLinkOptions, "expiresIn">,
    signature: (sign: Sign) => Effect.Effect<string>
  ): Effect.Effect<PublicLink> {
    return Effect.map(Effect.transposeOption(Option.map(this.sign, signature)), (signature) => {
      const parameters = parametersOf({ signature: Option.getOrUndefined(signature), ...filters })
      const href = url + queryOf(parameters)
      return { url: new PublicUrl(href), isSigned: Option.isSome(signature) }
    })
  }
}

/** When a link expires, in milliseconds since 1970; 0 for never. */
const expiryOf = (expiresIn: Duration.DurationInput | undefined): Effect.Effect<number, InvalidExpiryError> =>
  expiresIn === undefined
    ? Effect.succeed(0)
    : Effect.flatMap(Clock.currentTimeMillis, (now) => {
        // It makes 0 of what is negative or no number.
        const millis = Option.match(Duration.decodeUnknown(expiresIn), { onNone: () => 0, onSome: Duration.toMillis })
        const expiresAt = now + millis
        const problem = millis <= 0 ? "it is not positive" : "it is not a whole number, or is too long"
        return millis > 0 && Number.isSafeInteger(expiresAt)
          ? Effect.succeed(expiresAt)
          : Effect.fail(new InvalidExpiryError({ expiry: String(expiresIn), problem }))
      })

/**
 * What `recordPublicUrl` can fail with.
 *
 * @since 0.1.0
 * @category errors
 */
export type RecordPublicUrlError = GetStoreError | InvalidRecordKeyError

/**
 * Gets a store, and makes a link to one of its records. For more than one link, get the store once and use `publicUrls`.
 *
 * @param ref a `StoreRef`, or its text
 * @param key 1 to 256 of the characters `a-z A-Z 0-9 ! - _ . ' ( )`
 *
 * @example
 * ```ts
 * import { recordPublicUrl } from "@effect-apify/http"
 *
 * const program = recordPublicUrl("~my-store", "OUTPUT")
 * ```
 *
 * @since 0.1.0
 * @category operations
 */
export const recordPublicUrl = (
  ref: StoreRef | string,
  key: string,
  options?: CallOptions
): Effect.Effect<PublicLink, RecordPublicUrlError, ApifyClient> =>
  Effect.zipRight(
    parseRecordKey(key),
    Effect.flatMap(Effect.flatMap(getStore(ref, options), publicUrls), ({ record }) => record(key))
  )

/**
 * What `keysPublicUrl` can fail with.
 *
 * @since 0.1.0
 * @category errors
 */
export type KeysPublicUrlError = GetStoreError | InvalidExpiryError

/**
 * Gets a store, and makes a link to the list of its keys.
 *
 * @param ref a `StoreRef`, or its text
 *
 * @example
 * ```ts
 * import { keysPublicUrl } from "@effect-apify/http"
 *
 * const program = keysPublicUrl("~my-store", { expiresIn: "1 hour", prefix: "image-" })
 * ```
 *
 * @since 0.1.0
 * @category operations
 */
export const keysPublicUrl = (
  ref: StoreRef | string,
  options: KeysLinkOptions & CallOptions = {}
): Effect.Effect<PublicLink, KeysPublicUrlError, ApifyClient> =>
  Effect.suspend(() => {
    checkObject("options", options, OPTIONS_EXAMPLE)
    return Effect.zipRight(
      expiryOf(options.expiresIn),
      Effect.flatMap(Effect.flatMap(getStore(ref, options), publicUrls), ({ keys }) => keys(options))
    )
  })

const OPTIONS_EXAMPLE = "{ expiresIn: '1 hour' }"
