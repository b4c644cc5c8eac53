import type { Random } from "fleetrig/kernel";
import {
  propertiesOf,
  type PropertyCarrier,
  type PropertySpec,
} from "../../broker/protocol/property-table.js";
import { REASON_CODE_TABLE } from "../../broker/protocol/reason-code-table.js";
import { ByteSheet, frame } from "./byte-sheet.js";
import { Vocabulary } from "./vocabulary.js";

/** Protocol level of CONNECT: MQTT 3.1, 3.1.1 and 5. */
export type Level = 3 | 4 | 5;
type Acknowledgement = "puback" | "pubrec" | "pubrel" | "pubcomp";

const FIRST_BYTE = { puback: 0x40, pubrec: 0x50, pubrel: 0x62, pubcomp: 0x70 } as const;
const FROM_SERVERS = [0x20, 0x90, 0xb0, 0xd0] as const;
const ALL_CARRIERS = ["connect", "publish", "subscribe", "connack", "disconnect", "auth", "will"] as const;

/**
 * Packets of clients, written from the product's own tables of properties and reason codes: what the tables allow is
 * produced, and with `wildness` also what they forbid: foreign, repeated and out-of-range properties, reason codes of
 * other packets.
 */
export class PacketGrammar {
  readonly words: Vocabulary;
  private readonly sheet = new ByteSheet();
  private readonly propertySheet = new ByteSheet();

  constructor(
    private readonly random: Random,
    private readonly wildness: number,
  ) {
    this.words = new Vocabulary(random);
  }

  connect(level: Level, clientId: string = this.words.clientId()): Buffer {
    const { random, words, sheet } = this;
    const hasWill = random.chance(0.3);
    const hasUser = random.chance(0.2);
    const hasPassword = hasUser ? random.chance(0.5) : level === 5 && random.chance(0.1);
    const willFlags = hasWill ? 4 | (random.below(3) << 3) | (random.chance(0.3) ? 0x20 : 0) : 0;
    const flags = (random.chance(0.5) ? 2 : 0) | willFlags | (hasUser ? 0x80 : 0) | (hasPassword ? 0x40 : 0);
    sheet
      .field(level === 3 ? "MQIsdp" : "MQTT")
      .u8(level)
      .u8(flags);
    sheet.u16(random.pick([0, 0, 10, 60, 65_535]));
    if (level === 5) this.properties("connect", 0.4);
    sheet.field(clientId);
    if (hasWill) {
      if (level === 5) this.properties("will", 0.3);
      sheet.field(words.topic()).field(words.payload());
    }
    if (hasUser) sheet.field(words.text());
    if (hasPassword) sheet.field(words.text());
    return this.framed(0x10);
  }

  publish(level: Level): Buffer {
    const { random, words, sheet } = this;
    const qos = random.below(3);
    const isAliased = level === 5 && random.chance(0.1);
    const first = 0x30 | (qos << 1) | (random.chance(0.15) ? 1 : 0) | (qos > 0 && random.chance(0.1) ? 8 : 0);
    sheet.field(isAliased ? "" : words.topic());
    if (qos > 0) sheet.u16(words.packetId());
    if (level === 5) {
      if (isAliased) sheet.raw(Uint8Array.of(3, 35, 0, 1 + random.below(4)));
      else this.properties("publish", 0.2);
    }
    sheet.raw(words.payload());
    return this.framed(first);
  }

  acknowledge(type: Acknowledgement, level: Level, packetId: number = this.words.packetId()): Buffer {
    const { random, sheet } = this;
    sheet.u16(packetId);
    if (level === 5 && random.chance(0.3)) {
      sheet.u8(this.reasonCode(type));
      if (random.chance(0.3)) this.properties(type, 0.3);
    }
    return this.framed(FIRST_BYTE[type]);
  }

  subscribe(level: Level): Buffer {
    const { random, words, sheet } = this;
    sheet.u16(words.packetId());
    if (level === 5) this.properties("subscribe", 0.3);
    for (let count = this.filterCount(); count > 0; count -= 1) {
      sheet.field(words.filter());
      const options = level === 5 ? (random.below(3) << 4) | (random.below(4) << 2) : 0;
      sheet.u8(options | random.below(3));
    }
    return this.framed(0x82);
  }

