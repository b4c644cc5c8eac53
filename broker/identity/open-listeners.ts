import { isIP } from "node:net";
import type { ConnectInfo } from "../engine/index.js";
import { hostOf } from "../remote-address.js";
import type { OpenListeners } from "./settings.js";

/** May a client that shows no credentials come in here? Over TLS only a function lets it: who set that up wants proof. */
export function isOpenTo(info: ConnectInfo, open: OpenListeners): boolean {
  const { peer, remoteAddress } = info;
  if (typeof open === "function") return open(info);
  if (open === "none") return false;
  if (peer === undefined) return true;
  if (peer.transport === "tls" || peer.transport === "wss") return false;
  if (open === "all") return true;
  if (open !== "loopback") return peer.localPort !== undefined && open.includes(peer.localPort);
  return peer.transport === "unix" || (peer.proxiedFrom === undefined && isLoopback(hostOf(remoteAddress)));
}

/** IPv4 and IPv6, and IPv4 as IPv6 sockets show it. */
function isLoopback(host: string): boolean {
  const address = host.startsWith("::ffff:") ? host.slice(7) : host;
  return address === "::1" || (isIP(address) === 4 && address.startsWith("127."));
}
