export {
  type Listener,
  type ListenerContext,
  type ListenerCounts,
  type ListenerEndpoint,
  type ListenerObserver,
  openListener,
} from "./listener.js";
export type {
  AcceptRate,
  AlpnOffer,
  ClientCertificates,
  KeyAndCertificate,
  ListenerOptions,
  NamedCertificate,
  Pem,
  ProxyProtocolOptions,
  TlsOptions,
  WebSocketOptions,
} from "./listener-options.js";
export { formatListenerUrl, type ListenAddress, parseListenerUrl } from "./listener-url.js";
export type { Rejection, RejectionReason } from "./rejection.js";
export { SocketBudget } from "./socket-budget.js";
export type { CertificateNotice } from "./tls-stage.js";
export type { UpgradeDecision, WebClient, WebEntrance, WebRefusal } from "./web-entrance.js";
export { makeServerContext } from "./tls-credentials.js";
