import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { resolve } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { createRandomSource, type JsonValue, LANE, RealTime, VirtualTime } from "fleetrig/kernel";
import {
  type HookFailure,
  type HookOutcome,
  HookRunner,
  type HookSettings,
  type HookTarget,
} from "fleetrig/broker";

/** The source, also where the tests themselves are compiled. */
const MODULE = resolve("test/hooks/greeting-hook.ts");
const ARN = "arn:aws:lambda:us-east-1:123456789012:function:greet";

interface Bench {
  readonly runner: HookRunner;
  readonly time: VirtualTime;
  readonly failures: HookFailure[];
  readonly outcomes: HookOutcome[];
  call(event?: JsonValue, arn?: string): HookOutcome | undefined;
}

function benchOf(targets: Readonly<Record<string, HookTarget>>, settings: Partial<HookSettings> = {}): Bench {
  const time = new VirtualTime();
  const failures: HookFailure[] = [];
  const outcomes: HookOutcome[] = [];
  const runner = new HookRunner({
    clock: time.lane(LANE.services),
    random: createRandomSource(1).stream("hooks"),
    targets,
    settings,
    onFailure: (failure) => failures.push(failure),
  });
  return {
    runner,
    time,
    failures,
    outcomes,
    call: (event = {}, arn = ARN) => {
      runner.invoke(arn, event, (outcome) => outcomes.push(outcome));
      return outcomes.at(-1);
    },
  };
}

/** A call in real time, to its end. */
const answerOf = (targets: Readonly<Record<string, HookTarget>>, settings: Partial<HookSettings> = {}) =>
  new Promise<HookOutcome>((resolve) => {
    const time = new RealTime();
    const clock = time.lane(LANE.services);
    const random = createRandomSource(1).stream("hooks");
    const runner = new HookRunner({ clock, random, targets, settings });
    runner.invoke(ARN, { name: "t1" }, (outcome) => {
      time.stop();
      resolve(outcome);
    });
  });

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** An endpoint of this machine. */
async function endpoint(answer: (request: IncomingMessage, body: string, response: ServerResponse) => void) {
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (piece: Buffer) => (body += piece.toString()));
    request.on("end", () => answer(request, body, response));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
}

describe("hooks in this process", () => {
  it("are found by the ARN, and by the name in it", () => {
    expect(benchOf({ [ARN]: () => 1 }).call()).toEqual({ ok: true, value: 1 });
    expect(benchOf({ greet: () => 2 }).call()).toEqual({ ok: true, value: 2 });
    expect(benchOf({ greet: () => 3 }).call({}, `${ARN}:live`)).toEqual({ ok: true, value: 3 });
    expect(benchOf({ greet: () => 4 }).call({}, "greet")).toEqual({ ok: true, value: 4 });
  });

  it("get a copy of the event and the function's name", () => {
    const event = { list: [1] };
    const bench = benchOf({
      greet: (given, context) => {
        (given as { list: number[] }).list.push(2);
        return { given, name: context.functionName, arn: context.invokedFunctionArn };
      },
    });
    expect(bench.call(event)).toEqual({
      ok: true,
      value: { given: { list: [1, 2] }, name: "greet", arn: ARN },
    });
    expect(event).toEqual({ list: [1] });
  });

  it.each<[what: string, hook: () => unknown, reason: string]>([
    ["throws", () => JSON.parse("{") as unknown, "failed"],
    [
      "answers a circle",
      () => {
        const circle: unknown[] = [];
        circle.push(circle);
        return circle;
      },
      "invalid",
    ],
    ["answers too much", () => "x".repeat(300_000), "too-large"],
    ["answers too deeply", () => JSON.parse("[".repeat(40) + "]".repeat(40)), "invalid"],
  ])("whose function %s are a refusal without details", (_, hook, reason) => {
    const bench = benchOf({ greet: hook });
    expect(bench.call()).toEqual({ ok: false, reason });
    expect(bench.failures).toMatchObject([{ functionArn: ARN, reason }]);
  });

  it("that answer nothing answer null", () => {
    expect(benchOf({ greet: () => undefined }).call()).toEqual({ ok: true, value: null });
  });

  it("that nobody configured are unknown", () => {
    expect(benchOf({}).call()).toEqual({ ok: false, reason: "unknown" });
  });

  it("have five seconds, and are heard once", () => {
    const bench = benchOf({ greet: () => new Promise(() => undefined) });
    bench.call();
    bench.time.runUntil(4_999_999);
    expect(bench.outcomes).toEqual([]);
    bench.time.runUntil(5_000_000);
    bench.time.runUntil(50_000_000);
    expect(bench.outcomes).toEqual([{ ok: false, reason: "timeout" }]);
  });

  it("are not called without bounds", () => {
    const bench = benchOf({ greet: () => new Promise(() => undefined) }, { maxPending: 2 });
    bench.call();
    bench.call();
    expect(bench.outcomes).toEqual([]);
    expect(bench.call()).toEqual({ ok: false, reason: "busy" });
  });
});

