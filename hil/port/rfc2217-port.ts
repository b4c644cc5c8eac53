import { FleetrigError, type Timer } from "fleetrig/kernel";
import { formatPortAddress } from "./port-address.js";
import { portError, portStalled } from "./port-error.js";
import type { ModemLines, Port, PortAddress, PortEnd, PortOpening, PortReceiver } from "./port.js";
import { NETWORK_STALL_US, type NetworkPortOptions, openTcpPort, type TcpPort } from "./tcp-port.js";
import {
  bigEndian32,
  COM_PORT,
  COM_PORT_ANSWER,
  comPortMessage,
  CONTROL,
  escapeIac,
  OPTION,
  readBigEndian32,
  TELNET,
  telnetCommand,
  type TelnetHandler,
  TelnetReader,
} from "./telnet.js";

/** Something asked of the server, waiting for its answer. */
interface Request {
  readonly command: number;
  readonly isAnswer: (value: Uint8Array) => boolean;
  readonly resolve: (value: Uint8Array) => void;
  readonly reject: (error: FleetrigError) => void;
  readonly patience: Timer;
}

/** A UART's divider gives a rate near the one asked for. */
const BAUD_TOLERANCE = 0.03;
/** 8N1, no flow control: what every board speaks. */
const FRAME_SETTINGS: readonly (readonly [number, number])[] = [
  [COM_PORT.dataSize, 8],
  [COM_PORT.parity, 1],
  [COM_PORT.stopSize, 1],
];

/** Connects to an RFC 2217 server, and sets rate and lines. @throws see `PortOpener` */
export async function openRfc2217Port(opening: PortOpening, options: NetworkPortOptions): Promise<Port> {
  const port = new Rfc2217Port(opening, options);
  await port.start();
  return port;
}

/** A serial port behind an RFC 2217 server. Lines and rate are set when the server says so. */
class Rfc2217Port implements Port, PortReceiver, TelnetHandler {
  readonly address: PortAddress;
  private readonly reader = new TelnetReader(this);
  private readonly requests = new Set<Request>();
  private tcp: TcpPort | undefined;
  private negotiated: ((isAgreed: boolean) => void) | undefined;
  private isOpen = false;
  private atUs = 0;

  constructor(
    private readonly opening: PortOpening,
    private readonly options: NetworkPortOptions,
  ) {
    this.address = opening.address;
  }

  get bufferedBytes(): number {
    return this.tcp?.bufferedBytes ?? 0;
  }

  async start(): Promise<void> {
    const { baud, lines = { dtr: false, rts: false } } = this.opening;
    this.tcp = await openTcpPort({ ...this.opening, receiver: this }, this.options);
    try {
      await this.negotiate();
      await this.setBaud(baud);
      for (const [command, value] of FRAME_SETTINGS) await this.ask(command, value);
      await this.ask(COM_PORT.control, CONTROL.noFlow);
      await this.setLines(lines).catch((error: FleetrigError) => {
        // A pty has no lines; whoever needs them learns it from their own command.
        if (error.code !== "PORT_LINES_UNSUPPORTED") throw error;
      });
      this.isOpen = true;
    } catch (error) {
      this.tcp.abandon("failed");
      throw error;
    }
  }

  write(bytes: Uint8Array): void {
    this.tcp?.write(escapeIac(bytes));
  }

  /** Both lines go out in one segment; a server of ours sets them in one step. */
  async setLines({ dtr, rts }: ModemLines): Promise<void> {
    const wished = [dtr ? CONTROL.dtrOn : CONTROL.dtrOff, rts ? CONTROL.rtsOn : CONTROL.rtsOff];
    const states = [
      [CONTROL.dtrOn, CONTROL.dtrOff],
      [CONTROL.rtsOn, CONTROL.rtsOff],
    ] as const;
    const answers = wished.map((_value, line) =>
      this.answerTo(COM_PORT.control, "setting DTR and RTS", (value) =>
        states[line]!.some((state) => state === value[0]),
      ),
    );
    this.send(wished.map((value) => comPortMessage(COM_PORT.control, Uint8Array.of(value))));
    const got = await Promise.all(answers);
    if (got.some((value, line) => value[0] !== wished[line])) {
      throw portError(this.address, "Inappropriate ioctl for device");
    }
  }

