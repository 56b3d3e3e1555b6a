/**
 * A server that responds to every request with the store of the endpoint's page: no routing, no limits, nothing that a
 * client could wait for.
 */
import { createServer, type Server } from "node:http"
import { BODY } from "./page.js"

/** Longer than any pause of a client's, so that no connection is closed under it. */
export const KEEP_ALIVE_MILLIS = 65_000

/** A server that calls a function for each request. */
export const serveStore = (onRequest: () => void = () => {}): Server => {
  const body = Buffer.from(BODY)
  const headers = { "content-type": "application/json; charset=utf-8", "content-length": body.length }
  return createServer({ keepAliveTimeout: KEEP_ALIVE_MILLIS }, (_, response) => {
    onRequest()
    response.writeHead(200, headers)
    response.end(body)
  })
}

/** Starts a server on a free port of this machine; gives its URL. */
export const listen = (server: Server): Promise<string> =>
  new Promise((resolve, reject) => {
    server.once("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      if (address === null || typeof address === "string") reject(new Error("The server has no port"))
      else resolve(`http://127.0.0.1:${address.port}`)
    })
  })
