import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "mqtt";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { command } from "./command.js";
import { build, start } from "./process.js";

describe("fleetrig qualify", () => {
  beforeAll(build, 120_000);

  it("lists its cases and marks AWS's set", async () => {
    const { code, stdout } = await command("qualify --list");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\* MQTT {5}MQTT_Connect +sends CONNECT$/m);
    expect(stdout.match(/^\*/gm)).toHaveLength(7);
  });

  it.each([
    ["qualify", /No device is named/],
    ["qualify --virtual native --listen 127.0.0.1:0", /Several devices/],
    ["qualify --listen nowhere", /is no address/],
    ["qualify --virtual native --out credentials", /--out is for --listen/],
    ["qualify --virtual native --case MQTT_Conect", /MQTT_Connect/],
    ["qualify --virtual native --all --case MQTT_Connect", /two ways/],
    ["qualify --virtual native --report pdf=x", /no report kind/],
    ["qualify --virtual native --timeout 0", /number of seconds/],
  ])("refuses %s", async (line, says) => {
    const { code, stderr } = await command(line);
    expect(code).toBe(2);
    expect(stderr).toMatch(says);
  });

  it("shows the place of what is wrong with a suite", async () => {
    const files = {
      "s.yaml": "version: 1\nname: s\ncases:\n  - id: MQTT_Connect\n    configuration: { RETRIES: 7 }\n",
    };
    const { code, stderr } = await command("qualify --listen 127.0.0.1:0 --suite s.yaml", files);
    expect(code).toBe(2);
    expect(stderr).toContain("s.yaml:5:22 error: MQTT_Connect has no use for RETRIES.");
  });

  it("judges whatever connects, and writes reports", { timeout: 60_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), "fleetrig-qualify-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const cases = ["--case", "MQTT_Connect", "--case", "MQTT_Publish", "--case", "TLS_Connect"];
    const args = [
      "qualify",
      "--listen",
      "mqtt://127.0.0.1:0",
      ...cases,
      "--timeout",
      "3",
      "--report-dir",
      folder,
    ];
    const running = start(args);
    let stderr = "";
    running.child.stderr?.on("data", (text: string) => (stderr += text));
    await running.says("connect the device to");
    const port = /mqtt:\/\/127\.0\.0\.1:(\d+)/.exec(stderr)?.[1];
    const client = connect(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 100 });
    onTestFinished(() => void client.end(true));
    const { code, stdout } = await running.ended;
    expect(code).toBe(1);
    expect(stdout).toContain("3 cases: 1 pass, 1 fail, 1 not applicable");
    const record = JSON.parse(readFileSync(join(folder, "qualification.json"), "utf8")) as {
      cases: { verdict: string }[];
    };
    expect(record.cases.map(({ verdict }) => verdict)).toEqual(["pass", "fail", "not-applicable"]);
    expect(readFileSync(join(folder, "qualification.html"), "utf8")).toContain("The device does not qualify");
  });
});
