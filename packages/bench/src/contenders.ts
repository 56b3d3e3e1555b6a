/**
 * The clients that are compared, by the name in the tables.
 */
import type { Client } from "./load.js"

const promiseClients = () => import("./promiseClients.js")
const effectClients = () => import("./effectClients.js")

type Make = (baseUrl: string) => Promise<Client>

/** Loads a client: that one alone, and what it needs. */
export const contenders: Readonly<Record<string, () => Promise<Make>>> = {
  undici: async () => (await promiseClients()).undici,
  "undici, dispatch": async () => (await promiseClients()).undiciDispatch,
  fetch: async () => (await promiseClients()).globalFetch,
  "apify-client": async () => (await promiseClients()).apifyClient,
  "HttpClient, fetch": async () => (await effectClients()).httpClientOnFetch,
  "HttpClient, undici": async () => (await effectClients()).httpClientOnUndici,
  "getStore, HttpClient fetch": async () => (await effectClients()).getStoreOnHttpClientFetch,
  "getStore, HttpClient undici": async () => (await effectClients()).getStoreOnHttpClientUndici,
  "getStore, FetchTransport": async () => (await effectClients()).getStoreOnFetchTransport,
  "getStore, UndiciTransport": async () => (await effectClients()).getStoreOnUndiciTransport,
  "getStore, traced": async () => (await effectClients()).getStoreTraced
}
