import { type LogLevel, logServer, StructuredLog, visibleText } from "fleetrig/broker";
import { US_PER_S, VirtualTime } from "fleetrig/kernel";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WatchedServer } from "./watched-server.js";

function logTo(
  lines: string[],
  time: VirtualTime,
  options: { format?: "json" | "text"; level?: LogLevel } = {},
) {
  const write = (line: string): void => void lines.push(line);
  return new StructuredLog({ clock: time.lane(9), write, format: "json", ...options });
}

const parsed = (lines: readonly string[]) => lines.map((line) => JSON.parse(line) as Record<string, unknown>);

describe("the structured log", () => {
  it("writes one JSON object per line, or a line for people", () => {
    const lines: string[] = [];
    const time = new VirtualTime();
    logTo(lines, time).log("info", "client.connected", {
      clientId: "a b",
      sessionPresent: false,
      address: undefined,
    });
    logTo(lines, time, { format: "text" }).log("warn", "client.refused", {
      clientId: 'a "b"',
      reason: "banned",
    });
    expect(parsed(lines.slice(0, 1))).toEqual([
      {
        time: expect.stringMatching(/^\d{4}-.*Z$/) as string,
        level: "info",
        event: "client.connected",
        clientId: "a b",
        sessionPresent: false,
      },
    ]);
    expect(lines[1]).toMatch(/^\S+Z warn {2}client\.refused clientId="a \\"b\\"" reason=banned$/);
  });

  it("lets ten lines of a kind through in ten seconds and counts the rest", () => {
    const lines: string[] = [];
    const time = new VirtualTime();
    const log = logTo(lines, time);
    for (let n = 0; n < 200; n += 1)
      log.log("warn", "message.dropped", { clientId: `c${n}`, reason: "queue-full" });
    log.log("warn", "message.dropped", { clientId: "x", reason: "expired" });
    expect(lines).toHaveLength(11);
    time.advance(10 * US_PER_S);
    expect(parsed(lines).at(-1)).toMatchObject({
      event: "message.dropped:queue-full",
      suppressed: 190,
      text: "190 more suppressed",
    });
    log.log("warn", "message.dropped", { clientId: "later", reason: "queue-full" });
    expect(parsed(lines).at(-1)).toMatchObject({ clientId: "later" });
    time.advance(60 * US_PER_S);
    expect(lines).toHaveLength(13);
  });

  it("tells what it held back when it ends, and leaves no timer", () => {
    const lines: string[] = [];
    const time = new VirtualTime();
    const log = logTo(lines, time);
    for (let n = 0; n < 12; n += 1) log.log("info", "x", {});
    log.stop();
    expect(parsed(lines).at(-1)).toMatchObject({ event: "x", suppressed: 2 });
    const { events } = time;
    time.advance(3_600 * US_PER_S);
    expect(time.events).toBe(events);
  });

  it.each<[LogLevel, number]>([
    ["error", 1],
    ["warn", 2],
    ["info", 3],
    ["debug", 4],
  ])("of level %s writes %i of four", (level, count) => {
    const lines: string[] = [];
    const log = logTo(lines, new VirtualTime(), { level });
    for (const one of ["error", "warn", "info", "debug"] as const) log.log(one, "x", {});
    expect(lines).toHaveLength(count);
  });
});

describe("the log of a server", () => {
  it("tells who came and went, and never passwords, user names or payloads", () => {
    const lines: string[] = [];
    const watched = new WatchedServer({
      hooks: { authorizeConnect: (_, { clientId }) => (clientId === "bad" ? { refuse: 0x86 } : "allow") },
    });
    logServer(logTo(lines, watched.time, { level: "debug" }), watched.server);
    const secrets = { username: "user?token=SECRET", password: Buffer.from("SECRET") };
    watched.connect("bad", secrets);
    const client = watched.connect("good", secrets);
    client.subscribe(["t"]);
    client.publish("t", "SECRET");
    client.bufferedBytes = 2 * 1024 * 1024;
    client.publish("t", "SECRET", { qos: 0 });
    client.lose();
    expect(lines.join("\n")).not.toContain("SECRET");
    expect(parsed(lines).map(({ level, event, reason }) => [level, event, reason])).toEqual([
      ["warn", "client.refused", "badUserNameOrPassword"],
      ["info", "client.connected", undefined],
      ["debug", "client.subscribed", undefined],
      ["warn", "message.dropped", "slow-client"],
      ["info", "client.disconnected", "CONNECTION_LOST"],
    ]);
  });

  it("cannot be forged by client ids", () => {
    const lines: string[] = [];
    const watched = new WatchedServer();
    logServer(logTo(lines, watched.time, { format: "text" }), watched.server);
    watched.connect('x"\n2026 info forged \u001b[31m\u202e');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('clientId="x\\"\\u000a2026 info forged \\u001b[31m\\u202e"');
  });
});

describe("visibleText", () => {
  it("leaves no control character, no direction mark and no lone surrogate, of whatever text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
        const shown = visibleText(text);
        expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u);
      }),
    );
  });

  it("keeps what people write, and cuts what is too long", () => {
    expect(visibleText("Zähler-7 温度 🙂")).toBe("Zähler-7 温度 🙂");
    expect(visibleText("x".repeat(1_000))).toBe(`${"x".repeat(256)}…`);
  });
});
