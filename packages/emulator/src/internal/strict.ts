/**
 * Schemas that take no other fields than their own.
 */

/** Annotations of a schema: a misspelt field must not pass for one that was left out. */
export const strict = { parseOptions: { onExcessProperty: "error" } } as const
