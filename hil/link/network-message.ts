import { z } from "zod";

const n = z.int().min(1).max(0xffff_ffff);

const NETWORK_MESSAGE = z.discriminatedUnion("net", [
  z.object({ net: z.literal("dial"), n }),
  z.object({ net: z.literal("opened"), n }),
  z.object({ net: z.literal("failed"), n, reason: z.enum(["refused", "timeout", "unreachable"]) }),
  z.object({ net: z.literal("close"), n }),
  z.object({ net: z.literal("abort"), n }),
  z.object({ net: z.literal("closed"), n, reason: z.enum(["closed", "reset"]) }),
]);

/** The board's connection over the bench: what is said about it on the control channel (PROTOCOL.md §5). `n` numbers the connections. */
export type NetworkMessage =
  /** Board: opens a connection. */
  | { readonly net: "dial"; readonly n: number }
  | { readonly net: "opened"; readonly n: number }
  | { readonly net: "failed"; readonly n: number; readonly reason: "refused" | "timeout" | "unreachable" }
  /** Either side: ends it after what was sent. */
  | { readonly net: "close"; readonly n: number }
  /** Either side: ends it at once. */
  | { readonly net: "abort"; readonly n: number }
  /** Host: the other side has ended it. */
  | { readonly net: "closed"; readonly n: number; readonly reason: "closed" | "reset" };

/** Undefined when it is none of these. Members that nobody knows are left out. */
export function parseNetworkMessage(value: unknown): NetworkMessage | undefined {
  const message = NETWORK_MESSAGE.safeParse(value);
  return message.success ? message.data : undefined;
}
