/**
 * Who takes part, by the name in the tables.
 */
import type { Client } from "./load.js"

const promiseClients = () => import("./promiseClients.js")
const effectClients = () => import("./effectClients.js")

type Make = (baseUrl: string) => Promise<Client>

/** Loads a client; only the one asked for, and what it needs. */
export const contenders: Readonly<Record<string, () => Promise<Make>>> = {
  undici: async () => (await promiseClients()).undici,
  "undici, dispatch": async () => (await promiseClients()).undiciDispatch,
  fetch: async () => (await promiseClients()).globalFetch,
  "apify-client": async () => (await promiseClients()).apifyClient,
  "HttpClient, fetch": async () => (await effectClients()).httpClientOnFetch,
  "HttpClient, undici": async () => (await effectClients()).httpClientOnUndici,
  "getStore, fetch": async () => (await effectClients()).getStoreOnFetch,
  "getStore, undici": async () => (await effectClients()).getStoreOnUndici,
  "getStore, FetchClient": async () => (await effectClients()).getStoreWithFetchClient,
  "getStore, NodeClient": async () => (await effectClients()).getStoreWithNodeClient,
  "getStore, traced": async () => (await effectClients()).getStoreTraced
}
