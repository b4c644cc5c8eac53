import { copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const require = createRequire(import.meta.url);
/** The library's binding looks for itself beside its package; here it lies one folder above the program. */
const ADDON = "@serialport+bindings-cpp.glibc.node";

/**
 * The guest's program and the process of each port, each a few files instead of a thousand: what the guest reads through 9p is slow.
 * @returns the program
 */
export async function bundleProgram(folder: string): Promise<string> {
  rmSync(folder, { recursive: true, force: true });
  const code = join(folder, "code");
  const platform = join("prebuilds", `linux-${process.arch}`);
  mkdirSync(join(folder, platform), { recursive: true });
  const bindings = dirname(
    require.resolve("@serialport/bindings-cpp/package.json", { paths: [require.resolve("serialport")] }),
  );
  copyFileSync(join(bindings, platform, ADDON), join(folder, platform, ADDON));
  // The guest has neither pseudo terminals of ours nor a database, whose bindings cannot be bundled.
  const missing = join(folder, "missing.js");
  writeFileSync(missing, "export const open = undefined;\nexport const ClassicLevel = undefined;\n");
  await build({
    alias: { "@lydell/node-pty": missing, "classic-level": missing },
    minify: true,
    entryPoints: {
      main: fileURLToPath(new URL("./guest/main.js", import.meta.url)),
      "port-host": fileURLToPath(new URL("../../hil/port/port-host.js", import.meta.url)),
    },
    outdir: code,
    bundle: true,
    splitting: true,
    platform: "node",
    target: "node20",
    format: "esm",
    sourcemap: false,
    logLevel: "error",
    banner: {
      js: [
        'import { createRequire as bundleRequire } from "node:module";',
        'import { fileURLToPath as bundlePath } from "node:url";',
        "const require = bundleRequire(import.meta.url);",
        'const __filename = bundlePath(import.meta.url); const __dirname = bundlePath(new URL(".", import.meta.url));',
      ].join("\n"),
    },
  });

  return join(code, "main.js");
}
