import { execFile, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isMainThread } from "node:worker_threads";
import { isRequired } from "../rigs.js";

const MOSQUITTO = "/usr/sbin/mosquitto";
export const PYTHON = "/usr/bin/python3";

export const lacksMosquitto = !isRequired && !existsSync(MOSQUITTO);
export const lacksMosquittoClients = !isRequired && !existsSync("/usr/bin/mosquitto_pub");
export const lacksPaho = !isRequired && !canImport("paho.mqtt.client");
export const lacksPyserial = !isRequired && !canImport("serial.rfc2217");
export const lacksBoto3 = !isRequired && !canImport("boto3");
/** Its native part ends the whole process when a worker thread ends that has used it, as those of the coverage run do. */
export const lacksDeviceSdk = !isMainThread;
/** Debian's, or any second version of it. */
export const lacksAwsCli = !isRequired && !canImport("awscli.clidriver") && !hasAwsCli();

function canImport(module: string): boolean {
  try {
    execFileSync(PYTHON, ["-c", `import ${module}`], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

function hasAwsCli(): boolean {
  try {
    return execFileSync("aws", ["--version"], { encoding: "utf8" }).startsWith("aws-cli/2.");
  } catch {
    return false;
  }
}

/** A loopback port that nobody listens on, as far as one can know. */
export async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Runs a program to its end. @returns what it printed */
export const run = (program: string, args: readonly string[]): Promise<string> =>
  new Promise((resolve, reject) => {
    execFile(program, [...args], { timeout: 15_000 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${program}: ${error.message}\n${stderr}`));
    });
  });

export const runPython = (script: string, ...args: string[]): Promise<string> =>
  run(PYTHON, ["-c", script, ...args]);

/** A mosquitto of our own on loopback. */
export async function startMosquitto(): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const port = await closedPort();
  const folder = mkdtempSync(join(tmpdir(), "fleetrig-mosquitto-"));
  const config = join(folder, "mosquitto.conf");
  writeFileSync(config, `listener ${port} 127.0.0.1\nallow_anonymous true\npersistence false\n`);
  const broker = spawn(MOSQUITTO, ["-c", config], { stdio: "ignore" });
  const exited = new Promise((resolve) => broker.once("exit", resolve));
  const stop = async (): Promise<void> => {
    broker.kill();
    await exited;
    rmSync(folder, { recursive: true });
  };
  for (let tries = 0; !(await isOpen(port)); tries += 1) {
    if (tries < 100) continue;
    await stop();
    throw new Error(`mosquitto does not listen on ${port}`);
  }
  return { port, stop };
}

/** One attempt, at the end of which it is known. */
const isOpen = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.once("connect", () => (socket.destroy(), resolve(true)));
    socket.once("error", () => setTimeout(() => resolve(false), 50));
  });
