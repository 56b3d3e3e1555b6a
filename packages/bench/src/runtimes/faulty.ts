/**
 * A server for pages of any origin, that does not respond, is busy, or breaks off.
 */
import { createServer, type Server } from "node:http"
import { BODY } from "../page.js"

/** Starts no listening: `listen` of `server.ts` does. */
export const serveFaults = (): Server => {
  let open = 0
  let requests = 0
  const cors = { "access-control-allow-origin": "*", "content-type": "application/json" }
  return createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? "")
    if (path === "/open") {
      response.writeHead(200, cors).end(String(open))
    } else if (path.endsWith("~hang")) {
      open++
      response.once("close", () => open--)
    } else if (path.endsWith("~busy") && requests++ % 2 === 0) {
      response.writeHead(503, cors).end()
    } else if (path.endsWith("~cut")) {
      response
        .writeHead(200, { ...cors, "content-length": BODY.length })
        .write(BODY.slice(0, 10), () => response.destroy())
    } else {
      response.writeHead(200, cors).end(BODY)
    }
  })
}
