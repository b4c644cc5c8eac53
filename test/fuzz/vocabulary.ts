import type { Random } from "fleetrig/kernel";

/**
 * The words of fuzzed packets. Most come from small sets, so that topics meet filters, client ids collide and packet
 * identifiers are used twice; a few are as unpleasant as the standard allows, or worse.
 */
const TOPICS = ["a", "a/b", "a/b/c", "b", "a/", "/", "a//b", "é/☃", "b/c/d/e/f"];
const ODD_TOPICS = [
  "$SYS/broker/version",
  "$SYS/x",
  "$aws/things/c0/shadow/update",
  "$aws/things/c1/jobs/get",
  "$aws/rules/r/a",
  "$share/g/a",
  "$delayed",
  "a/+",
  "#",
  "",
  "\ufeff",
  "\u0001\u009f",
  "__proto__/constructor",
  "a/".repeat(199),
  "/".repeat(400),
  "x".repeat(65_535),
];
const FILTERS = ["a", "a/b", "a/+", "#", "+", "+/b", "a/#", "a/b/c", "+/+", "/#", "b/#", "é/+"];
const SHARED_FILTERS = ["$share/g/a", "$share/g/#", "$share/h/a/+", "$share/h/+", "$share/g/a/b"];
const ODD_FILTERS = [
  "$SYS/#",
  "$SYS/broker/#",
  "$aws/things/+/shadow/#",
  "$share/g",
  "$share//a",
  "$share/g/",
  "$share/+/a",
  "$share/g/a#",
  "$queue/a",
  "a/#/b",
  "a+",
  "+a/#",
  "##",
  "",
  "__proto__",
  "+/".repeat(100),
  "+/".repeat(205),
  "y".repeat(65_535),
];
const CLIENT_IDS = ["c0", "c1", "c2", "c3"];
const ODD_CLIENT_IDS = ["", "", "#", "+", "$SYS", "a/b", "__proto__", "é☃", "z".repeat(200), " "];
const PAYLOADS = [0, 1, 2, 5, 64, 300, 5_000].map((length) => Buffer.alloc(length, 0x61));

const RARE = 0.03;

export class Vocabulary {
  constructor(readonly random: Random) {}

  topic(): string {
    return this.usually(TOPICS, ODD_TOPICS);
  }

  filter(): string {
    return this.random.chance(0.15) ? this.random.pick(SHARED_FILTERS) : this.usually(FILTERS, ODD_FILTERS);
  }

  clientId(): string {
    return this.usually(CLIENT_IDS, ODD_CLIENT_IDS);
  }

  payload(): Uint8Array {
    const { random } = this;
    return random.chance(0.001) ? Buffer.alloc(random.below(200_000), 0x62) : random.pick(PAYLOADS);
  }

  packetId(): number {
    const { random } = this;
    if (random.chance(RARE)) return random.pick([0, 65_535, 32_768, random.below(65_536)]);
    return 1 + random.below(8);
  }

  text(): string {
    const { random } = this;
    if (random.chance(RARE)) return random.pick(["", "\ufeff", "é".repeat(100), "t".repeat(65_535)]);
    return random.pick(["x", "text", "a/b", "m"]);
  }

  /** A number of 0 to `max`, mostly small or at an end of the range. */
  number(max: number): number {
    const { random } = this;
    const value = random.pick([0, 1, 2, 5, 10, 100, 127, 128, 16_384, max, random.below(max + 1)]);
    return Math.min(value, max);
  }

  private usually(words: readonly string[], others: readonly string[]): string {
    return this.random.pick(this.random.chance(RARE) ? others : words);
  }
}
