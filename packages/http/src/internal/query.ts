/**
 * The query of a URL.
 */

/** Parameters of a query, percent-encoded; those that are `undefined` are left out. */
export const parametersOf = (query: { readonly [name: string]: string | number | undefined }): ReadonlyArray<string> =>
  Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [`${encodeURIComponent(name)}=${encodeURIComponent(wellFormed(String(value)))}`]
  )

/** The end of a URL that has these parameters. */
export const queryOf = (parameters: ReadonlyArray<string>): string =>
  parameters.length === 0 ? "" : `?${parameters.join("&")}`

/** `encodeURIComponent` throws for half a character. */
const wellFormed = (text: string): string => text.replace(/\p{Surrogate}/gu, "\ufffd")
