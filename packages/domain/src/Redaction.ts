/**
 * Makes text from outside safe to show: only what is known to be harmless, on one printable line, shortened.
 *
 * A text is checked in every form that it decodes to, because a server may repeat a secret encoded for JSON, HTML or a
 * URL, or for several of them. If a secret appears only after decoding, the whole text is hidden.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"

/**
 * The text that replaces a secret.
 *
 * @since 0.1.0
 * @category constants
 */
export const REDACTED = "<redacted>"

/**
 * The length of the shortest secret that `redactor` looks for, in characters. A shorter one is not a real token, and
 * hiding every "a" of a message would protect nothing.
 *
 * @since 0.1.0
 * @category constants
 */
export const MIN_SECRET_LENGTH = 8

/**
 * Makes a function that hides these secrets wherever they occur in a text, in upper or lower case.
 *
 * A secret is found unencoded, and with percent encoding, the escapes of JSON and JavaScript strings, and the character
 * references of HTML, in any combination and repeated. `REDACTED` replaces an unencoded secret. If a secret appears
 * only after decoding, `REDACTED` replaces the whole text. Secrets are visible ASCII characters; those shorter than
 * `MIN_SECRET_LENGTH` are ignored.
 *
 * @example
 * ```ts
 * import { redactor } from "@effect-apify/domain"
 *
 * const hide = redactor(["s3cr3t/t0ken"])
 *
 * hide("no such token: s3cr3t/t0ken") // "no such token: <redacted>"
 * hide("/login?next=s3cr3t%2Ft0ken") // "<redacted>"
 * ```
 *
 * @since 0.1.0
 * @category redaction
 */
export const redactor = (secrets: ReadonlyArray<string>): ((text: string) => string) => {
  const sought = secrets.filter((secret) => secret.length >= MIN_SECRET_LENGTH)
  if (sought.length === 0) return (text) => text
  // The longest first: one secret may hold another.
  const plain = new RegExp(
    [...sought]
      .sort((one, other) => other.length - one.length)
      .map((secret) => secret.replace(/[^a-z0-9_]/gi, "\\$&"))
      .join("|"),
    "gi"
  )
  // A secret may itself look encoded, and is then decoded along with the text around it.
  const forms = sought.flatMap((secret) => [secret, ...Option.getOrElse(decodings(secret), () => [])])
  const wholes = longEnough(forms.map((form) => form.toLowerCase()))
  const cores = longEnough(forms.map(core))
  return (text) => {
    const safe = text.replace(plain, REDACTED)
    const shows = (form: string): boolean => {
      const whole = form.toLowerCase()
      const bare = core(form)
      return wholes.some((secret) => whole.includes(secret)) || cores.some((secret) => bare.includes(secret))
    }
    return Option.exists(decodings(safe), (forms) => !forms.some(shows)) ? safe : REDACTED
  }
}

/**
 * Hides the credentials in Apify's own text, such as the `type` and `message` of an error:
 *
 * - tokens, by their prefix;
 * - whatever follows a name such as token, signature, secret, password, authorization, cookie, session or API key;
 * - user information and query values in URLs, except for short numbers, `true` and `false`;
 * - random values after a name such as code or key.
 *
 * It hides too much rather than too little: after a name, the rest of the value, of the URL's parameter or of the line
 * is hidden, and random strings on the same line. If the text is encoded and contains a credential, `REDACTED` replaces
 * the whole text.
 *
 * @example
 * ```ts
 * import { redact } from "@effect-apify/domain"
 *
 * redact("/keys?signature=abc123&limit=1") // "/keys?signature=<redacted>&limit=1"
 * redact("/login?next=%2Fkeys%3Fsignature%3Dabc123") // "<redacted>"
 * redact("https://jane:pass@h.example/x?a=b") // "https://<redacted>@h.example/x?a=<redacted>"
 * redact("Authentication token is not valid.") // "Authentication token is not valid."
 * ```
 *
 * @since 0.1.0
 * @category redaction
 */
export const redact = (text: string): string =>
  Option.match(decodings(text), {
    onNone: () => REDACTED,
    onSome: (forms) => {
      if (forms.length === 1) return hideCredentials(text)
      return forms.some((form) => hideCredentials(form) !== form) ? REDACTED : text
    }
  })

