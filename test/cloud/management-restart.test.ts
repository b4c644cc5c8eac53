import { Cloud } from "fleetrig/broker";
import { createRandomSource, VirtualTime } from "fleetrig/kernel";
import { describe, expect, it } from "vitest";
import { RecordsOnDisk } from "../jobs/bench.js";

const SECOND_US = 1_000_000;
const PREFIX = "arn:aws:iot:us-east-1:000000000000";
const targetArn = `${PREFIX}:thing/t1`;
const roleArn = "arn:aws:iam::000000000000:role/r";
const location = { bucket: "firmware", key: "image" };

/** A cloud that goes on with what is on the disk, in the same time. */
function start(disk: RecordsOnDisk, time: VirtualTime): Cloud {
  const cloud = new Cloud({ time, random: createRandomSource(1), journal: disk });
  disk.moveTo(cloud.records);
  cloud.management.artifacts.store.put(location, Buffer.alloc(100));
  return cloud;
}

describe("device management after a restart", () => {
  it("has its templates, commands, executions, streams and updates", async () => {
    const [disk, time] = [new RecordsOnDisk(), new VirtualTime()];
    const first = start(disk, time);
    first.registry.createThing({ thingName: "t1" });
    const { management } = first;
    management.jobTemplates.create({ jobTemplateId: "tpl", description: "d", document: "{}" });
    management.streams.create({ streamId: "s", files: [{ fileId: 0, s3Location: location }], roleArn });
    management.commands.create({ commandId: "c", payload: { content: Uint8Array.of(0, 255) } });
    const file = {
      fileName: "a",
      fileLocation: { s3Location: location },
      codeSigning: { customCodeSigning: { signature: { inlineDocument: Uint8Array.of(1, 2) } } },
    };
    const order = { otaUpdateId: "u", targets: [targetArn], files: [file], roleArn };
    management.otaUpdates.create(order, first.account);
    const seen = ({ management: { jobTemplates, streams, commands, otaUpdates }, jobs }: Cloud) => ({
      templates: jobTemplates.all(),
      streams: streams.all(),
      commands: commands.all(),
      updates: otaUpdates.all(),
      jobs: jobs.listJobs(),
    });
    const before = seen(first);
    await first.stop();
    expect(seen(start(disk, time))).toEqual(before);
  });

  it("follows dynamic groups as before: nobody joins twice", async () => {
    const [disk, time] = [new RecordsOnDisk(), new VirtualTime()];
    const first = start(disk, time);
    const thingIndexingConfiguration = { thingIndexingMode: "REGISTRY" as const };
    first.indexing.updateIndexingConfiguration({ thingIndexingConfiguration });
    const attributes = { site: "hq" };
    for (const thingName of ["t1", "t2"]) first.registry.createThing({ thingName, attributes });
    first.registry.dynamicGroups.create({ thingGroupName: "hq", queryString: "attributes.site:hq" });
    time.advance(60 * SECOND_US);
    const targets = [`${PREFIX}:thinggroup/hq`];
    first.jobs.createJob({ jobId: "j", targets, document: {}, targetSelection: "CONTINUOUS" });
    time.advance(60 * SECOND_US);
    expect(first.jobs.progress("j").counts.QUEUED).toBe(2);
    await first.stop();
    const second = start(disk, time);
    time.advance(60 * SECOND_US);
    expect(second.jobs.progress("j").counts.QUEUED).toBe(2);
    second.registry.updateThing({ thingName: "t1", attributes: { site: "lab" } });
    time.advance(60 * SECOND_US);
    expect(second.jobs.progress("j").counts).toMatchObject({ QUEUED: 1, REMOVED: 1 });
  });

  it("times executions out that were under way, and deletes commands when their time has come", async () => {
    const [disk, time] = [new RecordsOnDisk(), new VirtualTime()];
    const first = start(disk, time);
    first.registry.createThing({ thingName: "t1" });
    const { commands, executions } = first.management;
    commands.create({ commandId: "c", payload: { content: Uint8Array.of(1) } });
    const request = { targetArn, commandArn: `${PREFIX}:command/c` };
    const short = executions.start(request).executionId;
    const long = executions.start({ ...request, executionTimeoutSeconds: 60, clientToken: "x" }).executionId;
    commands.delete("c");
    await first.stop();
    time.advance(30 * SECOND_US);
    const second = start(disk, time).management;
    time.advance(1);
    expect(second.executions.get(short, targetArn).status).toBe("TIMED_OUT");
    expect(second.executions.get(long, targetArn).status).toBe("CREATED");
    const again = { ...request, executionTimeoutSeconds: 60, clientToken: "x" };
    expect(second.executions.start(again).executionId).toBe(long);
    time.advance(30 * SECOND_US);
    expect(second.executions.get(long, targetArn).status).toBe("TIMED_OUT");
    time.advance(12 * 3600 * SECOND_US);
    expect(second.commands.find("c")).toBeUndefined();
  });
});
