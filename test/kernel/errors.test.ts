import {
  EXIT,
  FleetrigError,
  formatTraceTag,
  invariant,
  parseTraceTag,
  ServiceStack,
  silentSink,
  teeSink,
  unreachable,
  type RunEvent,
} from "fleetrig/kernel";
import { describe, expect, it } from "vitest";

describe("FleetrigError", () => {
  it("ends its message with the code, and keeps hint, context, cause and exit code apart", () => {
    const cause = new RangeError("inner");
    const error = new FleetrigError("BROKER_PORT_TAKEN", "Port 1883 is taken.", {
      hint: "Use port 0.",
      context: { port: 1883 },
      cause,
      exitCode: EXIT.usage,
    });
    expect(error.message).toBe("Port 1883 is taken. (BROKER_PORT_TAKEN)");
    expect(error).toMatchObject({
      code: "BROKER_PORT_TAKEN",
      hint: "Use port 0.",
      context: { port: 1883 },
      cause,
      exitCode: 2,
    });
  });

  it("counts as an environment error unless it says otherwise", () => {
    expect(new FleetrigError("X_Y", "Something.").exitCode).toBe(EXIT.environment);
  });

  it("names broken invariants and impossible values as bugs of ours", () => {
    expect(() => invariant(false, "queues stay bounded")).toThrow("queues stay bounded");
    expect(() => invariant(true, "fine")).not.toThrow();
    expect(() => unreachable("surprise" as never)).toThrow('"surprise"');
  });
});

describe("ServiceStack", () => {
  it("stops in reverse order and only once", async () => {
    const order: string[] = [];
    const stack = new ServiceStack();
    for (const name of ["first", "second"]) stack.add({ stop: async () => void order.push(name) });
    await stack.stop();
    await stack.stop();
    expect(order).toEqual(["second", "first"]);
  });

  it("stops everything although one fails, then reports the failure", async () => {
    const order: string[] = [];
    const stack = new ServiceStack();
    stack.add({ stop: async () => void order.push("first") });
    stack.add({ stop: () => Promise.reject(new RangeError("stuck")) });
    await expect(stack.stop()).rejects.toThrow("stuck");
    expect(order).toEqual(["first"]);
    stack.add({ stop: () => Promise.reject(new RangeError("a")) });
    stack.add({ stop: () => Promise.reject(new RangeError("b")) });
    await expect(stack.stop()).rejects.toThrow(AggregateError);
  });
});

describe("event sinks", () => {
  it("tees each event to every sink in order", () => {
    const seen: string[] = [];
    const event: RunEvent = { type: "device.rebooted", atUs: 1, thing: "t" };
    teeSink({ emit: (e) => seen.push(`a ${e.type}`) }, silentSink, {
      emit: (e) => seen.push(`b ${e.type}`),
    }).emit(event);
    expect(seen).toEqual(["a device.rebooted", "b device.rebooted"]);
  });
});

describe("trace tags", () => {
  it("survive the wire", () => {
    expect(parseTraceTag(formatTraceTag("r1", 3, 4999, 123_456))).toEqual({
      run: "r1",
      stream: 3,
      thing: 4999,
      sequence: 123_456,
    });
  });

  it.each(["", "a.b.c", "r.1.2.", "r.1.2.3.4", "r.-1.2.3", "r.!.2.3"])("refuses %j", (text) => {
    expect(parseTraceTag(text)).toBeUndefined();
  });
});
