/**
 * The clients that are compared, by the name in the tables.
 */
import type { Client } from "./load.js"
import type { Task } from "./tasks.js"

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

const promiseRecords = () => import("./promiseRecords.js")
const effectRecords = () => import("./effectRecords.js")

type MakeForTask = (baseUrl: string, task: Task) => Promise<Client>

/** Clients for records. */
export const recordContenders: Readonly<Record<string, () => Promise<MakeForTask>>> = {
  undici: async () => (await promiseRecords()).undici,
  "undici, 60 a second": async () => (await promiseRecords()).pacedUndici,
  fetch: async () => (await promiseRecords()).globalFetch,
  "apify-client": async () => (await promiseRecords()).apifyClient,
  WebCrypto: async () => (await promiseRecords()).webCrypto,
  FetchTransport: async () => (await effectRecords()).onFetchTransport,
  UndiciTransport: async () => (await effectRecords()).onUndiciTransport
}
