import { FleetrigError } from "fleetrig/kernel";
import fc from "fast-check";
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { AddressDecoder, describeBacktrace, LineTable, readElf } from "../../../hil/elf/index.js";
import { build, lacks, TOOLCHAINS } from "./compile.js";

const FORMATS = ["-gdwarf-2", "-gdwarf-3", "-gdwarf-4", "-gdwarf-5"];
const LEVELS = ["-O0", "-O2"];
const CASES = TOOLCHAINS.flatMap((toolchain) =>
  FORMATS.flatMap((format) => LEVELS.map((level) => ({ toolchain, format, level, name: toolchain.name }))),
);

describe("addresses of a firmware", () => {
  for (const { toolchain, format, level, name } of CASES) {
    it.skipIf(lacks(toolchain))(`are decoded as addr2line does it: ${name} ${format} ${level}`, () => {
      const app = build(toolchain, format, level);
      try {
        const decoder = new AddressDecoder(app.bytes);
        const functions = [...readElf(app.bytes).functions.entries()].filter(({ name }) =>
          ["sensor_read", "sensor_fail", "measure", "_start"].includes(name),
        );
        expect(functions).toHaveLength(4);
        // Not only where functions begin, but all through them.
        const addresses = functions.flatMap(({ address }) =>
          Array.from({ length: 24 }, (_, i) => address + 2 * i),
        );
        const wanted = app.locate(addresses);
        const got = addresses.map((address) => {
          const place = decoder.locate(address);
          const { file = "??", line = 0 } = place?.source ?? {};
          return { function: place?.function ?? "??", source: `${file.split("/").at(-1)}:${line || "?"}` };
        });
        const isInside = (i: number): boolean => got[i]!.function !== "??" && wanted[i]!.source !== "??:?";
        const inside = addresses.map((_, i) => i).filter(isInside);
        expect(inside.length).toBeGreaterThan(40);
        // Where the optimiser has inlined, addr2line names the function that was, we the one that it became part of; binutils 2.40 gives
        // the header's lines to the file that includes it, in version 5. The lines are the same.
        const known = ({ function: name, source }: { function: string; source: string }) => ({
          name: level === "-O2" ? "" : name,
          source: format === "-gdwarf-5" ? source.split(":")[1] : source,
        });
        expect(inside.map((i) => known(got[i]!))).toEqual(inside.map((i) => known(wanted[i]!)));
        const inClamp = inside
          .filter((i) => got[i]!.function === "clamp")
          .map((i) => got[i]!.source.split(":")[0]);
        expect(new Set(inClamp)).toEqual(new Set(level === "-O0" ? ["clamp.h"] : []));
      } finally {
        app.remove();
      }
    });
  }

  it.skipIf(lacks(TOOLCHAINS[0]!))("are read from compressed debug information too", () => {
    const app = build(TOOLCHAINS[0]!, "-g", "-O0", "-gz=zlib");
    try {
      const decoder = new AddressDecoder(app.bytes);
      const { address } = [...readElf(app.bytes).functions.entries()].find(
        ({ name }) => name === "sensor_fail",
      )!;
      expect(decoder.decode(address)).toBe("sensor_fail (sensor.c:13)");
    } finally {
      app.remove();
    }
  });

  it.skipIf(lacks(TOOLCHAINS[1]!))("have a function and an offset without debug information", () => {
    const app = build(TOOLCHAINS[1]!, "-O0");
    try {
      const decoder = new AddressDecoder(app.bytes);
      const { address } = [...readElf(app.bytes).functions.entries()].find(({ name }) => name === "measure")!;
      expect(decoder.decode(address + 4)).toBe("measure+0x4");
      expect(decoder.decode(0x100)).toBe("0x00000100");
      const sha = createHash("sha256").update(app.bytes).digest("hex");
      expect([decoder.isOf(sha.slice(0, 9)), decoder.isOf("0000000")]).toEqual([true, false]);
    } finally {
      app.remove();
    }
  });

  it.skipIf(lacks(TOOLCHAINS[1]!))("of returns on RISC-V are those of the call before", () => {
    const app = build(TOOLCHAINS[1]!, "-g", "-O0");
    try {
      const functions = [...readElf(app.bytes).functions.entries()];
      const of = (wanted: string): number => functions.find(({ name }) => name === wanted)!.address;
      // A call at the very end of a function returns to the beginning of the next one.
      const panic = {
        backtrace: [of("sensor_fail"), of("sensor_fail")],
        registers: { MEPC: of("sensor_fail") },
      };
      const decoder = new AddressDecoder(app.bytes);
      const [here, caller] = describeBacktrace(panic, (address) => decoder.decode(address));
      expect(here).toBe("sensor_fail (sensor.c:13)");
      expect(caller).toMatch(/^sensor_read \(sensor\.c:11\)$/);
      expect(describeBacktrace(panic)[0]).toMatch(/^0x80000/);
    } finally {
      app.remove();
    }
  });

  it("are refused from what is no ELF file", () => {
    for (const bytes of [
      new Uint8Array(),
      Buffer.from("\x7fELF"),
      Buffer.alloc(100),
      Buffer.from([0xe9, 3, 2, 32]),
    ]) {
      expect(() => new AddressDecoder(bytes)).toThrow(
        expect.objectContaining({ code: "FIRMWARE_ELF_INVALID" }),
      );
    }
  });

  it.skipIf(TOOLCHAINS.every(lacks))(
    "of damaged files never throw anything but our error, and take no time",
    () => {
      for (const [toolchain, format] of [
        [TOOLCHAINS[0]!, "-gdwarf-5"],
        [TOOLCHAINS[1]!, "-gdwarf-3"],
      ] as const) {
        if (lacks(toolchain)) continue;
        const app = build(toolchain, format, "-O0");
        app.remove();
        const addresses = [...readElf(app.bytes).functions.entries()].map(({ address }) => address);
        const change = fc.tuple(fc.nat(app.bytes.length - 1), fc.nat(255));
        const changes = fc.tuple(fc.array(change, { minLength: 1, maxLength: 40 }), fc.nat(app.bytes.length));
        fc.assert(
          fc.property(changes, ([edits, length]) => {
            const bytes = Uint8Array.from(app.bytes);
            for (const [at, value] of edits) bytes[at] = value;
            const startMs = performance.now();
            // Half of the files are cut as well.
            attempt(edits.length % 2 === 0 ? bytes : bytes.subarray(0, length), addresses);
            expect(performance.now() - startMs).toBeLessThan(30_000);
          }),
          { numRuns: Number(process.env["FLEETRIG_FUZZ_RUNS"] ?? 600) },
        );
      }
    },
  );

  it.skipIf(TOOLCHAINS.every(lacks))(
    "have no line rather than an error where the table of lines is damaged",
    () => {
      const toolchain = TOOLCHAINS.find((one) => !lacks(one))!;
      for (const format of ["-gdwarf-3", "-gdwarf-5"]) {
        const app = build(toolchain, format, "-O2");
        app.remove();
        const elf = readElf(app.bytes);
        const line = elf.section(".debug_line")!;
        const [lineText, text] = [elf.section(".debug_line_str"), elf.section(".debug_str")];
        const addresses = [...elf.functions.entries()].map(({ address }) => address);
        const edits = fc.array(fc.tuple(fc.nat(line.length - 1), fc.nat(255)), { maxLength: 12 });
        fc.assert(
          fc.property(edits, fc.nat(line.length), (changes, length) => {
            const bytes = Uint8Array.from(line.subarray(0, changes.length % 3 === 0 ? length : line.length));
            for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
            const table = new LineTable({ line: bytes, lineText, text });
            for (const address of addresses) {
              const found = table.at(address);
              if (found !== undefined) expect(found.line).not.toBe(0);
            }
          }),
          { numRuns: Number(process.env["FLEETRIG_FUZZ_RUNS"] ?? 600) },
        );
      }
    },
  );
});

function attempt(bytes: Uint8Array, addresses: readonly number[]): void {
  try {
    const decoder = new AddressDecoder(bytes);
    for (const address of addresses) decoder.decode(address);
  } catch (error) {
    if (!(error instanceof FleetrigError)) throw error;
    expect(error.code).toBe("FIRMWARE_ELF_INVALID");
  }
}
