/**
 * The query of a URL.
 */

/** Parameters of a query, percent-encoded; those that are `undefined` are left out. */
export const parametersOf = (query: {
  readonly [name: string]: string | number | undefined
}): ReadonlyArray<string> => {
  const parameters: Array<string> = []
  for (const name of Object.keys(query)) {
    const value = query[name]
    if (value !== undefined)
      parameters.push(`${encodeURIComponent(name)}=${encodeURIComponent(wellFormed(String(value)))}`)
  }
  return parameters
}

/** The end of a URL that has these parameters. */
export const queryOf = (parameters: ReadonlyArray<string>): string =>
  parameters.length === 0 ? "" : `?${parameters.join("&")}`

/** `encodeURIComponent` throws for half a character. */
const wellFormed = (text: string): string => text.replace(/\p{Surrogate}/gu, "\ufffd")
