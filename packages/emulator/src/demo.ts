/**
 * What an emulator holds that was given no seed.
 *
 * @since 0.1.0
 */
import type { SeedJson } from "./Seed.js"

/**
 * The token of the demo's first user. It may write.
 *
 * @example
 * ```ts
 * import { DEMO_TOKEN, Emulator } from "@effect-apify/emulator"
 * import { ApifyClient, FetchTransport, getStore } from "@effect-apify/http"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 * import * as Redacted from "effect/Redacted"
 *
 * const client = Layer.unwrapEffect(
 *   Effect.map(Emulator, ({ url }) => ApifyClient.layer({ baseUrl: url, token: Redacted.make(DEMO_TOKEN) }))
 * )
 *
 * const program = getStore("WkzbQMuFYuamGv3YF").pipe(
 *   Effect.provide(Layer.provide(client, [Emulator.layer(), FetchTransport.layer]))
 * )
 * ```
 *
 * @since 0.1.0
 * @category constants
 */
export const DEMO_TOKEN = "apify_api_demo"

/**
 * The token of the demo's second user. It may write, but has no right to the first user's store.
 *
 * @since 0.1.0
 * @category constants
 */
export const DEMO_SECOND_TOKEN = "apify_api_demo_second"

/**
 * The demo: the user `janedoe` with a token that may write, and the example store of Get store's documentation; and the
 * user `johndoe`, also with a token that may write.
 *
 * @example
 * ```ts
 * import { demoSeed, Emulator } from "@effect-apify/emulator"
 *
 * const emulator = Emulator.layer({ seed: { ...demoSeed, stores: [] } })
 * ```
 *
 * @since 0.1.0
 * @category constants
 */
export const demoSeed = {
  users: [
    {
      id: "BPWDBd7Z9c746JAnF",
      username: "janedoe",
      setting: "RESTRICTED",
      tokens: [{ token: DEMO_TOKEN, scope: "WRITE" }]
    },
    {
      id: "JohnDoe0000000000",
      username: "johndoe",
      setting: "RESTRICTED",
      tokens: [{ token: DEMO_SECOND_TOKEN, scope: "WRITE" }]
    }
  ],
  stores: [
    {
      owner: "janedoe",
      store: {
        id: "WkzbQMuFYuamGv3YF",
        name: "d7b9MDYsbtX5L7XAj",
        userId: "BPWDBd7Z9c746JAnF",
        username: "janedoe",
        createdAt: "2019-12-12T07:34:14.202Z",
        modifiedAt: "2019-12-13T08:36:13.202Z",
        accessedAt: "2019-12-14T08:36:13.202Z",
        actId: null,
        actRunId: null,
        consoleUrl: "https://console.apify.com/storage/key-value-stores/27TmTznX9YPeAYhkC",
        keysPublicUrl: "https://api.apify.com/v2/key-value-stores/WkzbQMuFYuamGv3YF/keys?signature=abc123",
        urlSigningSecretKey: "string",
        generalAccess: "RESTRICTED",
        stats: { readCount: 9, writeCount: 3, deleteCount: 6, listCount: 2, s3StorageBytes: 18 }
      }
    }
  ]
} satisfies SeedJson
