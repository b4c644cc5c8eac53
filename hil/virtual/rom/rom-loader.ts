import { createHash } from "node:crypto";
import { CHIP_MAGIC_REGISTER, type ChipProfile } from "./chip-profile.js";
import type { FlashMemory } from "./flash-memory.js";
import { FlashRead } from "./flash-read.js";
import { FlashWrite } from "./flash-write.js";
import type { RomFaults } from "./rom-faults.js";

/**
 * The boot loader in a chip's ROM, and the *stub* a flasher puts into its RAM: what they answer to the commands of Espressif's serial
 * protocol (documentation of esptool, "Serial Protocol"). The stub's code is not run: once it has been uploaded and started, the loader behaves as it does.
 */
const COMMAND = {
  flashBegin: 0x02,
  flashData: 0x03,
  flashEnd: 0x04,
  memBegin: 0x05,
  memEnd: 0x06,
  memData: 0x07,
  sync: 0x08,
  writeReg: 0x09,
  readReg: 0x0a,
  spiSetParams: 0x0b,
  spiAttach: 0x0d,
  changeBaud: 0x0f,
  flashDeflBegin: 0x10,
  flashDeflData: 0x11,
  flashDeflEnd: 0x12,
  flashMd5: 0x13,
  securityInfo: 0x14,
  eraseFlash: 0xd0,
  eraseRegion: 0xd1,
  readFlash: 0xd2,
  runUserCode: 0xd3,
} as const;

/** Second byte of the status, by who refuses: the ROM or the stub. */
const REFUSALS = {
  length: { rom: 0x05, stub: 0xc0 },
  checksum: { rom: 0x07, stub: 0xc1 },
  unknown: { rom: 0x05, stub: 0xff },
  range: { rom: 0x06, stub: 0xc2 },
  notWriting: { rom: 0x06, stub: 0xc6 },
  inflate: { rom: 0x0b, stub: 0xc7 },
  tooMuch: { rom: 0x06, stub: 0xc9 },
  notWhole: { rom: 0x06, stub: 0xc8 },
} as const;
type Refusal = keyof typeof REFUSALS;

/** What a command comes to: a value and data, or a refusal; undefined when nothing is answered. */
type Outcome = { readonly value?: number; readonly data?: Uint8Array } | Refusal | undefined;

const HEADER_BYTES = 8;
const CHECKSUM_SEED = 0xef;
/** Largest block of the ROM's flash commands; the stub takes 16 KiB. */
const ROM_BLOCK_BYTES = 0x4000;
/** How often the ROM answers what it answers more than once. */
const ROM_ANSWERS = 8;
const JEDEC_READ_ID = 0x9f;
const SPI_USER = 1 << 18;
const JEDEC_WINBOND = 0xef;
const JEDEC_SPI_NOR = 0x40;

export interface RomLoaderOptions {
  readonly profile: ChipProfile;
  /** 12 hexadecimal digits. */
  readonly mac: string;
  readonly flash: FlashMemory;
  readonly faults: RomFaults;
  /** Sends one frame to the host. */
  readonly send: (frame: Uint8Array) => void;
  readonly setBaud: (baud: number) => void;
  readonly restart: () => void;
  readonly powerCut: () => void;
  /** Data blocks that have come in over the chip's life, repeated ones included. */
  readonly nextBlock: () => number;
}

export class RomLoader {
  isStub = false;
  isSynchronised = false;
  private isAttached = false;
  private write: FlashWrite | undefined;
  private read: FlashRead | undefined;
  private uploadedBytes = 0;
  private readonly registers: Map<number, number>;

  constructor(private readonly options: RomLoaderOptions) {
    const { profile, mac } = options;
    this.registers = new Map(profile.registers);
    this.registers.set(CHIP_MAGIC_REGISTER, profile.magic);
    this.registers.set(profile.macRegister, Number.parseInt(mac.slice(4), 16));
    this.registers.set(profile.macRegister + 4, Number.parseInt(mac.slice(0, 4), 16));
  }

  /** One frame of the host. */
  frame(bytes: Uint8Array): void {
    if (this.read !== undefined && bytes.length === 4) {
      if (this.read.acknowledged(word(bytes, 0))) this.read = undefined;
      return;
    }
    if (bytes.length < HEADER_BYTES || bytes[0] !== 0) return;
    const command = bytes[1]!;
    const body = bytes.subarray(HEADER_BYTES);
    const sizeBytes = bytes[2]! | (bytes[3]! << 8);
    const outcome = body.length === sizeBytes ? this.run(command, body, bytes[4]!) : "length";
    if (outcome !== undefined) this.answer(command, outcome);
  }

