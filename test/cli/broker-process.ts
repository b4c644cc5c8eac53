import { createInterface } from "node:readline";
import { type RunningCommand, start } from "./process.js";

/** What `--json` says once the broker is ready. */
interface Ready {
  readonly event: "ready";
  readonly version: string;
  readonly pid: number;
  readonly profile: string;
  readonly durability: string;
  readonly dataDir: string | null;
  readonly endpoints: readonly string[];
  readonly http: { readonly url: string; readonly token: string | null } | null;
}

export interface BrokerProcess extends RunningCommand {
  readonly ready: Ready;
  /** Of the first listener. */
  readonly port: string;
}

/** A broker as a process of its own, on a free port of loopback. */
export async function startBroker(
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<BrokerProcess> {
  const listen = args.includes("--listen") ? [] : ["--listen", "mqtt://127.0.0.1:0"];
  const running = start(["broker", "--json", ...listen, ...args], { env });
  const line = new Promise<string>((resolve, reject) => {
    createInterface(running.child.stdout!).once("line", resolve);
    void running.ended.then(({ stderr }) => reject(new TypeError(`ended before it was ready: ${stderr}`)));
  });
  const ready = JSON.parse(await line) as Ready;
  return { ...running, ready, port: /:(\d+)(?:\/|$)/.exec(ready.endpoints[0] ?? "")?.[1] ?? "" };
}
