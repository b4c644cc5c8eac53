import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { BenchCase, Figure } from "./bench-case.js";
import { OPENSSL, opensslMissing } from "./certificates.js";
import { startProgram } from "./generator.js";
import { BROKER_CORE, spawnPinned } from "./pinned.js";
import { cpuSeconds, residentBytes } from "./process-figures.js";

const MAIN = resolve("dist/scenarios/cli/main.js");
const HOLD_TLS = fileURLToPath(new URL("./hold-tls.js", import.meta.url));
const IDLE_MS = 10_000;
/** Before anything is compared with it, a server has seen some connections come and go. */
const FIRST_CLIENTS = 200;

interface Cloud {
  readonly pid: number;
  readonly http: string;
  readonly mqttsPort: string;
  stop(): void;
}

/** `fleetrig cloud` with its default settings, except that it writes nothing down and lets all connect at once. */
async function startCloud(folder: string): Promise<Cloud> {
  const doors = ["mqtt", "tls", "https"].flatMap((door) => [`--${door}-port`, "off"]);
  const ports = [...doors, "--mqtts-port", "0", "--http-port", "0", "--json", "--log-level", "error"];
  const limits = ["connectRate=0", "connectRatePerClient=0"].flatMap((limit) => ["--limit", limit]);
  const child = spawnPinned(BROKER_CORE, [process.execPath, MAIN, "cloud", ...ports, ...limits], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const line = await new Promise<string>((done, reject) => {
    child.stdout!.once("data", (chunk: Buffer) => done(chunk.toString()));
    child.once("exit", () => reject(new Error("the cloud ended before it was ready")));
  });
  const { endpoints, ca } = JSON.parse(line) as { endpoints: Record<string, string>; ca: string };
  copyFileSync(ca, join(folder, "ca.crt"));
  const mqttsPort = /:(\d+)$/.exec(endpoints["mqtts"]!)![1]!;
  return { pid: child.pid!, http: endpoints["http"]!, mqttsPort, stop: () => child.kill() };
}

/** A device with a P-256 key, a certificate of the cloud's, and a policy that lets it do everything. */
async function makeDevice(http: string, folder: string): Promise<void> {
  const key = [
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:prime256v1",
    "-nodes",
    "-keyout",
    "client.key",
  ];
  execFileSync(OPENSSL, ["req", "-new", "-subj", "/CN=bench", ...key, "-out", "client.csr"], {
    cwd: folder,
    stdio: "ignore",
  });
  const call = async (method: string, path: string, body: object): Promise<Record<string, string>> => {
    const answer = await fetch(http + path, { method, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${method} ${path}: ${await answer.text()}`);
    return (await answer.json()) as Record<string, string>;
  };
  const csr = readFileSync(join(folder, "client.csr"), "utf8");
  const made = await call("POST", "/certificates?setAsActive=true", { certificateSigningRequest: csr });
  writeFileSync(join(folder, "client.crt"), made["certificatePem"]!);
  await call("POST", "/policies/all", {
    policyDocument:
      '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]}',
  });
  await call("PUT", "/target-policies/all", { target: made["certificateArn"]! });
}

async function figuresOf(clients: number): Promise<readonly Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), "fleetrig-bench-"));
  const cloud = await startCloud(folder);
  try {
    await makeDevice(cloud.http, folder);
    const open = (count: number) =>
      startProgram([process.execPath, HOLD_TLS, cloud.mqttsPort, folder, String(count)]);
    const few = open(FIRST_CLIENTS);
    await few.announced;
    few.release();
    await few.figures;
    const emptyBytes = residentBytes(cloud.pid);
    const held = open(clients);
    await held.announced;
    const before = cpuSeconds(cloud.pid);
    await sleep(IDLE_MS);
    const cpuPercent = ((cpuSeconds(cloud.pid) - before) / (IDLE_MS / 1000)) * 100;
    const bytes = (residentBytes(cloud.pid) - emptyBytes) / clients;
    held.release();
    const { perSecond } = await held.figures;
    return [
      { name: "connects", value: perSecond!, unit: "1/s" },
      { name: "memory per idle connection", value: bytes / 1024, unit: "KiB", most: 60 },
      { name: "CPU while idle", value: cpuPercent, unit: "%", most: 5 },
    ];
  } finally {
    cloud.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

const mtls = (name: string, clients: number, isLong: boolean): BenchCase => ({
  name,
  description: `fleetrig cloud: ${clients.toLocaleString("en")} devices connect with mTLS (P-256, policies) and do nothing for 10 s`,
  isLong,
  skipped: opensslMissing,
  run: () => figuresOf(clients),
});

export const CLOUD_CASES: readonly BenchCase[] = [
  mtls("cloud-mtls", 2_000, false),
  mtls("cloud-mtls-10,000", 10_000, true),
];