  private run(command: number, body: Uint8Array, checksum: number): Outcome {
    switch (command) {
      case COMMAND.sync:
        return this.sync(body);
      case COMMAND.readReg:
        return body.length < 4 ? "length" : { value: this.registers.get(word(body, 0)) ?? 0 };
      case COMMAND.writeReg:
        return this.writeRegisters(body);
      case COMMAND.securityInfo:
        return this.securityInfo();
      case COMMAND.memBegin:
      case COMMAND.memData:
      case COMMAND.memEnd:
        return this.memory(command, body, checksum);
      case COMMAND.spiAttach:
        this.isAttached = true;
        return {};
      case COMMAND.spiSetParams:
        return body.length === 24 ? {} : "length";
      case COMMAND.changeBaud:
        return this.changeBaud(body);
      case COMMAND.flashBegin:
      case COMMAND.flashDeflBegin:
        return this.begin(command, body);
      case COMMAND.flashData:
      case COMMAND.flashDeflData:
        return this.data(body, checksum);
      case COMMAND.flashEnd:
      case COMMAND.flashDeflEnd:
        return this.end(command, body);
      case COMMAND.flashMd5:
        return this.sum(body);
      default:
        return this.isStub ? this.runStub(command, body) : this.unknown();
    }
  }

  private runStub(command: number, body: Uint8Array): Outcome {
    const { flash } = this.options;
    switch (command) {
      case COMMAND.eraseFlash:
        flash.erase(0, flash.sizeBytes);
        return {};
      case COMMAND.eraseRegion:
        if (!this.isInFlash(body)) return "range";
        flash.erase(word(body, 0), word(body, 4));
        return {};
      case COMMAND.readFlash:
        return this.readFlash(body);
      case COMMAND.runUserCode:
        this.options.restart();
        return undefined;
      default:
        return this.unknown();
    }
  }

  private answer(command: number, outcome: NonNullable<Outcome>): void {
    const refusal = typeof outcome === "string" ? REFUSALS[outcome][this.isStub ? "stub" : "rom"] : undefined;
    const { value = 0, data = NOTHING } = typeof outcome === "string" ? {} : outcome;
    const frame = new Uint8Array(HEADER_BYTES + data.length + (this.isStub ? 2 : 4));
    frame[0] = 1;
    frame[1] = command;
    const view = new DataView(frame.buffer);
    view.setUint16(2, frame.length - HEADER_BYTES, true);
    view.setUint32(4, value, true);
    frame.set(data, HEADER_BYTES);
    if (refusal !== undefined) frame.set([1, refusal], HEADER_BYTES + data.length);
    this.options.send(frame);
  }

  /** The ROM says so eight times, and not as an answer to the command. */
  private unknown(): Outcome {
    if (this.isStub) return "unknown";
    for (let i = 0; i < ROM_ANSWERS; i += 1) this.answer(0, "unknown");
    return undefined;
  }

  private sync(body: Uint8Array): Outcome {
    const { faults } = this.options;
    if (body.length !== 36 || word(body, 0) !== SYNC_WORD || body.subarray(4).some((byte) => byte !== 0x55))
      return "length";
    if ((faults.ignoredSyncs ?? 0) > 0) {
      faults.ignoredSyncs = faults.ignoredSyncs! - 1;
      return undefined;
    }
    this.isSynchronised = true;
    // The ROM answers eight times, which is how a host tells it from the stub.
    if (!this.isStub)
      for (let i = 1; i < ROM_ANSWERS; i += 1) this.answer(COMMAND.sync, { value: SYNC_WORD });
    return { value: this.isStub ? 0 : SYNC_WORD };
  }

  private writeRegisters(body: Uint8Array): Outcome {
    if (body.length === 0 || body.length % 16 !== 0) return "length";
    const { spiBase, spiOffsets } = this.options.profile;
    for (let at = 0; at < body.length; at += 16) {
      const register = word(body, at);
      const mask = word(body, at + 8);
      const present = this.registers.get(register) ?? 0;
      // A host may write whatever registers there are; only so many are remembered.
      if (this.registers.has(register) || this.registers.size < 4096)
        this.registers.set(register, ((present & ~mask) | (word(body, at + 4) & mask)) >>> 0);
    }
    if (((this.registers.get(spiBase) ?? 0) & SPI_USER) !== 0) {
      this.registers.set(spiBase, 0);
      const command = (this.registers.get(spiBase + spiOffsets.user2) ?? 0) & 0xff;
      if (command === JEDEC_READ_ID) this.registers.set(spiBase + spiOffsets.data0, this.flashId());
    }
    return {};
  }

  private flashId(): number {
    return JEDEC_WINBOND | (JEDEC_SPI_NOR << 8) | (Math.log2(this.options.flash.sizeBytes) << 16);
  }

  private securityInfo(): Outcome {
    const { profile } = this.options;
    if (!profile.answersSecurityInfo) return this.unknown();
    const data = new Uint8Array(20);
    new DataView(data.buffer).setUint32(12, profile.imageChipId, true);
    return { data };
  }

