/**
 * Text from outside made safe to show: short, printable, and without secrets.
 *
 * @since 0.1.0
 */

/**
 * What stands where a secret was.
 *
 * @since 0.1.0
 * @category constants
 */
export const REDACTED = "<redacted>"

const secrets: ReadonlyArray<readonly [pattern: RegExp, replacement: string]> = [
  [/apify_(?:api|proxy|ui)_[a-zA-Z0-9]+/gi, REDACTED],
  // As in a URL, or as in JSON, which may stand in a string and be escaped itself. "token" may also end a sentence's half.
  [/(token(?:=|%3d|\\*["']\s*:\s*\\*["']))[^&#\s"',}\\]+/gi, `$1${REDACTED}`],
  [/((?:signature|urlsigningsecretkey)(?:=|%3d|\\*["']?\s*:\s*\\*["']?))[^&#\s"',}\\]+/gi, `$1${REDACTED}`]
]

/**
 * Hides whatever in a text looks like an Apify token, a signature or a signing key: tokens by their prefix, the others
 * by the name in front of them. The client hides its own token besides, wherever it stands.
 *
 * @example
 * ```ts
 * import { redact } from "@effect-apify/domain"
 *
 * redact("/keys?signature=abc123&limit=1") // "/keys?signature=<redacted>&limit=1"
 * ```
 *
 * @since 0.1.0
 * @category formatting
 */
export const redact = (text: string): string =>
  secrets.reduce((safe, [pattern, replacement]) => safe.replace(pattern, replacement), text)

// Control, format (bidirectional overrides among them), private-use and unassigned characters, lone surrogates, and the
// two separators that break a line.
const unprintable = /[\p{C}\u2028\u2029]/gu

// The first half of a character that takes two, left over by a cut.
const cutInHalf = /[\ud800-\udbff]$/

const escaped = (character: string): string =>
  character === "\n"
    ? "\\n"
    : character === "\r"
      ? "\\r"
      : character === "\t"
        ? "\\t"
        : `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`

/**
 * A text from outside in double quotes, for a message: secrets hidden, unprintable characters escaped, and cut after
 * `limit` characters (80 unless told).
 *
 * @example
 * ```ts
 * import { quote } from "@effect-apify/domain"
 *
 * quote("a\r\nb") // "\"a\\r\\nb\""
 * ```
 *
 * @since 0.1.0
 * @category formatting
 */
export const quote = (text: string, limit = 80): string => `"${excerpt(text, limit)}"`

/**
 * As `quote`, without the quotes.
 *
 * @since 0.1.0
 * @category formatting
 */
export const excerpt = (text: string, limit: number): string => {
  // Secrets are looked for before the cut, or half of one could stay; four times the limit holds any that would show.
  const safe = redact(text.slice(0, limit * 4)).replace(unprintable, escaped)
  return safe.length > limit ? `${safe.slice(0, limit).replace(cutInHalf, "")}…` : safe
}
