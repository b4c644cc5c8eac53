import { readFileSync } from "node:fs";
import { FleetrigError } from "fleetrig/kernel";
import { LINK_FAULTS, MAIN_PARAMETERS, parseFaultText, PROXY_FAULTS } from "fleetrig/sim";
import { describe, expect, it } from "vitest";
import { matchesClient } from "../../sim/proxy/client-pattern.js";
import { checkProxyFault } from "../../sim/proxy/proxy-fault.js";

const codeOf = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    return error instanceof FleetrigError ? error.code : String(error);
  }
  return "nothing thrown";
};

describe("the faults of the proxy", () => {
  it("are those of scenarios, the same objects, and those of bytes", () => {
    const links = [...PROXY_FAULTS].filter(([name]) => name.startsWith("link."));
    expect(links).toEqual([...LINK_FAULTS]);
    expect(links.length).toBeGreaterThanOrEqual(10);
    expect(links.every(([name, definition]) => LINK_FAULTS.get(name) === definition)).toBe(true);
    const others = [...PROXY_FAULTS.keys()].filter((name) => !name.startsWith("link."));
    expect(others).toEqual(["bytes.slice", "bytes.limit", "bytes.corrupt"]);
  });

  it("have no parameter named like a word of the grammar", () => {
    const parameters = [...PROXY_FAULTS.values()].flatMap((fault) => Object.keys(fault.parameters));
    expect(parameters.filter((name) => ["at", "for", "client"].includes(name))).toEqual([]);
  });

  it("have a main parameter of their own, if they take any", () => {
    const withParameters = [...PROXY_FAULTS].filter(([, fault]) => Object.keys(fault.parameters).length > 0);
    expect(withParameters.map(([name]) => name).sort()).toEqual([...MAIN_PARAMETERS.keys()].sort());
    for (const [name, { parameters }] of withParameters)
      expect(Object.keys(parameters)).toContain(MAIN_PARAMETERS.get(name));
  });

  it("are known to be about packets exactly where their code asks for one", () => {
    const asks = [...LINK_FAULTS.keys()].filter((name) =>
      readFileSync(`sim/links/faults/${name.slice("link.".length)}.ts`, "utf8").includes("passage.packet"),
    );
    const declared = [...LINK_FAULTS]
      .filter(([, fault]) => fault.readsPackets === true)
      .map(([name]) => name);
    expect(declared.sort()).toEqual(asks.sort());
  });
});

describe("parseFaultText", () => {
  it.each([
    ["latency=100ms,jitter=20ms", "link.latency", { by: "100ms", jitter: "20ms" }],
    ["link.latency,by=100ms", "link.latency", { by: "100ms" }],
    ["bandwidth=64kbit/s,direction=up", "link.bandwidth", { rate: "64kbit/s", direction: "up" }],
    ["loss=5%", "link.loss", { share: "5%" }],
    ["loss=0.05", "link.loss", { share: 0.05 }],
    ["blackhole", "link.blackhole", {}],
    ["reset", "link.reset", {}],
    ["flap=5s,up=20s", "link.flap", { down: "5s", up: "20s" }],
    ["refuse", "link.refuse", {}],
    ["refuse=50%", "link.refuse", { probability: "50%" }],
    ["no-connack", "link.no-connack", {}],
    ["drop-publish=0+3+7", "link.drop-publish", { positions: [0, 3, 7] }],
    ["drop-publish,count=2,skip=1", "link.drop-publish", { count: 2, skip: 1 }],
    ["stall=10s", "link.stall", { hold: "10s" }],
    ["slice=7,gap=2ms", "bytes.slice", { size: 7, gap: "2ms" }],
    ["limit=1kB", "bytes.limit", { bytes: "1kB" }],
    ["corrupt=1%", "bytes.corrupt", { probability: "1%" }],
  ])("reads %s", (text, fault, detail) => {
    const read = parseFaultText(text);
    expect({ ...read, detail: { ...read.detail } }).toEqual({ fault, detail });
    checkProxyFault(read, "mqtt");
  });

  it("reads when, how long and for whom", () => {
    expect(parseFaultText("stall=10s,at=1m30s,for=5s,client=dev-*")).toMatchObject({
      atUs: 90_000_000,
      forUs: 5_000_000,
      client: "dev-*",
    });
  });

  it.each([
    ["latancy=1ms", "PROXY_FAULT_UNKNOWN"],
    ["", "PROXY_FAULT_UNKNOWN"],
    ["__proto__", "PROXY_FAULT_UNKNOWN"],
    ["reset=1", "PROXY_FAULT_TEXT"],
    ["latency=1ms,jitter", "PROXY_FAULT_TEXT"],
    ["latency=1ms,by=2ms", "PROXY_FAULT_TEXT"],
    ["latency=1ms,at=soon", "PROXY_FAULT_TEXT"],
    [`drop-publish=${"1+".repeat(40_000)}1`, "PROXY_FAULT_TEXT"],
  ])("refuses %s", (text, code) => {
    expect(codeOf(() => parseFaultText(text))).toBe(code);
  });

  it.each([
    ["latency=100", "mqtt", "LINK_FAULT_PARAMETER"],
    ["latency", "mqtt", "LINK_FAULT_PARAMETER"],
    ["latency=1ms,wobble=1ms", "mqtt", "LINK_FAULT_PARAMETER"],
    ["latency=1ms,__proto__=1", "mqtt", "LINK_FAULT_PARAMETER"],
    ["drop-publish=1+x", "mqtt", "LINK_FAULT_PARAMETER"],
    ["limit=1.5", "mqtt", "LINK_FAULT_PARAMETER"],
    ["reset,client=", "mqtt", "PROXY_CLIENT_PATTERN"],
    ["no-connack", "raw", "PROXY_NEEDS_PACKETS"],
    ["drop-publish,count=1", "raw", "PROXY_NEEDS_PACKETS"],
    ["reset,client=a", "raw", "PROXY_NEEDS_PACKETS"],
  ] as const)("reads %s, which a proxy in %s mode refuses", (text, mode, code) => {
    expect(codeOf(() => checkProxyFault(parseFaultText(text), mode))).toBe(code);
  });
});

describe("patterns of client identifiers", () => {
  it.each([
    ["dev-1", "dev-1", true],
    ["dev-1", "dev-10", false],
    ["dev-*", "dev-10", true],
    ["*", "", true],
    ["?", "", false],
    ["dev-0?", "dev-07", true],
    ["*a*b*c", "xxaxbxxcxc", true],
    ["*a*b*c", "xxaxbxxcx", false],
    ["a.c", "abc", false],
  ])("%s against %j is %s", (pattern, clientId, matches) => {
    expect(matchesClient(pattern, clientId)).toBe(matches);
  });

  it("answers a hostile pattern without trying all combinations", () => {
    expect(matchesClient(`${"*a".repeat(120)}b`, "a".repeat(65_000))).toBe(false);
  });
});
