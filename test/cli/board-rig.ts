import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  BoardLink,
  createPortOpener,
  type Port,
  type PortOpenerOptions,
  silentLinkHandlers,
  type UsbipPlace,
} from "fleetrig/hil";
import { createRandomSource } from "fleetrig/kernel";
import { createNodeHost, type Host } from "fleetrig/scenarios";
import { main } from "../../scenarios/cli/program.js";
import { until } from "../hil/virtual/rig.js";
import { FIRMWARE_BUILDS } from "../rigs.js";

/** The command under way in this process, on this machine. */
export interface BoardCommand {
  readonly written: { stdout: string; stderr: string };
  readonly code: Promise<number>;
  interrupt(): void;
  type(line: string): void;
}

interface StartedBoard {
  readonly mac: string;
  /** A tty, unless it is a USB device. */
  readonly port: string;
  readonly usbip?: UsbipPlace;
  readonly control: string;
}

/** A folder for the state of this test's boards; what was built before is used again. */
export class BoardRig {
  readonly folder = mkdtempSync(join(tmpdir(), "fr-cli-"));
  private readonly virtual: BoardCommand[] = [];

  constructor() {
    mkdirSync(FIRMWARE_BUILDS, { recursive: true });
    symlinkSync(FIRMWARE_BUILDS, join(this.folder, "firmware"));
  }

  begin(line: string, machine: Partial<Host["machine"]> = {}): BoardCommand {
    const written = { stdout: "", stderr: "" };
    const output = (stream: "stdout" | "stderr") => ({
      write: (text: string) => void (written[stream] += text),
      isTTY: false,
      columns: 80,
    });
    const argv = ["board", ...line.split(" ").filter(Boolean)];
    const node = createNodeHost(argv);
    let interrupt = (): void => undefined;
    let type = (_line: string): void => undefined;
    const code = main({
      ...node,
      env: { PATH: process.env["PATH"], FLEETRIG_STATE_DIR: this.folder },
      stdout: output("stdout"),
      stderr: output("stderr"),
      machine: { ...node.machine, ...machine },
      onSignal: (handler) => {
        interrupt = () => handler("SIGINT");
        return () => undefined;
      },
      onInput: (handler) => {
        type = handler;
        return () => undefined;
      },
    });
    return { written, code, interrupt: () => interrupt(), type: (line) => type(line) };
  }

  async run(line: string): Promise<{ code: number; stdout: string; stderr: string }> {
    const command = this.begin(line);
    return { code: await command.code, ...command.written };
  }

  /** @returns what a command printed that must not fail */
  async output(line: string): Promise<string> {
    const { code, stdout, stderr } = await this.run(line);
    if (code !== 0) throw new TypeError(`board ${line} ended with ${code}: ${stderr}${stdout}`);
    return stdout;
  }

  /** Starts a virtual board by the command. @returns what the command said of it */
  async start(line: string): Promise<StartedBoard> {
    const command = this.begin(`virtual --json ${line}`);
    this.virtual.push(command);
    const ended = command.code.then((code) => {
      throw new TypeError(`ended with ${code}: ${command.written.stderr}`);
    });
    const isReady = until(() => command.written.stdout.includes('"ready"'), 60_000);
    await Promise.race([isReady, ended]);
    return JSON.parse(command.written.stdout.split("\n")[0]!) as StartedBoard;
  }

  /** @returns exit codes of the commands that ran the virtual boards */
  async stop(): Promise<readonly number[]> {
    for (const command of this.virtual) command.interrupt();
    const codes = await Promise.all(this.virtual.splice(0).map(({ code }) => code));
    rmSync(this.folder, { recursive: true, force: true });
    return codes;
  }
}

export interface Step {
  readonly event: string;
  readonly [member: string]: unknown;
}

/** What was written with --json. */
export const jsonLines = (text: string): Step[] =>
  text
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Step);

/** Somebody else at the same wire: has the board do what the command under test only watches. */
export class Meddler {
  private port: Port | undefined;
  private link: BoardLink | undefined;

  readonly openPorts = (options: PortOpenerOptions) => {
    const opener = createPortOpener(options);
    return {
      open: async (opening: Parameters<typeof opener.open>[0]) => {
        this.link = new BoardLink({
          clock: options.clock,
          random: createRandomSource(7).stream("link"),
          write: (bytes) => this.port?.write(bytes),
          handlers: silentLinkHandlers,
        });
        const { receiver } = opening;
        this.port = await opener.open({
          ...opening,
          receiver: {
            received: (bytes, atUs) => {
              this.link?.received(bytes, atUs);
              receiver.received(bytes, atUs);
            },
            closed: (reason) => receiver.closed(reason),
          },
        });
        return this.port;
      },
    };
  };

  /** Has the board do something, and ends its session. */
  async command(op: string, args: Readonly<Record<string, string>>): Promise<void> {
    this.link!.start();
    await until(() => this.link!.isOpen);
    await this.link!.command(op, args).catch(() => undefined);
    this.link!.stop();
  }
}

/** Asks a virtual board's control socket. */
export const control = (path: string, request: object): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(path, () => socket.write(`${JSON.stringify(request)}\n`));
    socket.once("data", (answer: Buffer) => {
      socket.destroy();
      resolve(answer.toString());
    });
    socket.once("error", reject);
  });
