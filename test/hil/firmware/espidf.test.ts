import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { lacksCompiler } from "../../rigs.js";
import { temporaryFolder } from "../virtual/rig.js";
import { FIRMWARE } from "./platform-driver.js";

const STUBS = fileURLToPath(new URL("./espidf-stubs", import.meta.url.replace("/dist/test/", "/test/")));
const MAIN = join(FIRMWARE, "src/hal-espidf/main");

const INCLUDES = [
  STUBS,
  ...["include", "src/platform", "src/app"].map((folder) => join(FIRMWARE, folder)),
].map((folder) => `-I${folder}`);

function run(program: string, args: readonly string[]): string {
  const { stdout, stderr, status } = spawnSync(program, args, { encoding: "utf8" });
  expect(stderr).toBe("");
  expect(status).toBe(0);
  return stdout;
}

/** What ESP-IDF would compile, as its CMakeLists.txt names it. */
function componentSources(): readonly string[] {
  const list = readFileSync(join(MAIN, "CMakeLists.txt"), "utf8").replaceAll(/^#.*$/gm, "");
  const own = [...list.matchAll(/(?:\$\{PLATFORM\}\/)?\w+\.c\b/g)].map(([name]) =>
    name.startsWith("$")
      ? join(FIRMWARE, "src/platform", name.slice("${PLATFORM}/".length))
      : join(MAIN, name),
  );
  const app = join(FIRMWARE, "src/app");
  return [...own, ...readdirSync(app).flatMap((name) => (name.endsWith(".c") ? join(app, name) : []))];
}

/** Stand-ins for ESP-IDF's headers: this proves syntax and types as far as they are declared here, and no more. */
describe.skipIf(lacksCompiler)("the ESP-IDF machine's sources", () => {
  it.each([0, 1])("are C11 without warnings, with CONFIG_FLEETRIG_SERIAL_JTAG=%i", (isJtag) => {
    const files = readdirSync(MAIN).filter((name) => name.endsWith(".c"));
    expect(files).toHaveLength(3);
    run("gcc", [
      ..."-std=gnu11 -fsyntax-only -Wall -Wextra -Werror".split(" "),
      `-DCONFIG_FLEETRIG_SERIAL_JTAG=${isJtag}`,
      ...INCLUDES,
      ...files.map((name) => join(MAIN, name)),
    ]);
  });

  it("leave nothing undefined that the firmware calls", () => {
    const object = join(temporaryFolder(), "component.o");
    const sources = componentSources();
    expect(sources.length).toBeGreaterThan(30);
    run("gcc", ["-std=gnu11", "-r", "-nostdlib", ...INCLUDES, "-o", object, ...sources]);
    const undefinedNames = run("nm", ["--undefined-only", "--format=just-symbols", object]).split("\n");
    const headers = ["include", "src/app", "src/platform"].flatMap((folder) =>
      readdirSync(join(FIRMWARE, folder)).flatMap((name) =>
        name.endsWith(".h") ? readFileSync(join(FIRMWARE, folder, name), "utf8") : [],
      ),
    );
    const declarations = headers.join("\n").replaceAll(/\/\*.*?\*\//gs, "");
    const ours = new Set(declarations.match(/\w+(?=\()/g));
    expect(undefinedNames.filter((name) => ours.has(name))).toEqual([]);
  });
});
