/**
 * The wire, and clients that one would use in place of ours: they return promises. Each loads what it alone needs, so that the
 * memory of its process is its own.
 */
import type { Client, Meter } from "./load.js"
import { STORE_ID, TOKEN } from "./page.js"

const headers = { accept: "application/json", authorization: `Bearer ${TOKEN}` }

const pathOf = (baseUrl: string): string => `${baseUrl}/v2/key-value-stores/${STORE_ID}`

/** A client that calls an async function, once or in a loop. */
export const promiseClient = (get: () => Promise<unknown>): Client => ({
  get,
  work: async (meter: Meter) => {
    while (!meter.isOver) {
      const since = performance.now()
      await get()
      meter.record(since)
    }
  }
})

/** undici, as one writes it. */
export const undici = async (baseUrl: string): Promise<Client> => {
  const { request } = await import("undici")
  const url = pathOf(baseUrl)
  return promiseClient(async () => {
    const { body } = await request(url, { headers })
    return JSON.parse(await body.text())
  })
}

/** The least that a request costs in Node: undici's own handlers, with no streams and one promise. */
export const undiciDispatch = async (baseUrl: string): Promise<Client> => {
  const { Agent } = await import("undici")
  const agent = new Agent()
  const options = { origin: baseUrl, path: pathOf(""), method: "GET", headers } as const
  return promiseClient(
    () =>
      new Promise((resolve, reject) => {
        const chunks: Array<Buffer> = []
        agent.dispatch(options, {
          onRequestStart: () => {},
          onResponseStart: () => {},
          onResponseData: (_, chunk) => {
            chunks.push(chunk)
          },
          onResponseEnd: () => resolve(JSON.parse(Buffer.concat(chunks).toString())),
          onResponseError: (_, error) => reject(error)
        })
      })
  )
}

/** What every platform has. */
export const globalFetch = async (baseUrl: string): Promise<Client> => {
  const url = pathOf(baseUrl)
  return promiseClient(async () => (await fetch(url, { headers })).json())
}

/** Apify's own client, with all its defaults. */
export const apifyClient = async (baseUrl: string): Promise<Client> => {
  const { ApifyClient } = await import("apify-client")
  const client = new ApifyClient({ baseUrl, token: TOKEN })
  return promiseClient(() => client.keyValueStore(STORE_ID).get())
}
