import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundleProgram } from "./bundle.js";
import { cpioArchive, placedFiles } from "./cpio-archive.js";
import { Guest } from "./guest.js";
import { makeGuestImage } from "./guest-image.js";
import { Rack } from "./rack.js";
import { decodeReport, type ReportLine } from "./report.js";

/** Runs all checks in a guest, and says what became of them as test runners do. */
const LIMIT_MS = Number(process.env["FLEETRIG_USB_LIMIT_S"] ?? 900) * 1000;
const cache = process.env["FLEETRIG_USB_CACHE"] ?? join(tmpdir(), "fleetrig-usb-guest");
const isVerbose = process.env["FLEETRIG_USB_CONSOLE"] === "1";
const startedMs = performance.now();
const seconds = (): string => ((performance.now() - startedMs) / 1000).toFixed(1);
const counts = { passed: 0, failed: 0 };
const console_: string[] = [];
let isComplete = false;

function tell(report: ReportLine): void {
  if ("end" in report) isComplete = true;
  else if ("figure" in report) console.log(`  figure: ${report.figure}: ${report.value} ${report.unit}`);
  else {
    counts[report.error === undefined ? "passed" : "failed"] += 1;
    console.log(` ${report.error === undefined ? "✓" : "✗"} ${report.check} (${report.tookMs} ms)`);
    if (report.error !== undefined) console.log(report.error.replaceAll(/^/gm, "     "));
  }
}

const filesBelow = (root: string): readonly string[] =>
  readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

/** A program and the libraries that it needs, where links lead: the guest is to have them in memory. */
const programFiles = (file: string): readonly string[] => {
  const libraries = execFileSync("ldd", [file], { encoding: "utf8" }).matchAll(/(\/\S+) \(0x/g);
  return [...new Set([file, ...[...libraries].map(([, path]) => path!)].map((path) => realpathSync(path)))];
};

const init = readFileSync(new URL("../../../test/usb/guest-init.sh", import.meta.url), "utf8");
const image = makeGuestImage(cache, init);
console.log(`  guest image after ${seconds()} s`);
const folder = mkdtempSync(join(tmpdir(), "fleetrig-usb-"));
// Within the package, whose own files it asks for.
const programFolder = fileURLToPath(new URL("./program", import.meta.url));
const program = await bundleProgram(programFolder);
const initrd = join(folder, "initrd.cpio");
const code = filesBelow(programFolder);
const extra = cpioArchive(placedFiles([...code, ...programFiles(process.execPath)], "packages"));
writeFileSync(initrd, Buffer.concat([readFileSync(image.initrd), extra]));
console.log(`  program bundled after ${seconds()} s`);
const rack = new Rack();
await rack.start(join(tmpdir(), "fleetrig-test-firmware"));
const { usbip, rack: control } = rack.ports;
const bootMs = performance.now();
let isUp = false;
const guest = new Guest({
  image,
  initrd,
  program,
  argument: `${control},${usbip},${process.env["FLEETRIG_USB_ONLY"] ?? ""}`,
  line: (text) => {
    const report = decodeReport(text);
    console_.push(text);
    if (isVerbose && report === undefined) console.log(`  ${seconds()} ${text}`);
    if (!isUp && report !== undefined) {
      isUp = true;
      console.log(
        `  first word of the guest ${((performance.now() - bootMs) / 1000).toFixed(1)} s after its start`,
      );
    }
    if (report !== undefined) tell(report);
  },
});
const limit = setTimeout(() => guest.kill(), LIMIT_MS);
await guest.ended;
clearTimeout(limit);
await rack.stop();
rmSync(folder, { recursive: true, force: true });
if (!isComplete) {
  counts.failed += 1;
  console.log(` ✗ the guest ended before its program did\n${console_.slice(-40).join("\n")}`);
}
console.log(`${counts.passed} passed, ${counts.failed} failed; ${seconds()} s`);
process.exit(counts.failed === 0 ? 0 : 1);
