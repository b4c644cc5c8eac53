import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { lacksCompiler } from "../../rigs.js";
import { FIRMWARE } from "./platform-driver.js";

const STUBS = fileURLToPath(new URL("./espidf-stubs", import.meta.url.replace("/dist/test/", "/test/")));
const MAIN = join(FIRMWARE, "src/hal-espidf/main");

/** Stand-ins for ESP-IDF's headers: this proves syntax and types as far as they are declared here, and no more. */
describe.skipIf(lacksCompiler)("the ESP-IDF machine's sources", () => {
  it.each([0, 1])("are C11 without warnings, with CONFIG_FLEETRIG_SERIAL_JTAG=%i", (isJtag) => {
    const files = readdirSync(MAIN).filter((name) => name.endsWith(".c"));
    expect(files).toHaveLength(3);
    const { stderr, status } = spawnSync(
      "gcc",
      [
        ..."-std=gnu11 -fsyntax-only -Wall -Wextra -Werror".split(" "),
        `-DCONFIG_FLEETRIG_SERIAL_JTAG=${isJtag}`,
        ...[STUBS, join(FIRMWARE, "include"), join(FIRMWARE, "src/platform")].map((folder) => `-I${folder}`),
        ...files.map((name) => join(MAIN, name)),
      ],
      { encoding: "utf8" },
    );
    expect(stderr).toBe("");
    expect(status).toBe(0);
  });
});
