import { describe, expect, it } from "vitest";
import { bodyOf, ShadowBench, topicsOf } from "./shadow-bench.js";

const UPDATED = ["update/accepted", "update/documents"];
const UPDATED_WITH_DELTA = ["update/accepted", "update/delta", "update/documents"];
const rejection = (code: number, message: string) => ({ code, message, timestamp: expect.any(Number) });

describe("ShadowService", () => {
  it("follows the golden vectors of merge, delta, conflict and delete [REF §5.8]", () => {
    const bench = new ShadowBench();
    const first = bench.update({ desired: { a: { b: 1, c: 2 }, l: [1, 2] } });
    expect(topicsOf(first)).toEqual(UPDATED_WITH_DELTA);
    expect(bodyOf(first, "update/delta")).toMatchObject({
      version: 1,
      state: { a: { b: 1, c: 2 }, l: [1, 2] },
    });

    const second = bench.update({ reported: { a: { b: 1 }, l: [2, 1], x: 9 } });
    expect(bodyOf(second, "update/delta")).toMatchObject({ version: 2, state: { a: { c: 2 }, l: [1, 2] } });
    expect(bodyOf(second, "update/delta")!["state"]).not.toHaveProperty("x");

    const third = bench.update({ reported: { l: [1, 2], a: { c: 2 } } });
    expect(topicsOf(third)).toEqual(UPDATED);
    expect(bodyOf(third, "update/accepted")).toMatchObject({ version: 3 });

    const fourth = bench.update({ desired: { a: null } });
    expect(topicsOf(fourth)).toEqual(UPDATED);
    expect(bench.get()).toMatchObject({ version: 4, state: { desired: { l: [1, 2] } } });

    expect(bench.update({ desired: { z: 1 } }, { version: 1 })).toEqual([
      { topic: "update/rejected", body: rejection(409, "Version conflict") },
    ]);
    expect(bench.update({ desired: { l: [1, null] } })).toEqual([
      { topic: "update/rejected", body: rejection(400, "State contains an invalid node") },
    ]);
    expect(bench.get()["version"]).toBe(4);

    expect(bench.request("delete")).toEqual([
      { topic: "delete/accepted", body: { version: 4, timestamp: bench.nowS } },
    ]);
    expect(bench.request("get")).toEqual([
      { topic: "get/rejected", body: rejection(404, "No shadow exists with name: 'T'") },
    ]);
    bench.advanceS(47 * 3600);
    expect(bodyOf(bench.update({ reported: { a: 1 } }), "update/accepted")).toMatchObject({ version: 5 });

    expect(bench.update({ delta: { a: 1 } })).toEqual([
      { topic: "update/rejected", body: rejection(400, "State contains an invalid node: 'delta'") },
    ]);
  });

  it("shares one version among accepted, delta and documents.current and echoes the token in each", () => {
    const bench = new ShadowBench();
    bench.update({ desired: { a: 1 } });
    const sent = bench.update({ desired: { b: 2 } }, { clientToken: "t-1", version: 1 });
    const at = { timestamp: bench.nowS };
    expect(sent).toEqual([
      {
        topic: "update/accepted",
        body: {
          state: { desired: { b: 2 } },
          metadata: { desired: { b: at } },
          version: 2,
          ...at,
          clientToken: "t-1",
        },
      },
      {
        topic: "update/delta",
        body: { version: 2, ...at, state: { a: 1, b: 2 }, metadata: { a: at, b: at }, clientToken: "t-1" },
      },
      {
        topic: "update/documents",
        body: {
          previous: { state: { desired: { a: 1 } }, metadata: { desired: { a: at } }, version: 1 },
          current: {
            state: { desired: { a: 1, b: 2 } },
            metadata: { desired: { a: at, b: at } },
            version: 2,
          },
          ...at,
          clientToken: "t-1",
        },
      },
    ]);
  });

  it("answers get with the whole document and the delta, and echoes the token", () => {
    const bench = new ShadowBench();
    bench.update({ desired: { a: 1, b: [1, { c: 2 }] }, reported: { a: 1 } });
    const at = { timestamp: bench.nowS };
    bench.advanceS(5);
    expect(bodyOf(bench.request("get", { clientToken: "g" }), "get/accepted")).toEqual({
      state: {
        desired: { a: 1, b: [1, { c: 2 }] },
        reported: { a: 1 },
        delta: { b: [1, { c: 2 }] },
      },
      metadata: {
        desired: { a: at, b: [at, { c: at }] },
        reported: { a: at },
        delta: { b: [at, { c: at }] },
      },
      version: 1,
      timestamp: bench.nowS,
      clientToken: "g",
    });
  });

  it("keeps classic and named shadows of one thing apart", () => {
    const bench = new ShadowBench();
    bench.update({ reported: { a: 1 } });
    const named = bench.request("name/network/update", { state: { desired: { ssid: "x" } } });
    expect(topicsOf(named)).toEqual(UPDATED_WITH_DELTA.map((topic) => `name/network/${topic}`));
    expect(bench.get()["state"]).toEqual({ reported: { a: 1 } });
    expect(bench.request("name/other/get")).toEqual([
      { topic: "name/other/get/rejected", body: rejection(404, "No shadow exists with name: 'T~other'") },
    ]);
  });

  it("clears both sections for state null, but the shadow goes on existing", () => {
    const bench = new ShadowBench();
    bench.update({ desired: { a: 1 }, reported: { a: 2 } });
    const sent = bench.update(null);
    expect(topicsOf(sent)).toEqual(UPDATED);
    expect(bodyOf(sent, "update/accepted")).toMatchObject({
      state: { desired: null, reported: null },
      metadata: {},
      version: 2,
    });
    expect(bench.get()).toMatchObject({ state: {}, metadata: {}, version: 2 });
  });

  it("removes one section for null and keeps the other", () => {
    const bench = new ShadowBench();
    bench.update({ desired: { a: 1 }, reported: { a: 2 } });
    bench.update({ desired: null });
    expect(bench.get()["state"]).toEqual({ reported: { a: 2 } });
    bench.update({ desired: { a: 1 }, reported: null });
    expect(bench.get()["state"]).toEqual({ desired: { a: 1 }, delta: { a: 1 } });
  });

  it("counts an update without sections as a version", () => {
    const bench = new ShadowBench();
    expect(bodyOf(bench.update({}), "update/accepted")).toMatchObject({
      state: {},
      metadata: {},
      version: 1,
    });
  });

  it("starts versions over 48 h after the delete, not a second earlier [REF §5.5]", () => {
    const bench = new ShadowBench();
    const recreate = (afterS: number): unknown => {
      bench.request("delete");
      bench.advanceS(afterS);
      return bodyOf(bench.update({ reported: { a: 1 } }), "update/accepted")!["version"];
    };
    bench.update({ reported: { a: 1 } });
    expect(recreate(48 * 3600 - 1)).toBe(2);
    expect(recreate(48 * 3600)).toBe(1);
    bench.request("name/n/update", { state: { reported: { a: 1 } } });
    bench.request("name/n/delete");
    bench.advanceS(48 * 3600);
    expect(bench.service.update({ thing: "T", shadowName: "n", payload: { state: {} } })).toMatchObject({
      version: 1,
    });
  });

  it("keeps a recreated shadow, however long ago it was once deleted", () => {
    const bench = new ShadowBench();
    bench.update({ reported: { a: 1 } });
    bench.request("delete");
    bench.update({ reported: { a: 2 } });
    bench.advanceS(100 * 3600);
    expect(bench.get()).toMatchObject({ state: { reported: { a: 2 } }, version: 2 });
  });

  it("can count the delete itself as a version", () => {
    const bench = new ShadowBench({ settings: { deleteIncrementsVersion: true } });
    bench.update({ reported: { a: 1 } });
    expect(bodyOf(bench.request("delete", { clientToken: "d" }), "delete/accepted")).toMatchObject({
      version: 2,
      clientToken: "d",
    });
    expect(bodyOf(bench.update({}), "update/accepted")).toMatchObject({ version: 3 });
  });

  it("ignores the payload of a delete, whatever it is", () => {
    const bench = new ShadowBench();
    for (const payload of ["{", "[1]", '{"version":77}', Uint8Array.of(0xff), " ".repeat(131_073)]) {
      bench.update({ reported: { a: 1 } });
      expect(topicsOf(bench.request("delete", payload))).toEqual(["delete/accepted"]);
    }
  });

  it("rejects deleting what does not exist, and echoes the token in refusals", () => {
    const bench = new ShadowBench();
    const [sent] = bench.request("delete", { clientToken: "d" });
    expect(sent).toEqual({
      topic: "delete/rejected",
      body: { ...rejection(404, "No shadow exists with name: 'T'"), clientToken: "d" },
    });
    const [conflict] = bench.update({}, { version: 9, clientToken: "u" });
    expect(conflict!.body).toMatchObject({ code: 409, clientToken: "u" });
  });

  it("ignores wills and everything that is not a request [REF §2.4]", () => {
    const bench = new ShadowBench();
    expect(bench.request("update", { state: { reported: { a: 1 } } }, { isWill: true })).toEqual([]);
    expect(bench.request("update/accepted", {})).toEqual([]);
    expect(bench.request("unknown", {})).toEqual([]);
    expect(bench.service.document({ thing: "T" })).toBeUndefined();
  });

  it("builds no body that nobody would get", () => {
    const asked: string[] = [];
    const bench = new ShadowBench({}, (topic) => {
      asked.push(topic);
      return topic.endsWith("/delta");
    });
    expect(topicsOf(bench.update({ desired: { a: 1 } }))).toEqual(["update/delta"]);
    expect(asked).toHaveLength(3);
  });

  it("tells the run what was accepted, rejected and deleted", () => {
    const bench = new ShadowBench();
    bench.update({ desired: { a: 1 } }, { clientToken: "t" });
    bench.update({ desired: 5 });
    bench.request("delete");
    const at = { atUs: 0, thing: "T", shadowName: undefined };
    expect(bench.events).toEqual([
      {
        type: "shadow.accepted",
        ...at,
        version: 1,
        requested: { desired: { a: 1 } },
        desired: { a: 1 },
        reported: {},
        hasDelta: true,
        clientToken: "t",
      },
      { type: "shadow.rejected", ...at, operation: "update", code: 400 },
      { type: "shadow.deleted", ...at, version: 1 },
    ]);
  });
});

