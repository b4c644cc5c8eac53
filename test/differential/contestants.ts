import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createBroker } from "fleetrig/broker";
import { closedPort } from "../embedding/rigs.js";

/** A broker that scripts can be played to. */
export interface Contestant {
  readonly port: number;
  stop(): Promise<void>;
}

const MOSQUITTO = "/usr/sbin/mosquitto";
const START_TRIES = 200;
const RETRY_MS = 25;
/** Both brokers wait for acknowledgements after as many messages. */
export const MAX_INFLIGHT = 20;
const CONFIGURATION = [
  "allow_anonymous true",
  "persistence false",
  "sys_interval 0",
  "set_tcp_nodelay true",
  `max_inflight_messages ${MAX_INFLIGHT}`,
  "log_type error",
];

export const hasMosquitto = (): boolean => existsSync(MOSQUITTO);

export async function startOwn(): Promise<Contestant> {
  const broker = await createBroker({
    listen: ["mqtt://127.0.0.1:0"],
    profile: "oasis",
    limits: { maxInflight: MAX_INFLIGHT },
  });
  return { port: broker.endpoints[0]!.port ?? 0, stop: () => broker.stop() };
}

export async function startMosquitto(): Promise<Contestant> {
  const port = await closedPort();
  const folder = mkdtempSync(join(tmpdir(), "fleetrig-differential-"));
  const file = join(folder, "mosquitto.conf");
  writeFileSync(file, [`listener ${port} 127.0.0.1`, ...CONFIGURATION, ""].join("\n"));
  const child = spawn(MOSQUITTO, ["-c", file], { stdio: "ignore" });
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.kill()) await once(child, "exit");
    rmSync(folder, { recursive: true, force: true });
  };
  for (let tries = START_TRIES; tries > 0; tries -= 1) {
    if (await isListening(port)) return { port, stop };
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
  await stop();
  throw new Error(`mosquitto does not listen on ${port}`);
}

const isListening = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.once("connect", () => (socket.destroy(), resolve(true)));
    socket.once("error", () => resolve(false));
  });
