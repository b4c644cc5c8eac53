import { footprintOf, PROPERTY_BYTES } from "../engine/delivery.js";
import { ENTRY_FLAG } from "./segment-record.js";
import { MESSAGE_FLAG, MESSAGE_PROPERTY, QOS_MASK } from "./message-record.js";

const RECEIVED_AT_BYTES = 8;
/** Flags of an entry that need a look at the whole message, or at other records. */
const SPECIAL_ENTRY = ENTRY_FLAG.share | ENTRY_FLAG.subscriptionIds | ENTRY_FLAG.body;

/**
 * Looks through a segment without making anything of it: are all of its messages *plain*, and how many are there?
 * Plain is what can be counted and is certain to be understood later: all texts are ASCII, and there is no body of
 * its own. Most telemetry is.
 */
export class SegmentSkim {
  first = 0;
  last = 0;
  count = 0;
  footprintBytes = 0;
  private bytes: Uint8Array = new Uint8Array(0);
  private at = 0;
  private end = 0;
  /** Of the message being looked at, as `contentBytes` counts it. */
  private content = 0;

  /** @returns whether all messages in `bytes[at..end)` are plain; the fields are about this segment then. */
  skim(bytes: Uint8Array, at: number, end: number): boolean {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
    this.first = 0;
    this.last = 0;
    this.count = 0;
    this.footprintBytes = 0;
    do {
      if (!this.entry()) return false;
    } while (this.at < end);
    return this.at === end;
  }

  private entry(): boolean {
    this.last += this.varint();
    const form = this.u8();
    if ((form & QOS_MASK) === 0 || (form & QOS_MASK) > 2 || (form & SPECIAL_ENTRY) !== 0) return false;
    const flags = this.u8();
    if ((flags & QOS_MASK) > 2) return false;
    this.content = 0;
    if (!this.text()) return false;
    this.at += RECEIVED_AT_BYTES;
    if ((flags & MESSAGE_FLAG.publisher) !== 0 && !this.skipAscii(this.varint())) return false;
    if ((flags & MESSAGE_FLAG.properties) !== 0 && !this.properties()) return false;
    this.binary();
    if (this.count === 0) this.first = this.last;
    this.count += 1;
    this.footprintBytes += footprintOf(this.content);
    return this.at <= this.end;
  }

  private properties(): boolean {
    const present = this.u8();
    if (present & MESSAGE_PROPERTY.expiry) this.varint();
    if (present & MESSAGE_PROPERTY.format) this.u8();
    if (present & MESSAGE_PROPERTY.contentType && !this.text()) return false;
    if (present & MESSAGE_PROPERTY.responseTopic && !this.text()) return false;
    if (present & MESSAGE_PROPERTY.correlation) this.binary();
    const pairs = present & MESSAGE_PROPERTY.user ? this.varint() : 0;
    for (let pair = 0; pair < pairs; pair += 1) {
      if (!this.text() || !this.text()) return false;
      this.content += PROPERTY_BYTES;
    }
    return true;
  }

  /** @returns false for one that is not ASCII, or not there. */
  private text(): boolean {
    const length = this.varint();
    this.content += length;
    return this.skipAscii(length);
  }

  private binary(): void {
    const length = this.varint();
    this.content += length;
    this.at += length;
  }

  private u8(): number {
    return this.bytes[this.at++] ?? 0;
  }

  private varint(): number {
    let value = 0;
    for (let factor = 1; factor <= 2 ** 49; factor *= 128) {
      const byte = this.u8();
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
    return Number.POSITIVE_INFINITY;
  }

  private skipAscii(length: number): boolean {
    const end = this.at + length;
    if (end > this.end) return false;
    for (; this.at < end; this.at += 1) if (this.bytes[this.at]! > 127) return false;
    return true;
  }
}
