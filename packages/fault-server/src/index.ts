/**
 * A server that breaks HTTP at any byte, as planned.
 */
export type { CertificateKind } from "./Certificate.js"
export * as Fault from "./Fault.js"
export {
  deafOrigin,
  FaultServer,
  type Origin,
  type OriginOptions,
  type Report,
  refusingOrigin,
  type Sockets
} from "./FaultServer.js"
