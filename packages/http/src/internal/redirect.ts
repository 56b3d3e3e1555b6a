/**
 * Where a redirect may lead.
 */
import type { OperationResponse } from "../Operation.js"

const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

/** The target of a redirect to another server: as safe as the server that points there, and without a user or a password. */
export const redirectTarget = (
  { headers, status }: Pick<OperationResponse, "status" | "headers">,
  origin: string
): URL | undefined => {
  const { location } = headers
  if (!redirects.has(status) || location === undefined || !URL.canParse(location, origin)) return undefined
  const url = new URL(location, origin)
  const isSafe = url.protocol === "https:" || (url.protocol === "http:" && origin.startsWith("http:"))
  return isSafe && url.origin !== origin && url.username === "" && url.password === "" ? url : undefined
}
