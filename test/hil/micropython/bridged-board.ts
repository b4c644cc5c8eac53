import { connect, type Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { BoardLink, type Hello, type RunningVirtualBoard, type VirtualBoardKind } from "fleetrig/hil";
import { createRandomSource, type JsonObject, RealTime } from "fleetrig/kernel";
import { SerialPort } from "serialport";
import { onTestFinished } from "vitest";
import { startBoard, until } from "../virtual/rig.js";

export const SCRIPT = fileURLToPath(
  new URL("../../../hil/firmware/micropython/main.py", import.meta.url.replace("/dist/", "/")),
);

export interface BridgedBoardOptions {
  readonly kind?: VirtualBoardKind;
  readonly firmware?: string;
  readonly encoding?: "line" | "cobs";
  readonly stateFolder?: string;
  /** Where the tunnel leads. */
  readonly brokerPort?: number;
}

/** A virtual board with the host's end of its link, which passes the tunnel's bytes on to a TCP port. */
export class BridgedBoard {
  readonly events: JsonObject[] = [];
  readonly hellos: Hello[] = [];
  restarts = 0;
  text = "";
  /** Nothing that the board says arrives. */
  isDeaf = false;
  readonly link: BoardLink;
  private readonly clock = new RealTime().lane(0);
  private socket: Socket | undefined;
  private port: SerialPort | undefined;

  private constructor(
    readonly board: RunningVirtualBoard,
    encoding: "line" | "cobs",
    private readonly brokerPort: number,
  ) {
    this.link = new BoardLink({
      clock: this.clock,
      random: createRandomSource(1).stream("link"),
      encoding,
      write: (bytes) => this.port?.write(Buffer.from(bytes)),
      handlers: {
        opened: (hello) => this.hellos.push(hello),
        restarted: () => {
          this.restarts += 1;
          this.socket?.destroy();
        },
        lost: () => this.socket?.destroy(),
        text: (bytes) => {
          this.text += Buffer.from(bytes).toString();
        },
        event: (event) => this.events.push(event),
        network: (message) => {
          if (message.net === "dial") this.dial(message.n);
          if (message.net === "close") this.socket?.end();
          if (message.net === "abort") this.socket?.destroy();
        },
        networkData: (bytes) => this.socket?.write(bytes),
      },
    });
  }

  static async open(options: BridgedBoardOptions = {}): Promise<BridgedBoard> {
    const {
      encoding = "line",
      brokerPort = 0,
      kind = "micropython",
      firmware = SCRIPT,
      stateFolder,
    } = options;
    const board = await startBoard({ kind, firmware, ...(stateFolder === undefined ? {} : { stateFolder }) });
    const bridged = new BridgedBoard(board, encoding, brokerPort);
    await bridged.plugIn();
    bridged.link.start();
    onTestFinished(() => bridged.close());
    await until(() => bridged.link.isOpen);
    return bridged;
  }

  /** Opens the tty that the board has now. */
  async plugIn(): Promise<void> {
    const port = new SerialPort({ path: this.board.path!, baudRate: 115_200 });
    port.on("data", (bytes: Buffer) => {
      if (!this.isDeaf) this.link.received(bytes, this.clock.nowUs());
    });
    port.on("error", () => undefined);
    await new Promise((resolve) => port.once("open", resolve));
    this.port = port;
  }

  ofKind(name: string): JsonObject[] {
    return this.events.filter(({ ev }) => ev === name);
  }

  /** Configures the member and starts it now. */
  async begin(configuration: JsonObject): Promise<void> {
    await this.link.command("configure", configuration);
    await this.link.command("time", { wallMs: Date.now(), at: this.hellos.at(-1)!.upUs });
    await this.link.command("start", { at: this.boardNowUs() });
  }

  /** It has restarted so often since it was opened, and there is a session again. */
  async restarted(times: number): Promise<void> {
    await until(() => this.restarts === times && this.link.isOpen);
  }

  /** About what the board's clock shows. */
  boardNowUs(): number {
    return Math.round(this.link.fit.toBoardUs(this.clock.nowUs()));
  }

  private dial(n: number): void {
    const socket = connect(this.brokerPort, "127.0.0.1", () => this.link.sendNetwork({ net: "opened", n }));
    socket.on("data", (bytes) => this.link.sendNetworkData(bytes));
    socket.on("error", () => undefined);
    socket.on("close", () => this.link.sendNetwork({ net: "closed", n, reason: "closed" }));
    this.socket = socket;
  }

  private async close(): Promise<void> {
    this.link.stop();
    this.socket?.destroy();
    if (this.port?.isOpen) await new Promise((resolve) => this.port!.close(resolve));
  }
}

/** What the bench would tell a member of a fleet. */
export function configuration(thing: string, rest: JsonObject = {}): JsonObject {
  return {
    thing,
    index: 0,
    path: "bridge",
    model: "temperature-sensor",
    traceKey: "fleetrig",
    seed: 7,
    attributes: { firmware: "1.0.0" },
    connectAtUs: 0,
    mqtt: { version: 5, keepAliveS: 60, cleanStart: false, sessionExpiryS: 3600, receiveMaximum: 16 },
    reconnect: { policy: "constant", baseUs: 50_000, capUs: 50_000, resetAfterUs: 1_000_000 },
    buffer: { capacity: 100, overflow: "drop-oldest" },
    telemetry: [],
    signals: {},
    ...rest,
  };
}
