/**
 * References and settings that are refused before a request is sent, and those that are not.
 */
import { SIGNING_KEY, TOKEN } from "./secrets.js"

/** References that reach elsewhere in one client or another. */
export const hostileRefs = [
  "",
  ".",
  "..",
  "%2e%2e",
  "%2E%2e",
  "..%2f",
  "a/../b",
  "../users/me",
  "..\\users",
  "\\",
  "?x",
  `~name?token=${TOKEN}`,
  "#f",
  "~name#f",
  "~name\r\nX: y",
  "~na\0me",
  "@",
  "user@host",
  "user:pass@host~x",
  "//evil.test",
  "https://evil.test",
  "~",
  "user~",
  "~..",
  "..~name",
  ".~name",
  "~name/",
  "~name ",
  " ~name",
  "~näme",
  "～name",
  "~name~name",
  "%7Ename",
  "~\ud800",
  "a".repeat(10_000),
  `~${"a".repeat(64)}`,
  "name"
]

/** References of each form, with every legal character. */
export const legalRefs = [
  "WkzbQMuFYuamGv3YF",
  "user~name",
  "~name",
  "a.b-c_9~n-4-M-e",
  "BPWDBd7Z9c746JAnF~name",
  `~${"a".repeat(63)}`
]

/** Tokens that no header takes, or that were copied along with something. */
export const tokens = [
  "",
  ...["\r\nX: y", "\n", "ö", " ", " b", "\u0000", "\ud800"].map((illegal) => `${TOKEN}${illegal}`),
  ` ${TOKEN}`
]

/** Base URLs that lead a token elsewhere, or that URL parsers read otherwise than people do. */
export const baseUrls = [
  "http://api.apify.com",
  `https://user:${SIGNING_KEY}@api.apify.com`,
  `https://${SIGNING_KEY}@api.apify.com`,
  `https://api.apify.com?token=${TOKEN}`,
  `https://api.apify.com#${TOKEN}`,
  "javascript:alert(1)",
  "file:///etc/passwd",
  "http://localhost.",
  "http://127.1",
  "http://0x7f.1",
  "http://2130706433",
  "http://0177.0.0.1",
  "http://127.0.0.1.evil.test",
  "http://localhost.evil.test",
  "http://localhost@evil.test",
  "http:\\\\localhost",
  "http:/localhost",
  "//localhost",
  "https://",
  "",
  " https://x.test",
  "https://api.apify.com/../v2",
  "https://api.apify.com\r\n",
  "http://[::ffff:127.0.0.1]",
  "http://0.0.0.0",
  "https://api.apify.com:99999",
  "ftp://localhost",
  "http://loc\u0430lhost"
]
