import type { JsonObject } from "fleetrig/kernel";
import { convergenceRecords } from "fleetrig/reports";
import { describe, expect, it } from "vitest";
import { action, lost, observedRun, opened, S } from "./observed-run.js";

const accepted = (
  thing: string,
  requested: { desired?: JsonObject | null; reported?: JsonObject },
  after: { desired?: JsonObject; reported?: JsonObject; hasDelta?: boolean; clientToken?: string } = {},
) =>
  ({
    type: "shadow.accepted",
    thing,
    shadowName: "config",
    version: 1,
    requested,
    desired: after.desired ?? {},
    reported: after.reported ?? requested.reported ?? {},
    hasDelta: after.hasDelta ?? false,
    clientToken: after.clientToken,
  }) as const;

const config = (thing: string, state: JsonObject) =>
  ({ type: "device.config", thing, shadowName: "config", state }) as const;

const desired = { setpoint: 21, mode: "eco" };
const update = action("u1", "updateShadow", ["g0", "g1"], { shadowName: "config", desired });

describe("ShadowTracker", () => {
  it("calls an update converged when reported and device agree with it and stay so for a second", () => {
    const { emit, read, setNow } = observedRun();
    emit(0, config("g0", { setpoint: 19, mode: "eco", other: true }));
    emit(10 * S, update);
    emit(10 * S, accepted("g0", { desired }, { hasDelta: true }));
    emit(11 * S, config("g0", { setpoint: 21, mode: "eco", other: true }));
    expect(read("shadow.converged{update=u1}")).toBe(0);
    emit(12 * S, accepted("g0", { reported: desired }));
    setNow(12.5 * S);
    expect(read("shadow.converged{update=u1}")).toBe(0);
    setNow(13 * S);
    expect(read("shadow.converged{update=u1}")).toBe(0.5);
    expect(read("shadow.converged{update=u1} count")).toBe(1);
    expect(read("shadow.convergence_time{update=u1} max")).toBe(2 * S);
  });

  it("withdraws a convergence that does not last, and finds the lasting one", () => {
    const { emit, read, setNow } = observedRun();
    emit(0, update);
    emit(0, accepted("g0", { desired }));
    emit(1 * S, accepted("g0", { reported: desired }));
    emit(1.5 * S, accepted("g0", { reported: { setpoint: 5, mode: "eco" } }));
    emit(4 * S, accepted("g0", { reported: desired }));
    setNow(20 * S);
    expect(read("shadow.convergence_time{update=u1} max")).toBe(4 * S);
  });

  it("keeps a convergence once it lasted", () => {
    const { emit, read } = observedRun();
    emit(0, accepted("g0", { desired }, { clientToken: "mine" }));
    emit(1 * S, accepted("g0", { reported: desired }));
    emit(5 * S, accepted("g0", { reported: { setpoint: 5 } }));
    expect(read("shadow.converged{update=mine}")).toBe(1);
    expect(read("shadow.convergence_time max")).toBe(1 * S);
  });

  it("leaves superseded updates out of shares and times", () => {
    const { emit, read } = observedRun();
    emit(0, accepted("g0", { desired: { a: { b: 1 } } }, { clientToken: "first" }));
    emit(1 * S, accepted("g0", { desired: { c: 1 } }, { clientToken: "other-key" }));
    emit(2 * S, accepted("g0", { desired: { a: { b: 2 } } }, { clientToken: "second" }));
    emit(3 * S, accepted("g0", { reported: { a: { b: 2 } } }, { reported: { a: { b: 2 }, c: 1 } }));
    emit(9 * S, config("g1", {}));
    expect(read("shadow.superseded")).toBe(1);
    expect(read("shadow.superseded{update=first}")).toBe(1);
    expect(read("shadow.converged")).toBe(1);
    expect(read("shadow.convergence_time max")).toBe(2 * S);
    emit(10 * S, accepted("g0", { desired: { d: 1 } }, { clientToken: "third" }));
    emit(11 * S, accepted("g0", { desired: null }));
    expect(read("shadow.superseded{update=third}")).toBe(1);
  });

  it("asks for absent keys where desired says null", () => {
    const { emit, read } = observedRun();
    emit(0, accepted("g0", { desired: { legacy: null } }, { reported: { legacy: 1 } }));
    emit(2 * S, accepted("g0", { reported: {} }, { reported: {} }));
    emit(4 * S, config("g1", {}));
    expect(read("shadow.convergence_time max")).toBe(2 * S);
  });

  it("measures from the reconnect, and only things that were online, when asked", () => {
    const { emit, read } = observedRun();
    emit(0, opened("g1"));
    emit(10 * S, update);
    for (const thing of ["g0", "g1"]) emit(10 * S, accepted(thing, { desired }, { hasDelta: true }));
    emit(12 * S, accepted("g1", { reported: desired }));
    emit(40 * S, opened("g0"));
    emit(41 * S, accepted("g0", { reported: desired }));
    emit(50 * S, lost("g0"));
    expect(read("shadow.convergence_time{update=u1} max")).toBe(31 * S);
    expect(read("shadow.convergence_time{update=u1,since=reconnect} max")).toBe(2 * S);
    expect(read("shadow.convergence_time{update=u1,since=reconnect} min")).toBe(1 * S);
    expect(read("shadow.convergence_time{update=u1,online=true} max")).toBe(2 * S);
    expect(read("shadow.convergence_time{update=u1,online=false} min")).toBe(31 * S);
  });

  it("counts what has not converged with the time so far, but not time offline when measuring since the reconnect", () => {
    const { emit, read, setNow } = observedRun();
    emit(0, accepted("g0", { desired }));
    emit(0, accepted("g1", { desired }));
    emit(20 * S, opened("g1"));
    setNow(60 * S);
    expect(read("shadow.convergence_time max")).toBe(60 * S);
    expect(read("shadow.convergence_time{since=reconnect} max")).toBe(40 * S);
    expect(read("shadow.convergence_time{since=reconnect} count")).toBe(1);
  });

  it("counts things that reported a state they do not have", () => {
    const { emit, read } = observedRun();
    emit(0, config("g0", { setpoint: 19, mode: "eco" }));
    emit(0, config("g1", { setpoint: 19, mode: "eco" }));
    emit(1 * S, update);
    for (const thing of ["g0", "g1"]) emit(1 * S, accepted(thing, { desired }));
    for (const thing of ["g0", "g1"]) emit(2 * S, accepted(thing, { reported: desired }));
    emit(2.2 * S, config("g0", desired));
    emit(9 * S, config("g1", desired));
    expect(read("shadow.false_convergence")).toBe(1);
    expect(read("shadow.false_convergence{update=none}")).toMatch(/no update "none" was accepted/);
  });

  it("integrates diverged things over time, by thing and not by shadow", () => {
    const { emit, read, setNow } = observedRun({ fleet: { g: 2, h: 1 } });
    emit(10 * S, accepted("g0", { desired }, { hasDelta: true }));
    emit(10 * S, { ...accepted("g0", { desired }, { hasDelta: true }), shadowName: undefined });
    emit(12 * S, accepted("h0", { desired }, { hasDelta: true }));
    emit(15 * S, accepted("g0", { reported: desired }));
    expect(read("shadow.diverged")).toBe(2);
    emit(16 * S, { type: "shadow.deleted", thing: "g0", shadowName: undefined, version: 2 });
    expect(read("shadow.diverged")).toBe(1);
    expect(read("shadow.diverged{group=g}")).toBe(0);
    setNow(20 * S);
    expect(read("shadow.divergence_area")).toBe(6 + 8);
    expect(read("shadow.divergence_area{group=h}")).toBe(8);
    expect(read("shadow.delta_messages_per_update")).toBe(1);
  });

  it("counts rejections by code", () => {
    const { emit, read } = observedRun();
    for (const code of [409, 409, 413]) {
      emit(0, { type: "shadow.rejected", thing: "g0", shadowName: undefined, operation: "update", code });
    }
    expect([read("shadow.conflicts"), read("shadow.rejected"), read("shadow.rejected{code=413}")]).toEqual([
      2, 3, 1,
    ]);
    expect(read("shadow.delta_messages_per_update")).toMatch(/never updated/);
  });

  it("has no share before anything was targeted", () => {
    expect(observedRun().read("shadow.converged{update=u1}")).toMatch(/no update "u1"/);
  });

  it("prefers the client token over an equal state, and the latest action among equals", () => {
    const { emit, read } = observedRun();
    const again = { ...update, action: "u2" };
    emit(0, update);
    emit(5 * S, again);
    emit(5 * S, accepted("g0", { desired }, { clientToken: "u1" }));
    emit(5 * S, accepted("g1", { desired }));
    expect(read("shadow.convergence_time{update=u1} count")).toBe(1);
    expect(read("shadow.convergence_time{update=u2} count")).toBe(1);
  });

  it("draws the share of converged things since the update", () => {
    const { emit, observation } = observedRun();
    emit(10 * S, update);
    for (const thing of ["g0", "g1"]) emit(10 * S, accepted(thing, { desired }));
    emit(11 * S, accepted("g0", { reported: desired }));
    emit(13.5 * S, accepted("g1", { reported: desired }));
    emit(20 * S, config("g2", {}));
    const [record] = convergenceRecords(observation);
    expect(record).toMatchObject({ update: "u1", targeted: 2, converged: 2, superseded: 0 });
    expect(record!.curve.points).toEqual([0, 50, 50, 100]);
    expect(record!.curve.startMs).toBe(10_000);
  });
});
