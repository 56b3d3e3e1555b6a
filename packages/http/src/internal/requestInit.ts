/**
 * What every request by `fetch` must have: no redirects, which could take the token elsewhere; no cache; no cookies.
 */

const wanted = { redirect: "manual", cache: "no-store", credentials: "omit" } as const satisfies RequestInit

/** The options that are not the caller's to choose. */
export type ProtectedOption = keyof typeof wanted

let supported: RequestInit | undefined

/** Some runtimes throw for an option that they do not implement: it is left out there. */
export const protectedInit = (): RequestInit => {
  supported ??= {
    redirect: wanted.redirect,
    ...(takes({ cache: wanted.cache }) ? { cache: wanted.cache } : {}),
    ...(takes({ credentials: wanted.credentials }) ? { credentials: wanted.credentials } : {})
  }
  return supported
}

const takes = (init: RequestInit): boolean => {
  try {
    return new Request("http://localhost", init) instanceof Request
  } catch {
    return false
  }
}