describe("ShadowService in process", () => {
  it("publishes the same messages on success and none on failure", () => {
    const bench = new ShadowBench();
    const key = { thing: "T" };
    const updated = bench.service.update({ ...key, payload: { state: { desired: { a: 1 } } } });
    expect(updated).toMatchObject({ ok: true, version: 1 });
    expect(updated.ok && updated.body()).toEqual(bodyOf(bench.sent, "update/accepted"));
    expect(topicsOf(bench.sent)).toEqual(UPDATED_WITH_DELTA);
    expect(bench.service.get(key)).toMatchObject({ ok: true, version: 1 });
    expect(bench.service.update({ ...key, payload: {} })).toEqual({
      ok: false,
      error: { code: 400, message: "Missing required node: state" },
    });
    expect(bench.service.delete(key)).toMatchObject({ ok: true, version: 1 });
    expect(bench.service.get(key)).toMatchObject({ ok: false, error: { code: 404 } });
    expect(topicsOf(bench.sent)).toEqual([...UPDATED_WITH_DELTA, "delete/accepted"]);
  });

  it("refuses names that no topic could carry", () => {
    const { service } = new ShadowBench();
    const payload = { state: {} };
    expect(service.update({ thing: "a/b", payload })).toMatchObject({ error: { code: 400 } });
    expect(service.update({ thing: "T", shadowName: "", payload })).toMatchObject({ error: { code: 400 } });
  });

  it("lists named shadows page by page, without the classic one and deleted ones", () => {
    const { service } = new ShadowBench();
    const payload = { state: { reported: { a: 1 } } };
    service.update({ thing: "T", payload });
    for (const shadowName of ["c", "a", "d", "b"]) service.update({ thing: "T", shadowName, payload });
    service.delete({ thing: "T", shadowName: "d" });
    const page = service.listNamed({ thing: "T", pageSize: 2 });
    expect(page).toMatchObject({ ok: true, results: ["a", "b"] });
    const nextToken = page.ok ? page.nextToken! : "";
    expect(service.listNamed({ thing: "T", pageSize: 2, nextToken })).toEqual({
      ok: true,
      results: ["c"],
      timestamp: expect.any(Number),
    });
    expect(service.listNamed({ thing: "unknown" })).toMatchObject({ ok: true, results: [] });
    expect(service.listNamed({ thing: "T", nextToken: "!" })).toMatchObject({ error: { code: 400 } });
    for (const pageSize of [0, 101, 1.5]) {
      expect(service.listNamed({ thing: "T", pageSize })).toMatchObject({ error: { code: 400 } });
    }
  });
});