  unsubscribe(level: Level): Buffer {
    const { words, sheet } = this;
    sheet.u16(words.packetId());
    if (level === 5) this.properties("unsubscribe", 0.2);
    for (let count = this.filterCount(); count > 0; count -= 1) sheet.field(words.filter());
    return this.framed(0xa2);
  }

  pingreq(): Buffer {
    return this.framed(0xc0);
  }

  disconnect(level: Level): Buffer {
    const { random, sheet } = this;
    if (level === 5 && random.chance(0.6)) {
      sheet.u8(this.reasonCode("disconnect"));
      if (random.chance(0.5)) this.properties("disconnect", 0.4);
    }
    return this.framed(0xe0);
  }

  auth(): Buffer {
    const { random, sheet } = this;
    if (random.chance(0.9)) {
      sheet.u8(this.reasonCode("auth"));
      this.properties("auth", 0.6);
    }
    return this.framed(0xf0);
  }

  /** What only servers may send. */
  fromServer(): Buffer {
    const { random, sheet } = this;
    sheet.u16(random.pick([0, 1, 0x100])).u8(0);
    return this.framed(random.pick(FROM_SERVERS));
  }

  /** Any packet of a client that has connected, by how often clients send it. */
  any(level: Level): Buffer {
    const kind = this.random.fraction();
    if (kind < 0.45) return this.publish(level);
    if (kind < 0.63) return this.subscribe(level);
    if (kind < 0.71) return this.acknowledge("puback", level);
    if (kind < 0.75) return this.acknowledge("pubrec", level);
    if (kind < 0.8) return this.acknowledge("pubrel", level);
    if (kind < 0.84) return this.acknowledge("pubcomp", level);
    if (kind < 0.91) return this.unsubscribe(level);
    if (kind < 0.97) return this.pingreq();
    if (kind < 0.98) return this.disconnect(level);
    if (kind < 0.988) return level === 5 ? this.auth() : this.pingreq();
    if (kind < 0.992) return this.fromServer();
    return kind < 0.995 ? this.connect(level) : this.publish(level);
  }

  private filterCount(): number {
    const { random } = this;
    if (random.chance(this.wildness * 0.05)) return random.pick([0, 9, 100, 1_001]);
    return random.chance(0.7) ? 1 : 2 + random.below(4);
  }

  private reasonCode(type: Acknowledgement | "disconnect" | "auth"): number {
    const { random } = this;
    if (random.chance(this.wildness * 0.2)) return random.below(256);
    return random.pick([...REASON_CODE_TABLE[type]!.allowed]);
  }

  /** A property section; with the given probability it has up to three properties, each of them once. */
  private properties(carrier: PropertyCarrier, probability: number): void {
    const { random, propertySheet } = this;
    const count = random.chance(probability) ? 1 + random.below(3) : 0;
    if (count > 0)
      for (const row of random.shuffle(propertiesOf(carrier)).slice(0, count)) this.property(row);
    if (random.chance(this.wildness * 0.1)) this.illegal(carrier);
    const section = propertySheet.take();
    this.sheet.varint(section.length).raw(section);
  }

  private property(row: PropertySpec): void {
    const { random, words, propertySheet: sheet } = this;
    const number = Math.max(row.min, words.number(row.max));
    sheet.varint(row.id);
    switch (row.wireType) {
      case "flag":
      case "byte":
        return void sheet.u8(number);
      case "u16":
        return void sheet.u16(number);
      case "u32":
        return void sheet.u32(random.chance(0.5) ? random.below(300) : number);
      case "varint":
        return void sheet.varint(number);
      case "pair":
        return void sheet.field(words.text()).field(words.text());
      default:
        return void sheet.field(words.text());
    }
  }

  private illegal(carrier: PropertyCarrier): void {
    const { random, propertySheet: sheet } = this;
    const kind = random.below(4);
    if (kind === 0) this.property(random.pick(propertiesOf(random.pick(ALL_CARRIERS))));
    else if (kind === 1) {
      const row = random.pick(propertiesOf(carrier));
      this.property(row);
      this.property(row);
    } else if (kind === 2) sheet.varint(random.below(70_000)).u8(random.below(256));
    else for (let count = random.pick([60, 2_000]); count > 0; count -= 1) sheet.u8(38).field("n").field("v");
  }

  private framed(first: number): Buffer {
    const body = this.sheet.take();
    return frame(this.sheet, first, body);
  }
}
