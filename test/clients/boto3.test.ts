import { afterEach, describe, expect, it } from "vitest";
import { lacksBoto3, PYTHON, run } from "../embedding/rigs.js";
import { type CloudUnderTest, startCloudUnderTest } from "./cloud-under-test.js";

const SCRIPT = "test/clients/boto3-session.py";
const KEYS = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };

describe.skipIf(lacksBoto3)("boto3", () => {
  let stage: CloudUnderTest;
  afterEach(() => stage.stop());

  const expectSession = async (url: string, ca: string): Promise<void> => {
    const printed = await run(PYTHON, [SCRIPT, url, ca, KEYS.accessKeyId, KEYS.secretAccessKey]);
    const seen = JSON.parse(printed) as { things: readonly unknown[]; age: number };
    expect(seen).toMatchObject({
      pages: [3, 3, 1],
      filtered: ["boto-3"],
      errors: [
        ["ResourceNotFoundException", 404],
        ["ResourceAlreadyExistsException", 409],
        ["VersionConflictException", 409],
        ["InvalidRequestException", 400],
        ["ResourceNotFoundException", 404],
        ["ResourceNotFoundException", 404],
      ],
      unsupported: ["NotImplementedException", 501],
      kept: true,
      shadow: { desired: { on: true }, delta: { on: true } },
      job: "COMPLETED",
    });
    expect(seen.things).toHaveLength(7);
    expect(Math.abs(seen.age)).toBeLessThan(60);
  };

  it("pages, raises modelled errors, and reads dates and bytes over plain HTTP", async () => {
    stage = await startCloudUnderTest();
    await expectSession(stage.url, "");
  });

  it("does the same over HTTPS with signatures that are checked", async () => {
    stage = await startCloudUnderTest({ credentials: [KEYS] });
    await expectSession(`https://localhost:${stage.server.port("tls")}`, stage.server.caPath);
  });
});
