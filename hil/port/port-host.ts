import { stat } from "node:fs";
import { Socket } from "node:net";
import { endHostProcess, hostMonotonicUs, LANE, RealTime, US_PER_MS, US_PER_S } from "fleetrig/kernel";
import { SerialPort } from "serialport";
import { LineSetter } from "./line-setter.js";
import { ANSWER, COMMAND, encodeHostFrame, HostFrameReader, type HostOpening } from "./host-frames.js";

/**
 * The process of one tty. Opening a serial device, setting its lines and closing it may block a thread for as long as its driver likes; in a
 * process of its own that thread is nobody else's. Commands come over file descriptor 3, and when that ends so does the process.
 */
const PARENT_FD = 3;
const READ_BYTES = 64 * 1024;
/** How long closing waits for what is still to be sent. */
const DRAIN_US = 300 * US_PER_MS;
/** By then everything that can be closed is closed. */
const FAREWELL_US = 2 * US_PER_S;

type Binding = Awaited<ReturnType<typeof SerialPort.binding.open>>;

const parent = new Socket({ fd: PARENT_FD, readable: true, writable: true });
const answer = (kind: number, number: number, payload?: Uint8Array): void => {
  if (parent.writable) parent.write(encodeHostFrame(kind, number, payload));
};
const textOf = (error: unknown): Uint8Array =>
  Buffer.from((error instanceof Error ? error.message : String(error)).slice(0, 500));
const clock = new RealTime().lane(LANE.harness);

let port: Binding | undefined;
/** Of devices that the library cannot set lines of. */
let setter: LineSetter | undefined;
let isEnding = false;
let device: string | undefined;
let path = "";
const toWrite: Buffer[] = [];
let writing: Promise<void> | undefined;

async function open({ path: wished, baud, dtr, rts }: HostOpening): Promise<void> {
  path = wished;
  device = undefined;
  isEnding = false;
  writing = undefined;
  port = await SerialPort.binding.open({ path, baudRate: baud, lock: true });
  await setLines(port, dtr, rts).catch((error: unknown) => {
    // A pty has no lines; whoever needs them learns it from their own command.
    if (!/inappropriate ioctl/i.test(String(error))) throw error;
  });
  lookForDevice();
  void readOn(port);
}

/**
 * One request for both. FTDI adapters keep bytes for 16 ms unless they are told not to, which every request has to repeat;
 * others do not mind.
 */
async function setLines(of: Binding, dtr: boolean, rts: boolean): Promise<void> {
  const wish = { dtr, rts, lowLatency: true };
  if (setter !== undefined) return setter.set(wish);
  try {
    await of.set(wish);
  } catch (error) {
    const { fd } = of as { readonly fd?: number | null };
    if (!/operation not supported/i.test(String(error)) || typeof fd !== "number") throw error;
    setter = await LineSetter.start(fd);
    if (setter === undefined) throw error;
    await setter.set(wish);
  }
}

async function readOn(from: Binding): Promise<void> {
  const buffer = Buffer.allocUnsafe(READ_BYTES);
  const stamped = Buffer.allocUnsafe(8 + READ_BYTES);
  try {
    for (;;) {
      const { bytesRead } = await from.read(buffer, 0, READ_BYTES);
      stamped.writeDoubleLE(hostMonotonicUs(), 0);
      buffer.copy(stamped, 8, 0, bytesRead);
      answer(ANSWER.data, 0, stamped.subarray(0, 8 + bytesRead));
    }
  } catch (error) {
    gone(from, error);
  }
}

/** What the present user does about it comes as commands. */
function gone(which: Binding, error: unknown): void {
  if (isEnding || which !== port) return;
  isEnding = true;
  answer(ANSWER.gone, 0, textOf(error));
}

/**
 * After a hang-up some drivers answer every read with nothing at all, for ever. So each ping also looks whether the
 * device file is still the one that was opened.
 */
function lookForDevice(): void {
  const open = port;
  if (open === undefined) return;
  stat(path, (error, found) => {
    if (open !== port) return;
    const now = error === null ? `${found.dev}:${found.ino}:${found.rdev}` : undefined;
    if (now === undefined && error?.code === "ENOENT") gone(open, "No such device any more");
    else if (device === undefined) device = now;
    else if (now !== undefined && now !== device) gone(open, "Another device has its name");
  });
}

async function writeOn(to: Binding): Promise<void> {
  while (toWrite.length > 0) {
    const bytes = toWrite.length === 1 ? toWrite[0]! : Buffer.concat(toWrite);
    toWrite.length = 0;
    await to.write(bytes);
    const count = Buffer.allocUnsafe(4);
    count.writeUInt32LE(bytes.length, 0);
    answer(ANSWER.written, 0, count);
  }
}

function write(bytes: Buffer): void {
  if (port === undefined || isEnding) return;
  toWrite.push(Buffer.from(bytes));
  if (writing !== undefined) return;
  const to = port;
  const mine = writeOn(to)
    .catch((error: unknown) => gone(to, error))
    .finally(() => {
      // A write that hung on a port which has gone says nothing about the next one.
      if (writing === mine) writing = undefined;
    });
  writing = mine;
}

/** What is on its way gets a moment; then it is thrown away, for a driver may wait half a minute for a board that does not read. */
async function close(): Promise<void> {
  const wasGone = isEnding;
  isEnding = true;
  const open = port;
  port = undefined;
  if (wasGone) toWrite.length = 0;
  setter?.stop();
  setter = undefined;
  if (open?.isOpen !== true) return;
  if (!wasGone) await sendRest(open);
  toWrite.length = 0;
  await open.close().catch(() => {});
}

async function sendRest(open: Binding): Promise<void> {
  const isSent = await new Promise<boolean>((resolve) => {
    const patience = clock.after(DRAIN_US, () => resolve(false));
    const sent = (): void => (patience.cancel(), resolve(true));
    Promise.resolve(writing)
      .then(() => open.drain())
      .then(sent, sent);
  });
  // On a pty this would also discard what the other side has not read yet.
  if (!isSent) await open.flush().catch(() => {});
}

const COMMANDS: Readonly<Record<number, (payload: Buffer) => Promise<void> | void>> = {
  [COMMAND.open]: (payload) => open(JSON.parse(payload.toString()) as HostOpening),
  [COMMAND.lines]: (payload) => port && setLines(port, payload[0] === 1, payload[1] === 1),
  [COMMAND.baud]: (payload) => port?.update({ baudRate: payload.readUInt32LE(0) }),
  [COMMAND.ping]: () => lookForDevice(),
  [COMMAND.close]: close,
};

async function perform(kind: number, number: number, payload: Buffer): Promise<void> {
  try {
    await COMMANDS[kind]?.(payload);
    answer(ANSWER.done, number);
  } catch (error) {
    answer(ANSWER.failed, number, textOf(error));
  }
}

/** With nothing open the process ends by itself; what hangs in a driver ends with force. */
async function leave(): Promise<void> {
  const patience = clock.after(FAREWELL_US, endHostProcess);
  await close();
  patience.cancel();
}

const reader = new HostFrameReader((kind, number, payload) => {
  if (kind === COMMAND.write) write(payload);
  else void perform(kind, number, payload);
});
parent.on("data", (chunk: Buffer) => reader.push(chunk));
parent.on("error", () => {});
parent.on("close", () => void leave());
answer(ANSWER.ready, 0);
