import { describe, expect, it } from "vitest";
import { command } from "../cli/command.js";
import { allow, documentOf } from "./statements.js";

const THING = "${iot:Connection.Thing.ThingName}";
const FILES = {
  "good.json": documentOf(allow("iot:Connect", `client/${THING}`)),
  "bad.json": `{\n  "Version": "2012-10-17",\n  "Statement": ${JSON.stringify({ Sid: "All", ...allow("iot:Connect", "*") })}\n}\n`,
  "info.json": documentOf(
    allow("iot:Connect", `client/${THING}`, {
      "ForAllValues:StringEquals": { "iot:ConnectAttributes": "LastWill" },
    }),
  ),
  "text.json": "no policy",
};

describe("fleetrig lint-policy", () => {
  it("ends with 0 when there is nothing to find", async () => {
    expect(await command("lint-policy good.json", FILES)).toMatchObject({
      code: 0,
      stdout: "1 policy: nothing found.\n",
      stderr: "",
    });
  });

  it("ends with 0 when there is nothing worse than information", async () => {
    const { code, stdout } = await command("lint-policy info.json good.json", FILES);
    expect(code).toBe(0);
    expect(stdout).toContain("2 policies: 1 info.");
  });

  it("shows findings with their places, lines and fixes, and ends with 1", async () => {
    const { code, stdout } = await command("lint-policy good.json bad.json", FILES);
    expect(code).toBe(1);
    expect(stdout).toBe(
      [
        "bad.json:3:81 warning: Any client identifier may connect, so one device can take over the connection of every other. (client-id-wildcard)",
        '  2 |   "Version": "2012-10-17",',
        '  3 |   "Statement": {"Sid":"All","Effect":"Allow","Action":"iot:Connect","Resource":["*"]}',
        `    | ${" ".repeat(80)}^^^`,
        "  hint: Write client/${iot:Connection.Thing.ThingName}, or require iot:Connection.Thing.IsAttached.",
        "",
        "2 policies: 1 warning.",
        "",
      ].join("\n"),
    );
  });

  it("writes them as JSON, one per line", async () => {
    const { code, stdout } = await command("lint-policy --json bad.json info.json", FILES);
    expect(code).toBe(1);
    const lines = stdout.trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      {
        file: "bad.json",
        line: 3,
        column: 81,
        severity: "warning",
        code: "client-id-wildcard",
        statement: 0,
        sid: "All",
        message: expect.stringContaining("Any client identifier"),
        fix: expect.stringContaining("Write client/"),
      },
      expect.objectContaining({ file: "info.json", severity: "info", statement: 0 }),
    ]);
  });

  it("says what AWS refuses, with the place", async () => {
    const { code, stdout } = await command("lint-policy text.json", FILES);
    expect(code).toBe(1);
    expect(stdout).toContain(
      'text.json:1:1 error: AWS refuses this document: this is not JSON, unexpected "n". (malformed)',
    );
  });

  it("reads standard input as -", async () => {
    const { code, stdout } = await command("lint-policy -", { "/dev/stdin": FILES["bad.json"] });
    expect(code).toBe(1);
    expect(stdout).toContain("stdin:3:81 warning:");
  });

  it("ends with 2 when a file cannot be read, after it has shown the others", async () => {
    const { code, stdout, stderr } = await command("lint-policy nowhere.json bad.json", FILES);
    expect(code).toBe(2);
    expect(stderr).toContain("CLI_FILE_UNREADABLE");
    expect(stdout).toContain("bad.json:3:81");
    expect(await command("lint-policy", FILES)).toMatchObject({ code: 2 });
  });
});
