/**
 * Certificates of an authority that lives as long as the test run.
 */
import * as Effect from "effect/Effect"
import { generate } from "selfsigned"

/** A certificate with its key, both PEM. */
export interface Certificate {
  readonly key: string
  readonly cert: string
}

/** What a client may find wrong with a certificate; nothing, with a `valid` one. */
export type CertificateKind = "valid" | "selfSigned" | "expired" | "otherHost"

const DAY_MILLIS = 24 * 60 * 60 * 1000

/** A common name by itself and the dates given, or those of today. */
const make = (
  name: string,
  { authority, host, notAfter }: { authority?: Certificate; host?: string; notAfter?: Date } = {}
): Effect.Effect<Certificate> =>
  Effect.promise(() =>
    generate([{ name: "commonName", value: name }], {
      keyType: "ec",
      algorithm: "sha256",
      ...(authority === undefined ? {} : { ca: authority }),
      ...(notAfter === undefined
        ? {}
        : { notBeforeDate: new Date(notAfter.getTime() - DAY_MILLIS), notAfterDate: notAfter }),
      extensions:
        host === undefined
          ? [
              { name: "basicConstraints", cA: true, critical: true },
              { name: "keyUsage", keyCertSign: true, critical: true }
            ]
          : [
              { name: "basicConstraints", cA: false },
              { name: "subjectAltName", altNames: [{ type: 2, value: host }] }
            ]
    })
  ).pipe(Effect.map(({ cert, private: key }) => ({ cert, key })))

/** An authority for clients to trust, and the certificates that it signed. */
export interface Authority {
  readonly cert: string
  readonly issue: (kind: CertificateKind) => Effect.Effect<Certificate>
}

/** A new authority; nothing is written to disk. */
export const makeAuthority: Effect.Effect<Authority> = Effect.map(make("Fault server"), (authority) => ({
  cert: authority.cert,
  issue: (kind) => {
    switch (kind) {
      case "valid":
        return make("localhost", { authority, host: "localhost" })
      case "selfSigned":
        return make("localhost", { host: "localhost" })
      case "expired":
        return make("localhost", { authority, host: "localhost", notAfter: new Date("2024-01-01T00:00:00Z") })
      case "otherHost":
        return make("elsewhere.test", { authority, host: "elsewhere.test" })
    }
  }
}))
