import { describe, expect, it } from "vitest";
import { type ApiWorld, startApi } from "../api/api-client.js";
import { connectClient } from "../api/memory-client.js";

const PREFIX = "arn:aws:iot:us-east-1:000000000000";
const EPOCH_S = Date.UTC(2026, 0, 1) / 1000;
const s3Location = { bucket: "firmware", key: "v2/image.bin" };
const signature = Buffer.from("signed").toString("base64");
const file = {
  fileName: "/device/image.bin",
  fileType: 1,
  fileVersion: "2",
  fileLocation: { s3Location },
  codeSigning: {
    customCodeSigning: {
      signature: { inlineDocument: signature },
      certificateChain: { certificateName: "cert.pem" },
      hashAlgorithm: "SHA256",
      signatureAlgorithm: "ECDSA",
    },
  },
};
const order = {
  targets: [`${PREFIX}:thing/t1`],
  files: [file],
  roleArn: "arn:aws:iam::000000000000:role/ota",
};

function start(): ApiWorld {
  const world = startApi({ management: { artifacts: { baseUrl: "https://127.0.0.1:8443" } } });
  world.cloud.registry.createThing({ thingName: "t1" });
  world.cloud.management.artifacts.store.put(s3Location, Buffer.alloc(5000, 7));
  return world;
}

const jobDocument = (world: ApiWorld) => {
  const client = connectClient(world, "t1");
  client.publish("$aws/things/t1/jobs/$next/get", {});
  return client.takeJson("$aws/things/t1/jobs/$next/get/accepted")[0].execution.jobDocument;
};