  async setBaud(baud: number): Promise<void> {
    const answer = this.answerTo(COM_PORT.baud, `setting ${baud} baud`, (value) => value.length >= 4);
    this.send([comPortMessage(COM_PORT.baud, bigEndian32(baud))]);
    const actual = readBigEndian32(await answer) ?? 0;
    if (Math.abs(actual - baud) <= baud * BAUD_TOLERANCE) return;
    throw new FleetrigError(
      "PORT_BAUD_FIXED",
      `${formatPortAddress(this.address)} has ${actual} baud, not ${baud}.`,
      { hint: "The server refuses the rate, or its adapter cannot make it." },
    );
  }

  async close(): Promise<void> {
    await this.tcp?.close();
  }

  received(bytes: Uint8Array, atUs: number): void {
    this.atUs = atUs;
    this.reader.push(bytes);
  }

  closed(reason: PortEnd): void {
    this.negotiated?.(false);
    const error = this.tcp?.failure ?? portError(this.address, "connection refused: ECONNREFUSED");
    for (const request of this.requests) {
      request.patience.cancel();
      request.reject(error);
    }
    this.requests.clear();
    if (this.isOpen) this.opening.receiver.closed(reason);
  }

  data(bytes: Uint8Array): void {
    // What comes before the rate is set was read at another one.
    if (this.isOpen) this.opening.receiver.received(bytes, this.atUs);
  }

  command(verb: number, option: number): void {
    if (option === OPTION.comPort) {
      if (verb === TELNET.do) this.negotiated?.(true);
      else if (verb === TELNET.dont) this.negotiated?.(false);
    } else if (option !== OPTION.binary && option !== OPTION.suppressGoAhead) this.refuse(verb, option);
  }

  subnegotiation(bytes: Uint8Array): void {
    if (bytes[0] !== OPTION.comPort) return;
    const command = (bytes[1] ?? 0) - COM_PORT_ANSWER;
    const value = bytes.subarray(2);
    for (const request of this.requests) {
      if (request.command !== command || !request.isAnswer(value)) continue;
      this.requests.delete(request);
      request.patience.cancel();
      request.resolve(value);
      return;
    }
  }

  private async negotiate(): Promise<void> {
    const { clock, stallUs = NETWORK_STALL_US } = this.options;
    const isAgreed = await new Promise<boolean>((resolve, reject) => {
      const patience = clock.after(stallUs, () => reject(portStalled(this.address, "agreeing on RFC 2217")));
      this.negotiated = (isAgreed) => {
        patience.cancel();
        resolve(isAgreed);
      };
      this.send([
        telnetCommand(TELNET.will, OPTION.comPort),
        telnetCommand(TELNET.will, OPTION.binary),
        telnetCommand(TELNET.do, OPTION.binary),
        telnetCommand(TELNET.do, OPTION.suppressGoAhead),
      ]);
    });
    this.negotiated = undefined;
    if (!isAgreed) this.refused();
  }

  private refused(): never {
    const name = formatPortAddress(this.address);
    if (this.tcp?.failure === undefined) throw portError(this.address, "the server does not speak RFC 2217");
    throw new FleetrigError("PORT_BUSY", `The server at ${name} ended the connection at once.`, {
      hint: "Another client has the port, its device is missing, or the token is wrong: the server's log says which.",
    });
  }

  private ask(command: number, value: number): Promise<Uint8Array> {
    const answer = this.answerTo(command, "setting up", () => true);
    this.send([comPortMessage(command, Uint8Array.of(value))]);
    return answer;
  }

  private answerTo(
    command: number,
    what: string,
    isAnswer: (value: Uint8Array) => boolean,
  ): Promise<Uint8Array> {
    const failure = this.tcp?.failure;
    if (failure !== undefined) return Promise.reject(failure);
    const { clock, stallUs = NETWORK_STALL_US } = this.options;
    return new Promise((resolve, reject) => {
      const patience = clock.after(stallUs, () => {
        reject(portStalled(this.address, what));
        this.tcp?.abandon("stalled");
      });
      this.requests.add({ command, isAnswer, resolve, reject, patience });
    });
  }

  private send(messages: readonly Uint8Array[]): void {
    this.tcp?.write(Buffer.concat(messages));
  }

  private refuse(verb: number, option: number): void {
    if (verb === TELNET.will) this.send([telnetCommand(TELNET.dont, option)]);
    else if (verb === TELNET.do) this.send([telnetCommand(TELNET.wont, option)]);
  }
}
