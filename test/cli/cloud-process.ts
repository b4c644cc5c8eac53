import { createInterface } from "node:readline";
import { type RunningCommand, start } from "./process.js";

/** What `--json` says once the cloud is ready. */
interface CloudReady {
  readonly event: "ready";
  readonly version: string;
  readonly pid: number;
  readonly profile: string;
  readonly account: string;
  readonly region: string;
  readonly durability: string;
  readonly dataDir: string | null;
  readonly endpoints: Readonly<Record<"mqtt" | "mqtts" | "tls" | "https" | "http", string>>;
  readonly ca: string;
  readonly signatures: string;
  readonly console: string | null;
  readonly token: string | null;
}

export interface CloudProcess extends RunningCommand {
  readonly ready: CloudReady;
}

const DOORS = ["mqtt", "mqtts", "tls", "https", "http"];

/** A cloud as a process of its own, on free ports of loopback. */
export async function startCloud(
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<CloudProcess> {
  const ports = DOORS.flatMap((door) => [`--${door}-port`, "0"]);
  const running = start(["cloud", "--json", ...ports, ...args], { env });
  const line = new Promise<string>((resolve, reject) => {
    createInterface(running.child.stdout!).once("line", resolve);
    void running.ended.then(({ stderr }) => reject(new TypeError(`ended before it was ready: ${stderr}`)));
  });
  return { ...running, ready: JSON.parse(await line) as CloudReady };
}
