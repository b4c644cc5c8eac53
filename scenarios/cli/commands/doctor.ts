import { createServer } from "node:net";
import { hostSystemFiles, listPorts } from "fleetrig/hil";
import { EXIT } from "fleetrig/kernel";
import { type Host, writeLine } from "../host.js";

/** One thing that a run may need. */
interface Check {
  readonly name: string;
  /** Without it nothing works. */
  readonly isRequired: boolean;
  readonly look: (host: Host) => Finding | Promise<Finding>;
}

interface Finding {
  readonly ok: boolean;
  readonly text: string;
  /** What to do about it. */
  readonly hint?: string;
}

const MIN_NODE = [20, 19] as const;
const FILES_FOR_500_DEVICES = 2_048;

const CHECKS: readonly Check[] = [
  { name: "Node.js", isRequired: true, look: checkNode },
  { name: "loopback sockets", isRequired: true, look: checkLoopback },
  { name: "output folder", isRequired: true, look: checkOutput },
  { name: "open files", isRequired: false, look: checkOpenFiles },
  { name: "serial ports", isRequired: false, look: checkSerial },
  {
    name: "mosquitto clients",
    isRequired: false,
    look: (host) => checkProgram(host, "mosquitto_pub", "apt-get install mosquitto-clients"),
  },
  {
    name: "Chromium",
    isRequired: false,
    look: (host) => checkProgram(host, "chromium", "apt-get install chromium"),
  },
];

/**
 * `fleetrig doctor`: what this machine has of what runs may need.
 * @returns 0, or 3 when something is missing that every run needs
 */
export async function doctorCommand(host: Host): Promise<number> {
  let isFit = true;
  for (const check of CHECKS) {
    const { ok, text, hint } = await check.look(host);
    const mark = ok ? "ok      " : check.isRequired ? "missing " : "optional";
    writeLine(host.stdout, `${mark}  ${check.name.padEnd(18)} ${text}`);
    if (!ok && hint !== undefined) writeLine(host.stdout, `${" ".repeat(29)} ${hint}`);
    if (!ok && check.isRequired) isFit = false;
  }
  return isFit ? EXIT.passed : EXIT.environment;
}

function checkNode({ nodeVersion }: Host): Finding {
  const [major = 0, minor = 0] = nodeVersion.replace(/^v/, "").split(".").map(Number);
  const ok = major > MIN_NODE[0] || (major === MIN_NODE[0] && minor >= MIN_NODE[1]);
  return { ok, text: nodeVersion, hint: `fleetrig needs Node.js ${MIN_NODE.join(".")} or newer.` };
}

function checkLoopback(): Promise<Finding> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error) =>
      resolve({ ok: false, text: error.message, hint: "Real-time runs listen on 127.0.0.1; allow that." }),
    );
    server.listen(0, "127.0.0.1", () =>
      server.close(() => resolve({ ok: true, text: "127.0.0.1 can be listened on" })),
    );
  });
}

function checkOutput({ files, cwd }: Host): Finding {
  const ok = files.isWritable(".");
  return {
    ok,
    text: ok ? `${cwd} can be written` : `${cwd} cannot be written`,
    hint: "Reports go to --report-dir; choose a folder you may write.",
  };
}

/** Linux tells a process's limits as text; elsewhere the check says nothing. */
function checkOpenFiles({ files }: Host): Finding {
  if (files.kind("/proc/self/limits") !== "file") return { ok: true, text: "limit unknown on this system" };
  const line =
    files
      .readFile("/proc/self/limits")
      .split("\n")
      .find((row) => row.startsWith("Max open files")) ?? "";
  const soft = Number(line.split(/\s{2,}/)[1]);
  const ok = !(soft < FILES_FOR_500_DEVICES);
  return {
    ok,
    text: `at most ${soft}`,
    hint: `500 devices on real sockets need about ${FILES_FOR_500_DEVICES}: ulimit -n 65536.`,
  };
}

function checkSerial(): Finding {
  const ports = listPorts(hostSystemFiles);
  return ports.length > 0
    ? { ok: true, text: ports.map(({ path, adapter }) => `${path} (${adapter.name})`).join(", ") }
    : { ok: false, text: "none", hint: "Groups with requires: hardware are skipped." };
}

function checkProgram({ env, files }: Host, program: string, install: string): Finding {
  const folder = (env["PATH"] ?? "")
    .split(":")
    .find((path) => path !== "" && files.kind(`${path}/${program}`) === "file");
  return folder === undefined
    ? { ok: false, text: "not found", hint: `Only some of fleetrig's own tests need it: ${install}.` }
    : { ok: true, text: `${folder}/${program}` };
}
