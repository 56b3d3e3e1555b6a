/**
 * The patterns of IDs and names, and the conditions of a last run. They are apart from the schemas, which a program
 * that only sends a reference does not need.
 */
import { quote } from "../Redaction.js"

/** The IDs that Apify generates, of stores and of runs. */
export const idPattern = /^[a-zA-Z0-9]{17}$/

export const usernamePattern = /^[a-zA-Z0-9_.-]{3,30}$/

export const storeNamePattern = /^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$/

/** The ID of an Actor or task, its name, or `username~name`. */
export const actorPattern = /^(?:[a-zA-Z0-9_.-]{3,30}~)?[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$/

export const runStatuses = [
  "READY",
  "RUNNING",
  "SUCCEEDED",
  "FAILED",
  "TIMING-OUT",
  "TIMED-OUT",
  "ABORTING",
  "ABORTED"
] as const

export const runOrigins = [
  "DEVELOPMENT",
  "WEB",
  "API",
  "SCHEDULER",
  "TEST",
  "WEBHOOK",
  "ACTOR",
  "CLI",
  "STANDBY",
  "CI",
  "MCP",
  "APIFY_AI"
] as const

/** What is wrong with a text that is not a store name. */
export const storeNameProblem = (text: string): string => {
  if (text === "") return "it is empty"
  const problem = wrongCharacter(text, /^[a-zA-Z0-9-]$/)
  if (problem !== undefined) return problem
  if (text.startsWith("-")) return "it begins with a hyphen"
  if (text.endsWith("-")) return "it ends with a hyphen"
  return `it has ${text.length} characters, and at most 63 are allowed`
}

/** What is wrong with the first character that `allowed` does not match; `undefined` if all are allowed. */
export const wrongCharacter = (text: string, allowed: RegExp): string | undefined => {
  let position = 0
  for (const character of text) {
    position += 1
    if (!allowed.test(character)) {
      const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")
      return `the character ${quote(character)} (U+${code}) at position ${position} is not allowed`
    }
  }
  return undefined
}