/**
 * The start of a body that is not an Apify error, if the whole body is harmless: decoded or not, it names no
 * credential, and contains no long random string and no URL with a query or user information. Pass the whole body, and
 * the length to cut the result to, in characters.
 *
 * @example
 * ```ts
 * import { snippet } from "@effect-apify/domain"
 *
 * snippet("<h1>502 Bad Gateway</h1>", 200) // Option.some("<h1>502 Bad Gateway</h1>")
 * snippet("<h1>502 Bad Gateway</h1> id 8f14e45fceea167a5a36", 200) // Option.none()
 * ```
 *
 * @since 0.1.0
 * @category redaction
 */
export const snippet = (text: string, limit: number): Option.Option<string> => {
  const isHarmless = Option.exists(decodings(text), (forms) => !forms.some(mayHoldCredential))
  const trimmed = text.trim()
  return isHarmless && trimmed !== "" ? Option.some(excerpt(trimmed, limit)) : Option.none()
}

/**
 * The origin and the path of a `Location` header, absolute or relative, cut to `limit` characters. Default: 200.
 *
 * The query, the fragment and user information are left out. Segments of the path that could be a credential are
 * hidden, except for the ID in `/key-value-stores/:id`. If the scheme is neither http nor https, only the scheme is
 * shown. `None` if there is nothing to show.
 *
 * @example
 * ```ts
 * import { originAndPath } from "@effect-apify/domain"
 *
 * originAndPath("https://jane:pass@login.example/start?token=abc") // Option.some("https://login.example/start")
 * originAndPath("/sessions/d41d8cd98f00b204e980?next=/") // Option.some("/sessions/<redacted>")
 * originAndPath("?token=abc") // Option.none()
 * ```
 *
 * @since 0.1.0
 * @category redaction
 */