describe("an over-the-air update", () => {
  it("is a job with FreeRTOS's document and a stream of its files", async () => {
    const world = start();
    const { ok } = world;
    expect(await ok("POST", "/otaUpdates/u1", order)).toEqual({
      otaUpdateId: "u1",
      awsIotJobId: "AFR_OTA-u1",
      otaUpdateArn: `${PREFIX}:otaupdate/u1`,
      awsIotJobArn: `${PREFIX}:job/AFR_OTA-u1`,
      otaUpdateStatus: "CREATE_PENDING",
    });
    expect(jobDocument(world)).toEqual({
      afr_ota: {
        protocols: ["MQTT"],
        streamname: "AFR_OTA-u1",
        files: [
          {
            filepath: "/device/image.bin",
            filesize: 5000,
            fileid: 0,
            certfile: "cert.pem",
            fileType: 1,
            "sig-sha256-ecdsa": signature,
          },
        ],
      },
    });
    const client = connectClient(world, "t1");
    client.publish("$aws/things/t1/streams/AFR_OTA-u1/get/json", { f: 0, l: 4096, n: 2 });
    const blocks = client.takeJson("$aws/things/t1/streams/AFR_OTA-u1/data/json");
    expect(blocks.map(({ l }) => l)).toEqual([4096, 904]);
    expect(await ok("GET", "/otaUpdates/u1")).toMatchObject({
      otaUpdateInfo: {
        otaUpdateId: "u1",
        creationDate: EPOCH_S,
        otaUpdateStatus: "CREATE_COMPLETE",
        awsIotJobId: "AFR_OTA-u1",
        otaUpdateFiles: [file],
        targets: order.targets,
        protocols: ["MQTT"],
      },
    });
    expect(await ok("GET", "/otaUpdates")).toEqual({
      otaUpdates: [{ otaUpdateId: "u1", otaUpdateArn: `${PREFIX}:otaupdate/u1`, creationDate: EPOCH_S }],
    });
    expect(await ok("GET", "/otaUpdates?otaUpdateStatus=CREATE_FAILED")).toEqual({ otaUpdates: [] });
  });

  it("has presigned URLs over HTTP, and hands the job its settings", async () => {
    const world = start();
    await world.ok("POST", "/otaUpdates/u1", {
      ...order,
      protocols: ["HTTP"],
      awsJobPresignedUrlConfig: { expiresInSec: 60 },
      awsJobTimeoutConfig: { inProgressTimeoutInMinutes: 5 },
      awsJobExecutionsRolloutConfig: { maximumPerMinute: 9 },
      awsJobAbortConfig: {
        abortCriteriaList: [
          { failureType: "ALL", action: "CANCEL", thresholdPercentage: 10, minNumberOfExecutedThings: 1 },
        ],
      },
    });
    const { files, streamname } = jobDocument(world).afr_ota;
    expect(streamname).toBeUndefined();
    expect(files[0].auth_scheme).toBe("aws.s3.presigned");
    expect(files[0].update_data_url).toMatch(
      /^https:\/\/127\.0\.0\.1:8443\/firmware\/v2\/image\.bin\?.*Expires=60/,
    );
    expect(await world.ok("GET", "/jobs/AFR_OTA-u1")).toMatchObject({
      job: {
        timeoutConfig: { inProgressTimeoutInMinutes: 5 },
        jobExecutionsRolloutConfig: { maximumPerMinute: 9 },
        abortConfig: { criteriaList: [{ failureType: "ALL" }] },
        presignedUrlConfig: { expiresInSec: 60 },
      },
    });
    expect(await world.ok("GET", "/streams")).toEqual({ streams: [] });
  });

  it("can take its files from a stream that is there", async () => {
    const world = start();
    await world.ok("POST", "/streams/mine", { files: [{ fileId: 9, s3Location }], roleArn: order.roleArn });
    const files = [{ fileName: "a", fileLocation: { stream: { streamId: "mine", fileId: 9 } } }];
    await world.ok("POST", "/otaUpdates/u1", { ...order, files });
    expect(jobDocument(world).afr_ota).toMatchObject({
      streamname: "mine",
      files: [{ fileid: 9, filesize: 5000 }],
    });
    await world.ok("DELETE", "/otaUpdates/u1?deleteStream=true&forceDeleteAWSJob=true");
    expect(await world.ok("GET", "/streams/mine")).toBeDefined();
  });

  it("is deleted with its job, and with its stream if asked", async () => {
    const { ok, refused } = start();
    await ok("POST", "/otaUpdates/u1", order);
    expect(await refused("DELETE", "/otaUpdates/u1")).toMatchObject({ name: "InvalidRequestException" });
    await ok("DELETE", "/otaUpdates/u1?deleteStream=true&forceDeleteAWSJob=true");
    for (const path of ["/otaUpdates/u1", "/jobs/AFR_OTA-u1", "/streams/AFR_OTA-u1"])
      expect(await refused("GET", path)).toMatchObject({ name: "ResourceNotFoundException", status: 404 });
  });

  it.each([
    ["a file without a location", { files: [{ fileName: "a" }] }, "InvalidRequestException"],
    [
      "a file that does not exist",
      { files: [{ fileLocation: { s3Location: { bucket: "firmware", key: "x" } } }] },
      "InvalidRequestException",
    ],
    ["AWS Signer", { files: [{ ...file, codeSigning: { awsSignerJobId: "x" } }] }, "NotImplementedException"],
    ["a target that does not exist", { targets: [`${PREFIX}:thing/t9`] }, "ResourceNotFoundException"],
    [
      "a stream that does not exist",
      { files: [{ fileLocation: { stream: { streamId: "x", fileId: 0 } } }] },
      "ResourceNotFoundException",
    ],
  ])("is refused with %s, and leaves nothing behind", async (_, change, name) => {
    const { ok, refused } = start();
    expect(await refused("POST", "/otaUpdates/u1", { ...order, ...change })).toMatchObject({ name });
    expect(await ok("GET", "/streams")).toEqual({ streams: [] });
    expect(await ok("GET", "/jobs")).toEqual({ jobs: [] });
  });

  it("exists once", async () => {
    const { ok, refused } = start();
    await ok("POST", "/otaUpdates/u1", order);
    expect(await refused("POST", "/otaUpdates/u1", order)).toMatchObject({
      name: "ResourceAlreadyExistsException",
      status: 409,
    });
  });
});