describe("hooks in modules", () => {
  it.each([
    [MODULE, { hello: "t1", from: "greet" }],
    [`${MODULE}#default`, { from: "default" }],
    [`${MODULE}#slow`, { from: "slow" }],
  ])("are functions of %s", async (target, value) => {
    expect(await answerOf({ greet: target })).toEqual({ ok: true, value });
  });

  it.each([
    ["./nowhere.ts", "HOOK_MODULE_FAILED"],
    [`${MODULE}#nothing`, "HOOK_NOT_EXPORTED"],
    [`${MODULE}#notAFunction`, "HOOK_NOT_EXPORTED"],
  ])("that cannot be loaded say so before they are needed: %s", async (target, code) => {
    await expect(benchOf({ greet: target }).runner.load()).rejects.toMatchObject({ code });
    expect(await answerOf({ greet: target })).toEqual({ ok: false, reason: "failed" });
  });

  it("answer at once when they were loaded before", async () => {
    const bench = benchOf({ greet: MODULE });
    await bench.runner.load();
    expect(bench.call({ name: "t2" })).toEqual({ ok: true, value: { hello: "t2", from: "greet" } });
  });
});

describe("hooks behind an endpoint", () => {
  it("get the event by POST and answer JSON", async () => {
    const url = await endpoint((request, body, response) => {
      response.end(JSON.stringify({ method: request.method, type: request.headers["content-type"], body }));
    });
    expect(await answerOf({ greet: url })).toEqual({
      ok: true,
      value: { method: "POST", type: "application/json", body: '{"name":"t1"}' },
    });
  });

  it.each<[what: string, answer: (response: ServerResponse) => void, reason: string]>([
    ["fails", (response) => response.writeHead(500).end("{}"), "failed"],
    [
      "sends elsewhere",
      (response) => response.writeHead(302, { location: "http://127.0.0.1:1/" }).end(),
      "failed",
    ],
    ["does not answer JSON", (response) => response.end("<html>"), "invalid"],
    ["answers too much", (response) => response.end("1".repeat(2_000)), "too-large"],
    ["hangs up", (response) => response.destroy(), "failed"],
    ["never answers", () => undefined, "timeout"],
  ])("are a refusal when it %s", async (_, answer, reason) => {
    const url = await endpoint((_request, _body, response) => answer(response));
    expect(await answerOf({ greet: url }, { maxAnswerBytes: 1_000, timeoutMs: 150 })).toEqual({
      ok: false,
      reason,
    });
  });

  it("stay on this machine unless told otherwise", () => {
    for (const url of [
      "http://192.0.2.1/",
      "http://169.254.169.254/latest",
      "https://example.com/",
      "ftp://127.0.0.1/",
    ])
      expect(() => benchOf({ greet: url })).toThrow(/HOOK_TARGET_INVALID/);
    expect(benchOf({ greet: "http://192.0.2.1/" }, { allowsRemote: true }).runner.isKnown(ARN)).toBe(true);
    expect(benchOf({ greet: "http://[::1]:3000/" }).runner.isKnown("greet")).toBe(true);
  });
});
