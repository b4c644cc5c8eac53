import { describe, expect, it } from "vitest";
import { type ApiWorld, startApi } from "../api/api-client.js";
import { PaperJournal } from "../records/paper-journal.js";

const TEMPLATE = JSON.stringify({
  Parameters: { Name: { Type: "String" }, Site: { Type: "String", Default: "WA" } },
  Resources: {
    thing: {
      Type: "AWS::IoT::Thing",
      Properties: { ThingName: { Ref: "Name" }, AttributePayload: { site: { Ref: "Site" } } },
    },
  },
});
const TASK = {
  templateBody: TEMPLATE,
  inputFileBucket: "factory",
  inputFileKey: "lots/1.json",
  roleArn: "arn:aws:iam::000000000000:role/bulk",
};
const PATH = "/thing-registration-tasks";
const namesOf = (count: number): object[] =>
  Array.from({ length: count }, (_, index) => ({ Name: `t${index}` }));

async function started(lines: readonly unknown[], options = {}): Promise<ApiWorld & { taskId: string }> {
  const world = startApi(options);
  const text = lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n");
  world.cloud.management.artifacts.store.put({ bucket: "factory", key: "lots/1.json" }, Buffer.from(text));
  const { taskId } = await world.ok("POST", PATH, TASK);
  return { ...world, taskId: taskId as string };
}

function linesOf({ cloud, taskId }: ApiWorld & { taskId: string }, type: string): unknown[] {
  const key = `${taskId}/${type}.json`;
  const report = cloud.management.artifacts.store.find({ bucket: "thing-registration-reports", key })!;
  const text = Buffer.from(report.read(0, report.sizeBytes)).toString();
  return text
    .trim()
    .split("\n")
    .map((line): unknown => JSON.parse(line));
}

describe("bulk registration", () => {
  it("registers a thing per line, and reports what became of each", async () => {
    const world = await started([
      { Name: "a", Site: "OR" },
      { Name: "not a name" },
      "",
      "{",
      { Site: "OR" },
      { Name: 1 },
      { Name: "b" },
    ]);
    world.time.advance(1);
    expect(await world.ok("GET", `${PATH}/${world.taskId}`)).toEqual({
      ...TASK,
      taskId: world.taskId,
      status: "Completed",
      successCount: 2,
      failureCount: 4,
      percentageProgress: 100,
      creationDate: expect.any(Number),
      lastModifiedDate: expect.any(Number),
    });
    expect(world.cloud.registry.describeThing("a").attributes).toEqual({ site: "OR" });
    expect(linesOf(world, "RESULTS")).toEqual([
      {
        lineNumber: 1,
        offset: 0,
        response: { ResourceArns: { thing: "arn:aws:iot:us-east-1:000000000000:thing/a" } },
      },
      expect.objectContaining({ lineNumber: 7 }),
    ]);
    expect(linesOf(world, "ERRORS")).toMatchObject([
      { lineNumber: 2, errorCode: "ResourceRegistrationFailureException" },
      { lineNumber: 4, errorCode: "InvalidRequestException", errorMessage: "The line is no JSON object." },
      { lineNumber: 5, errorMessage: "Parameter Name has no value." },
      { lineNumber: 6, errorMessage: "Parameter Name is not text." },
    ]);
    const { resourceLinks } = await world.ok("GET", `${PATH}/${world.taskId}/reports?reportType=ERRORS`);
    expect(resourceLinks).toEqual([expect.stringContaining(`${world.taskId}/ERRORS.json`)]);
  });

  it("lets others have their turn, one task at a time, and can be cancelled", async () => {
    const world = await started(namesOf(100));
    expect((await world.refused("POST", PATH, TASK)).name).toBe("InvalidRequestException");
    world.time.runUntil(world.time.nowUs(), 2);
    expect(await world.ok("GET", `${PATH}/${world.taskId}`)).toMatchObject({
      status: "InProgress",
      successCount: 40,
      percentageProgress: 39,
    });
    expect(await world.ok("GET", `${PATH}/${world.taskId}/reports?reportType=RESULTS`)).toMatchObject({
      resourceLinks: [],
    });
    await world.ok("PUT", `${PATH}/${world.taskId}/cancel`);
    world.time.advance(1_000_000);
    expect(world.cloud.registry.thingCount).toBe(40);
    expect(linesOf(world, "RESULTS")).toHaveLength(40);
    expect((await world.refused("PUT", `${PATH}/${world.taskId}/cancel`)).name).toBe(
      "InvalidRequestException",
    );
    await world.ok("POST", PATH, TASK);
    expect((await world.ok("GET", `${PATH}?status=Cancelled`)).taskIds).toEqual([world.taskId]);
    expect((await world.ok("GET", PATH)).taskIds).toHaveLength(2);
  });

  it.each<[what: string, extras: object]>([
    ["a template that is none", { templateBody: "{}" }],
    ["a file that is not there", { inputFileKey: "lots/2.json" }],
  ])("refuses %s", async (_, extras) => {
    const { refused } = await started([]);
    expect((await refused("POST", PATH, { ...TASK, ...extras })).name).toBe("InvalidRequestException");
  });

  it("does not know of tasks that there are not", async () => {
    expect((await startApi().refused("GET", `${PATH}/x`)).name).toBe("ResourceNotFoundException");
  });

  it("has failed when the process ended before the task", async () => {
    const paper = new PaperJournal();
    const { taskId } = await started(namesOf(100), { journal: paper });
    paper.commit();
    const later = startApi();
    paper.restoreInto(later.cloud.records);
    expect(await later.ok("GET", `${PATH}/${taskId}`)).toMatchObject({
      status: "Failed",
      message: "The process ended before the task.",
    });
  });
});
