import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { resolveModel } from "fleetrig/sim";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

describe("resolveModel", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(import.meta.dirname, "tmp-"));
    const machine =
      'import { createMachine } from "xstate";\nconst machine = createMachine({ id: "lamp" });\n';
    writeFileSync(
      join(folder, "lamp.machine.mjs"),
      `${machine}export default { name: "lamp", description: "", machine };\nexport const notModel = 7;\n`,
    );
    writeFileSync(
      join(folder, "lamp.machine.ts"),
      `${machine}const id: string = "typed";\nexport { machine };\nexport const model = { name: id, description: "", machine, signals: {} };\n`,
    );
    writeFileSync(join(folder, "broken.mjs"), 'throw new Error("boom");\n');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(["temperature-sensor", "shadow-device", "ota-device"])("knows builtin:%s", async (name) => {
    await expect(resolveModel(`builtin:${name}`, folder)).resolves.toMatchObject({ name });
  });

  it("loads a model from a JavaScript file and gives it empty signals when it has none", async () => {
    await expect(resolveModel("./lamp.machine.mjs", folder)).resolves.toMatchObject({
      name: "lamp",
      signals: {},
    });
  });

  it("loads TypeScript from a folder whose package.json does not say module", async () => {
    const plain = join(folder, "plain");
    mkdirSync(plain);
    writeFileSync(join(plain, "package.json"), "{}");
    const machine =
      'import { createMachine } from "xstate";\nexport const machine = createMachine({ id: "lamp" });\n';
    writeFileSync(
      join(plain, "lamp.ts"),
      `${machine}export default { name: "lamp", description: "", machine };\n`,
    );
    await expect(resolveModel("./lamp.ts", plain)).resolves.toMatchObject({ name: "lamp" });
    await expect(resolveModel("./lamp.ts#machine", plain)).resolves.toMatchObject({
      name: "./lamp.ts#machine",
    });
  });

  it("says what to install when a model needs a package that is not there", async () => {
    writeFileSync(join(folder, "needy.mjs"), 'import "no-such-package-of-anybody";\n');
    await expect(resolveModel("./needy.mjs", folder)).rejects.toMatchObject({
      code: "MODEL_FILE_FAILED",
      hint: expect.stringContaining("npm install"),
    });
  });

  it("loads named exports from a TypeScript file, and takes a bare machine for a model", async () => {
    await expect(resolveModel("./lamp.machine.ts#model", folder)).resolves.toMatchObject({ name: "typed" });
    await expect(resolveModel("./lamp.machine.ts#machine", folder)).resolves.toMatchObject({
      name: "./lamp.machine.ts#machine",
      machine: { id: "lamp" },
    });
  });

  it.each([
    ["builtin:temprature-sensor", "MODEL_UNKNOWN", "Did you mean builtin:temperature-sensor?"],
    ["builtin:toaster", "MODEL_UNKNOWN", "There are: temperature-sensor, shadow-device, ota-device."],
    ["./missing.mjs", "MODEL_FILE_FAILED", "relative to the scenario"],
    ["./broken.mjs", "MODEL_FILE_FAILED", "relative to the scenario"],
    ["./lamp.machine.mjs#other", "MODEL_NOT_EXPORTED", "It exports: default, notModel."],
    ["./lamp.machine.mjs#notModel", "MODEL_INVALID", "defineDeviceModel"],
  ])("refuses %s as %s", async (reference, code, hint) => {
    await expect(resolveModel(reference, folder)).rejects.toMatchObject({
      code,
      exitCode: 2,
      hint: expect.stringContaining(hint) as string,
    });
  });
});