export const originAndPath = (location: string, limit = 200): Option.Option<string> => {
  // URL parsers drop such characters too, at least in some places.
  const url = location
    .replace(unprintable, "")
    .trim()
    .replace(/[?#].*$/s, "")
  if (url === "") return Option.none()
  const authority = /^(https?:[\\/]*|[\\/]{2,})([^\\/]*)/i.exec(url)
  if (authority === null) {
    return Option.match(Option.fromNullable(/^[a-z][a-z0-9+.-]*:/i.exec(url)), {
      onNone: () => Option.some(excerpt(safePath(url), limit)),
      onSome: ([scheme]) =>
        shownSchemes.has(scheme.toLowerCase()) ? Option.some(`${scheme}${REDACTED}`) : Option.none()
    })
  }
  const [origin, before = "", userAndHost = ""] = authority
  const scheme = /^https?:/i.exec(before)?.[0] ?? ""
  const host = userAndHost.slice(userAndHost.lastIndexOf("@") + 1)
  return Option.some(
    excerpt(`${scheme}//${isPlainHost(host) ? host : REDACTED}${safePath(url.slice(origin.length))}`, limit)
  )
}

/**
 * A caller's text in double quotes, for a message: credentials are hidden, unprintable characters are escaped, and the
 * text is cut to `limit` characters. Default: 80.
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
export const quote = (text: string, limit = 80): string => `"${excerpt(redact(text), limit)}"`

/**
 * A text on one printable line, cut to `limit` characters. The only secrets that it hides are tokens with Apify's
 * prefix: pass text from outside through `redact` first.
 *
 * @example
 * ```ts
 * import { excerpt } from "@effect-apify/domain"
 *
 * excerpt("one\ntwo", 6) // "one\\nt…"
 * ```
 *
 * @since 0.1.0
 * @category formatting
 */
export const excerpt = (text: string, limit: number): string => {
  // Secrets are hidden before the cut, which could leave half of one. Escaping makes a text longer, never shorter.
  const safe = text
    .replace(prefixed, REDACTED)
    .slice(0, limit + 2)
    .replace(unprintable, escaped)
  return safe.length > limit ? `${safe.slice(0, limit).replace(cutInHalf, "")}…` : safe
}

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

// Decoding

// Nobody reads text that is encoded more often than this, so it is hidden.
const MAX_DECODINGS = 8

/** The text, and what it is each time it is decoded once more, until nothing changes. `None` if that takes too long. */
const decodings = (text: string): Option.Option<ReadonlyArray<string>> => {
  const forms = [text]
  for (let form = text; forms.length <= MAX_DECODINGS; forms.push(form)) {
    const decoded = decodeOnce(form)
    if (decoded === form) return Option.some(forms)
    form = decoded
  }
  return Option.none()
}

// The character references of HTML for ASCII punctuation and for spaces. Some need no semicolon.
const references: ReadonlyMap<string, string> = new Map([
  ["amp", "&"],
  ["apos", "'"],
  ["ast", "*"],
  ["bsol", "\\"],
  ["colon", ":"],
  ["comma", ","],
  ["commat", "@"],
  ["diacriticalgrave", "`"],
  ["dollar", "$"],
  ["equals", "="],
  ["excl", "!"],
  ["grave", "`"],
  ["gt", ">"],
  ["hat", "^"],
  ["lbrace", "{"],
  ["lbrack", "["],
  ["lcub", "{"],
  ["lowbar", "_"],
  ["lpar", "("],
  ["lsqb", "["],
  ["lt", "<"],
  ["midast", "*"],
  ["nbsp", " "],
  ["newline", "\n"],
  ["num", "#"],
  ["percnt", "%"],
  ["period", "."],
  ["plus", "+"],
  ["quest", "?"],
  ["quot", '"'],
  ["rbrace", "}"],
  ["rbrack", "]"],
  ["rcub", "}"],
  ["rpar", ")"],
  ["rsqb", "]"],
  ["semi", ";"],
  ["shy", ""],
  ["sol", "/"],
  ["tab", "\t"],
  ["underbar", "_"],
  ["verbar", "|"],
  ["vert", "|"],
  ["verticalline", "|"],
  ["zerowidthspace", ""]
])

const escapes: ReadonlyMap<string, string> = new Map([
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"]
])

// Percent encoding of ASCII, and its form with `u`; escapes in strings; character references; and characters that take
// no place, which could split a name.
const encoded = new RegExp(
  [
    "%(?:[0-7][0-9a-f]|u[0-9a-f]{4})",
    "\\\\(?:u[0-9a-f]{4}|u\\{[0-9a-f]+\\}|x[0-9a-f]{2}|[\"'`\\\\/bfnrt])",
    "&(?:#x[0-9a-f]+;?|#\\d+;?|(?:amp|apos|gt|lt|nbsp|quot|shy);?)",
    `&(?:${[...references.keys()].join("|")});`,
    "\\p{Cf}"
  ].join("|"),
  "giu"
)

const decodeOnce = (text: string): string => text.replace(encoded, decodeMatch)

// Without capture groups, which would make a text that is all escapes several times slower.
const decodeMatch = (match: string): string => {
  const marker = match.slice(0, 2).toLowerCase()
  if (marker === "&#") {
    const isHex = /x/i.test(match)
    return character(Number.parseInt(match.slice(isHex ? 3 : 2), isHex ? 16 : 10), match)
  }
  if (marker === "%u" || marker === "\\u" || marker === "\\x") {
    return character(Number.parseInt(match.slice(2).replace("{", ""), 16), match)
  }
  if (match.startsWith("%")) return character(Number.parseInt(match.slice(1), 16), match)
  if (match.startsWith("\\")) return escapes.get(marker.slice(1)) ?? match.slice(1)
  if (match.startsWith("&")) return references.get(match.slice(1).replace(";", "").toLowerCase()) ?? match
  return ""
}

const character = (code: number, match: string): string => (code > 0x10ffff ? match : String.fromCodePoint(code))

/** Only the letters and digits: an escape may swallow a character next to it. */
const core = (text: string): string => text.replace(/[^a-z0-9]+/gi, "").toLowerCase()

const longEnough = (texts: ReadonlyArray<string>): ReadonlyArray<string> => [
  ...new Set(texts.filter((text) => text.length >= MIN_SECRET_LENGTH))
]

// Credentials

const prefixed = /apify_[a-z]+_[a-z0-9_-]+/gi

const names =
  "token|signature|secret|passw(?:or)?d|passphrase|\\bpwd\\b|auth|bearer|cookie|session|sessid|credential|jwt|" +
  "\\b(?:sig|sid|sess|otp|pin)\\b|" +
  "(?:api|access|private|signing|encryption)[\\s_-]?key"

// Names may have more characters, as `urlSigningSecretKey` has. The limit keeps the search linear.
const name = new RegExp(`(?:${names})[\\w.$-]{0,40}`, "gi")

const hasName = new RegExp(names, "i")

const userInformation = /\/\/[^\s/?#]*@/g

// Between a name and its value: a colon or the like, or markup, or a comma in a list of strings.
const separator =
  /[\s"'`\]]*(?:(?<sign>[:=]+>?|->)|>|["'`]\s*,|\s(?:value|content)\s*=|<(?!redacted>)\/?[a-z][^<>]*>)\s*/iy

// The limit keeps the search linear.
const nextWord = /[\s"'`(,]+(?<word>[^\s"'`]{6,64})/y

const hideCredentials = (text: string): string => {
  const safe = hideNamed(hideAssigned(hideInUrls(text.replace(prefixed, REDACTED))))
  // This may hide a random name with its sign. What is left is then a parameter without a name.
  return hasName.test(safe) ? hideInUrls(safe.split("\n").map(hideRandom).join("\n")) : safe
}

/** Hides user information and the values of queries. */
const hideInUrls = (text: string): string =>
  text.replace(userInformation, `//${REDACTED}@`).replace(/\S+/g, (word) => {
    const start = word.indexOf("?") + 1
    const isUrl = word.lastIndexOf("/", start) !== -1
    if (start === 0) return word
    return word.slice(0, start) + word.slice(start).replace(/(^|[&?#])([^&?#]+)/g, hideParameter(isUrl))
  })

const hideParameter =
  (isUrl: boolean) =>
  (_: string, before: string, parameter: string): string => {
    const sign = parameter.indexOf("=")
    if (sign === -1 && (!isUrl || before === "#")) return before + parameter
    const rest = parameter.slice(sign + 1)
    // What ends a sentence or closes brackets is no part of the value.
    const value = rest.slice(0, rest.search(/[)"'\]}:;,.!]{0,8}$/))
    const nameAndSign = parameter.slice(0, sign + 1)
    const isPlain = /^(?:\d{1,4}|true|false)$/.test(value) && !/code/i.test(nameAndSign)
    const shown = value === "" || isPlain ? value : REDACTED
    return before + nameAndSign + shown + rest.slice(value.length)
  }

/** Hides random values after names that may also name something harmless. */
const hideAssigned = (text: string): string =>
  text.replace(/\b((?:code|key|id|state|nonce|ticket)["']?[:=]\s?["']?)([\w+/=~-]{4,})/gi, (all, before, value) =>
    mayBeCode(value) && !isStoreId(value) ? before + REDACTED : all
  )

/** Whether it has letters and digits, or is a number longer than that of a status or an error. */
const mayBeCode = (value: string): boolean => /\d/.test(value) && (/[a-z]/i.test(value) || value.length > 4)

/** Hides the values after the names of credentials. */
const hideNamed = (text: string): string => {
  let safe = ""
  let done = 0
  const hide = (start: number, end: number): void => {
    const value = text.slice(start, end)
    safe += text.slice(done, start) + (value.trim() === "" ? value : REDACTED)
    done = end
  }
  for (const match of text.matchAll(name)) {
    if (match.index < done) continue
    const nameEnd = match.index + match[0].length
    separator.lastIndex = nameEnd
    const separated = separator.exec(text)
    if (separated !== null) {
      const start = separator.lastIndex
      const quoteMark = /["'`]/.exec(text[start] ?? "")?.[0]
      if (separated.groups?.sign === undefined) hide(start, text.length)
      else if (quoteMark !== undefined) hide(start + 1, endOfQuoted(text, start + 1, quoteMark))
      else hide(start, endOfValue(text, start, separated[0].includes("=")))
      continue
    }
    nextWord.lastIndex = nameEnd
    const word = nextWord.exec(text)?.groups?.word
    if (word !== undefined && isMixed(word)) {
      const start = nextWord.lastIndex - word.length
      hide(start, endOfValue(text, start, false))
    }
  }
  return safe + text.slice(done)
}

/** Where a quoted value ends: at the first quotation mark before a separator, or before the end of the text. */
const endOfQuoted = (text: string, start: number, mark: string): number => {
  const afterQuoted = /\s*(?:[,;:)}\]>&]|$)/y
  for (let end = text.indexOf(mark, start); end !== -1; end = text.indexOf(mark, end + 1)) {
    afterQuoted.lastIndex = end + 1
    if (afterQuoted.test(text)) return end
  }
  return text.length
}

/** Where a value without quotation marks ends: with the line, or at a URL's next parameter. A list ends with the text. */
const endOfValue = (text: string, start: number, mayBeParameter: boolean): number => {
  if (/[[{(|]/.test(text[start] ?? "")) return text.length
  // A link with its signature hidden keeps its fragment.
  if (mayBeParameter && text.startsWith(`${REDACTED}#`, start)) return start + REDACTED.length
  const end = mayBeParameter ? /\r?\n|&[\w.-]{1,40}=/g : /\r?\n/g
  end.lastIndex = start
  return end.exec(text)?.index ?? text.length
}

const hideRandom = (line: string): string =>
  hasName.test(line) ? line.replace(/[\w+=-]{8,}/g, (run) => (isRandom(run) && !isStoreId(run) ? REDACTED : run)) : line

const isMixed = (word: string): boolean => (/\d/.test(word) && /[a-z]/i.test(word)) || /[a-z][A-Z]/.test(word)

/** A word as people write them, in a sentence or in code: `Store`, `STORE`, `storeName`, `sha256`; or a short number. */
const isWord = (text: string): boolean =>
  text.length <= 24 && /^(?:[A-Z]?[a-z]*(?:[A-Z][a-z]{2,})*\d{0,3}|[A-Z]+\d{0,3}|\d{1,12})$/.test(text)

/** Whether some part is not a word, or several parts mix letters and digits. Meant for texts that are long enough. */
const isRandom = (run: string): boolean => {
  const parts = run.split(/[^a-z0-9]+/i)
  return (
    parts.some((part) => part.length > 3 && !isWord(part)) ||
    new Set(parts.filter((part) => /[a-z]/i.test(part) && /\d/.test(part))).size > 2
  )
}

const isStoreId = (text: string): boolean => /^[a-zA-Z0-9]{17}$/.test(text)

// Snippets

const mayName = new RegExp(`${names}|key|apify_`, "i")

const query = /(?:^|[^<])\?[\w%&]/

// A name, and a value that could be a one-time code, as in `id 8f14e45fceea`. Error numbers are shorter.
const code = /\b(?:code|id|state|nonce|ticket)[\s"'`:=>(#]{1,10}(?=[\w-]{0,40}\d)(?!\d{1,4}\b)[\w-]{4}/i

const mayHoldCredential = (text: string): boolean =>
  mayName.test(text.replace(/key-value[ -]store/gi, "")) ||
  query.test(text) ||
  text.search(userInformation) !== -1 ||
  code.test(text) ||
  (text.match(/[\w+/=.~-]{8,}/g) ?? []).some((run) => (run.length >= 16 || isMixed(run)) && isRandom(run))

// Locations

const shownSchemes: ReadonlySet<string> = new Set(["about:", "data:", "file:", "ftp:", "javascript:", "mailto:"])

const isPlainHost = (host: string): boolean =>
  /^(?:[a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i.test(host) &&
  !host.split(/[.:]/).some((label) => label.length >= 16 && isRandom(label))

const safePath = (path: string): string => {
  let isNamed = false
  return path
    .split(/[\\/]/)
    .map((segment, index, segments) => {
      const isHarmless =
        (isStoreId(segment) && segments[index - 1] === "key-value-stores") ||
        (isHarmlessSegment(segment) && (!isNamed || /^(?:[a-z]{1,15}(?:[.-]|$))*$/.test(segment)))
      isNamed ||= Option.exists(decodings(segment), (forms) => forms.some((form) => hasName.test(form)))
      return isHarmless ? segment : REDACTED
    })
    .join("/")
}

const isHarmlessSegment = (segment: string): boolean =>
  Option.exists(
    decodings(segment),
    (forms) =>
      forms.every((form) => /^[\p{L}\p{M}\p{N} !'()*,.:_~%-]*$/u.test(form) && hideCredentials(form) === form) &&
      !forms.some((form) => form.length >= 16 && isRandom(form))
  )
