import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { lacksCompiler } from "../../rigs.js";
import { PlatformDriver } from "./platform-driver.js";

const FACTORY = ["factory 1.0.0 3000", "choose"];

describe.skipIf(lacksCompiler)("slots of the firmware", () => {
  let driver: PlatformDriver;
  beforeAll(() => {
    driver = new PlatformDriver();
  });
  afterAll(() => driver.remove());

  it("runs an update after a restart, and stays with it once it is confirmed", () => {
    const answers = driver.run([
      ...FACTORY,
      "update 1.1.0 4000",
      "look",
      "choose",
      "look",
      "confirm",
      "choose",
      "look",
    ]);
    expect(answers.slice(2)).toEqual([
      "finished 0",
      "slot 0 1.0.0",
      "slot 1",
      "slot 1 1.1.0 unconfirmed",
      "ok",
      "slot 1",
      "slot 1 1.1.0",
    ]);
  });

  it("gives an update up after three starts without confirmation, and tells so until that is confirmed", () => {
    const starts = ["choose", "choose", "choose", "choose"];
    const answers = driver.run([
      ...FACTORY,
      "update 1.1.0 4000",
      ...starts,
      "look",
      "confirm",
      "look",
      "choose",
    ]);
    expect(answers.slice(3)).toEqual([
      "slot 1",
      "slot 1",
      "slot 1",
      "slot 0",
      "slot 0 1.0.0 rolled-back",
      "ok",
      "slot 0 1.0.0",
      "slot 0",
    ]);
  });

  it("goes back at once when the firmware asks for it, and takes the next update", () => {
    const answers = driver.run([
      ...FACTORY,
      "update 1.1.0 4000",
      "choose",
      "rollback",
      "choose",
      "look",
      "update 1.2.0 5000",
      "choose",
      "look",
      "confirm",
      "update 1.3.0 2000",
      "choose",
      "look",
    ]);
    expect(answers.slice(3)).toEqual([
      "slot 1",
      "restarted",
      "slot 0",
      "slot 0 1.0.0 rolled-back",
      "finished 0",
      "slot 1",
      "slot 1 1.2.0 unconfirmed",
      "ok",
      "finished 0",
      "slot 0",
      "slot 0 1.3.0 unconfirmed",
    ]);
  });

  it("refuses an image that is damaged or too large", () => {
    const answers = driver.run([...FACTORY, "damaged 1.1.0 4000", "update 1.1.0 14000", "choose", "look"]);
    expect(answers.slice(2)).toEqual(["finished 3", "refused", "slot 0", "slot 0 1.0.0"]);
  });

  it("forgets the second slot, but never the only image it has", () => {
    const answers = driver.run([
      ...FACTORY,
      "update 1.1.0 4000",
      "choose",
      "confirm",
      "forget",
      "choose",
      "look",
    ]);
    expect(answers.slice(5)).toEqual(["ok", "slot 0", "slot 0 1.0.0"]);
  });

  it("stands a power cut after every single byte of an update and of every start", () => {
    const cuts = Array.from({ length: 1_800 }, (_, n) => n);
    const answers = driver.run([
      ...FACTORY,
      "save",
      ...cuts.flatMap((bytes) => [
        "restore",
        "choose",
        `power ${bytes}`,
        "update 1.1.0 1300",
        "choose",
        "look",
      ]),
    ]);
    const outcomes = cuts.map((_, n) => answers.slice(3 + 6 * n + 3, 3 + 6 * n + 6));
    for (const [outcome, , look] of outcomes)
      expect(
        outcome === "cut" ? ["slot 0 1.0.0", "slot 1 1.1.0 unconfirmed"] : ["slot 1 1.1.0 unconfirmed"],
      ).toContain(look);
    expect(outcomes.filter(([outcome]) => outcome === "cut").length).toBeGreaterThan(1_400);
    expect(outcomes.at(-1)?.[0]).toBe("finished 0");
  });

  it("stands power cuts in the middle of what the boot loader writes", () => {
    const steps = Array.from({ length: 6 }, (_, n) => n).flatMap((bytes) => [
      "restore",
      ...Array.from({ length: 6 }, () => [`power ${bytes}`, "choose"]).flat(),
      "power -1",
      "choose",
      "look",
    ]);
    const answers = driver.run([...FACTORY, "update 1.1.0 1300", "save", ...steps]);
    const looks = answers.filter(
      (answer) => answer.startsWith("slot 0 1.0.0") || answer.startsWith("slot 1 1.1.0"),
    );
    expect(looks).toHaveLength(6);
    expect(answers).not.toContain("slot -1");
  });
});
