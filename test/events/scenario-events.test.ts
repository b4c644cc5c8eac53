import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { runText } from "../determinism/run-text.js";

const OTA = readFileSync("scenarios/library/ota-rollout-abort.yaml", "utf8").replace(
  "count: 1000",
  "count: 20",
);

/** Topics below $aws/events/ that a run would tell of, presence aside. */
async function eventsOf(services: string): Promise<ReadonlySet<string>> {
  const topics = new Set<string>();
  await runText(OTA.replace("services: { shadows: true, jobs: true }", `services: ${services}`), {
    prepared: ({ cloud }) =>
      cloud!.broker.addHooks({
        listensTo: (topic) => topic.startsWith("$aws/events/job"),
        message({ topic }) {
          if (topic.startsWith("$aws/events/job")) topics.add(topic.split("/").slice(0, 4).join("/"));
          return "broker";
        },
      }),
  });
  return topics;
}

describe("scenarios", () => {
  it("publish job events only if they say so", async () => {
    expect(await eventsOf("{ shadows: true, jobs: true }")).toEqual(new Set());
    expect(await eventsOf("{ shadows: true, jobs: true, events: [JOB, JOB_EXECUTION] }")).toEqual(
      new Set(["$aws/events/job/fw-2-4-0", "$aws/events/jobExecution/fw-2-4-0"]),
    );
  });

  it("refuse events that AWS does not have", async () => {
    await expect(eventsOf("{ shadows: true, jobs: true, events: [PRESENCE] }")).rejects.toThrow(
      "Expected one of THING",
    );
  });
});