  private memory(command: number, body: Uint8Array, checksum: number): Outcome {
    if (this.options.faults.refusesStub === true) return "unknown";
    if (command === COMMAND.memBegin) return body.length === 16 ? {} : "length";
    if (command === COMMAND.memData) {
      const data = blockOf(body);
      if (data === undefined) return "length";
      if (checksumOf(data) !== checksum) return "checksum";
      this.uploadedBytes += data.length;
      return {};
    }
    if (body.length !== 8) return "length";
    const startsCode = word(body, 0) === 0 && this.uploadedBytes > 0;
    if (startsCode) {
      this.answer(command, {});
      this.isStub = true;
      this.isAttached = true;
      const { faults, send } = this.options;
      if ((faults.muteStubs ?? 0) > 0) faults.muteStubs! -= 1;
      else send(OHAI);
      return undefined;
    }
    return {};
  }

  private changeBaud(body: Uint8Array): Outcome {
    if (body.length !== 8) return "length";
    this.answer(COMMAND.changeBaud, {});
    this.options.setBaud(word(body, 0));
    return undefined;
  }

  private begin(command: number, body: Uint8Array): Outcome {
    if (body.length !== 16 && body.length !== 20) return "length";
    const sizeBytes = word(body, 0);
    const offset = word(body, 12);
    const { flash } = this.options;
    if (word(body, 8) > ROM_BLOCK_BYTES || offset + sizeBytes > flash.sizeBytes || !this.isAttached)
      return "range";
    this.write = new FlashWrite(flash, {
      offset,
      sizeBytes,
      isDeflated: command === COMMAND.flashDeflBegin,
      erasesFirst: !this.isStub,
      programs: (at, bytes) => this.programmed(at, bytes),
    });
    return {};
  }

  private data(body: Uint8Array, checksum: number): Outcome {
    const data = blockOf(body);
    if (data === undefined) return "length";
    if (this.write === undefined) return "notWriting";
    const { faults } = this.options;
    const number = this.options.nextBlock();
    if (faults.badBlocks?.delete(number) === true || checksumOf(data) !== checksum) return "checksum";
    const refusal = this.write.block(data);
    if (faults.lostAnswers?.delete(number) === true) return undefined;
    if (refusal === undefined) return {};
    return refusal === "inflate" ? "inflate" : "tooMuch";
  }

  /** What of a piece is still programmed, before power goes or where flash is worn. */
  private programmed(offset: number, bytes: Uint8Array): Uint8Array {
    const { faults, powerCut } = this.options;
    let piece = bytes;
    if (faults.wornBytes !== undefined) {
      piece = piece.slice();
      for (const at of faults.wornBytes)
        if (at >= offset && at < offset + piece.length) piece[at - offset] = 0xff;
    }
    if (faults.powerCutAfterBytes === undefined) return piece;
    const left = faults.powerCutAfterBytes;
    faults.powerCutAfterBytes = Math.max(0, left - piece.length);
    if (left >= piece.length) return piece;
    delete faults.powerCutAfterBytes;
    powerCut();
    return piece.subarray(0, left);
  }

  private end(command: number, body: Uint8Array): Outcome {
    if (body.length !== 4) return "length";
    if (this.write === undefined) return "notWriting";
    if (!this.write.isWhole) return "notWhole";
    this.write = undefined;
    if (word(body, 0) !== 0) return {};
    this.answer(command, {});
    this.options.restart();
    return undefined;
  }

  private sum(body: Uint8Array): Outcome {
    if (!this.isInFlash(body)) return "range";
    const { flash, faults } = this.options;
    const digest = createHash("md5")
      .update(flash.read(word(body, 0), word(body, 4)))
      .digest();
    if ((faults.wrongSums ?? 0) > 0) {
      faults.wrongSums = faults.wrongSums! - 1;
      digest[0]! ^= 0xff;
    }
    // The ROM writes hexadecimal digits, the stub the bytes.
    return { data: this.isStub ? digest : Buffer.from(digest.toString("hex"), "latin1") };
  }

  private readFlash(body: Uint8Array): Outcome {
    if (body.length !== 16 || !this.isInFlash(body)) return "range";
    const blockBytes = Math.min(word(body, 8), 4096);
    if (blockBytes === 0) return "range";
    const range = {
      offset: word(body, 0),
      sizeBytes: word(body, 4),
      blockBytes,
      inFlightBytes: word(body, 12),
    };
    this.answer(COMMAND.readFlash, {});
    this.read = new FlashRead(this.options.flash, range, this.options.send);
    this.read.start();
    return undefined;
  }

  /** The range in the first two words of a body. */
  private isInFlash(body: Uint8Array): boolean {
    return body.length >= 8 && word(body, 0) + word(body, 4) <= this.options.flash.sizeBytes;
  }
}

const NOTHING = new Uint8Array(0);
const OHAI = new TextEncoder().encode("OHAI");
/** First word of a SYNC command, 07 07 12 20 on the wire; the ROM's answer has it as its value. */
const SYNC_WORD = 0x20120707;

const word = (bytes: Uint8Array, at: number): number =>
  (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;

/** Data of a block: after its length and number. */
function blockOf(body: Uint8Array): Uint8Array | undefined {
  return body.length >= 16 && word(body, 0) === body.length - 16 ? body.subarray(16) : undefined;
}

function checksumOf(data: Uint8Array): number {
  let sum = CHECKSUM_SEED;
  for (const byte of data) sum ^= byte;
  return sum;
}
