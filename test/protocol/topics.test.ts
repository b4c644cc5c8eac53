import {
  hasWildcard,
  isFailure,
  isTopicFilter,
  isTopicName,
  parseSharedFilter,
  reasonName,
  topicMatches,
} from "fleetrig/protocol";
import { describe, expect, it } from "vitest";

describe("topic names and filters", () => {
  it.each([
    ["a/b", true, true],
    ["/", true, true],
    ["a//b", true, true],
    ["a/+/b", false, true],
    ["+", false, true],
    ["#", false, true],
    ["a/#", false, true],
    ["a/#/b", false, false],
    ["a#", false, false],
    ["a+/b", false, false],
    ["", false, false],
    ["a\u0000", false, false],
    ["é".repeat(32_768), false, false],
    ["a".repeat(65_535), true, true],
  ])("judges %j [MQTT-4.7.1-1, 4.7.1-2, 4.7.3-1..3]", (text, isName, isFilter) => {
    expect(isTopicName(text)).toBe(isName);
    expect(isTopicFilter(text)).toBe(isFilter);
  });

  it.each([
    ["a/b", "a/b", true],
    ["a/b", "a/b/c", false],
    ["a/b/c", "a/b", false],
    ["a/+", "a/b", true],
    ["a/+", "a", false],
    ["+/+", "/a", true],
    ["#", "a/b", true],
    ["a/#", "a/b/c", true],
    ["a/#", "b", false],
    ["#", "$aws/things", false],
    ["+/things", "$aws/things", false],
    ["$aws/#", "$aws/things", true],
  ])("matches %s against %s in both profiles: %s [MQTT-4.7.2-1]", (filter, topic, matches) => {
    expect(topicMatches(filter, topic, "oasis")).toBe(matches);
    expect(topicMatches(filter, topic, "aws")).toBe(matches);
  });

  it("matches the parent level with # in the standard, not on AWS IoT", () => {
    expect(topicMatches("a/#", "a", "oasis")).toBe(true);
    expect(topicMatches("a/#", "a", "aws")).toBe(false);
  });

  it("knows wildcards and shared subscriptions [MQTT-4.8.2-1, 4.8.2-2]", () => {
    expect([hasWildcard("a/b"), hasWildcard("a/+"), hasWildcard("#")]).toEqual([false, true, true]);
    expect(parseSharedFilter("$share/group/a/#")).toEqual({ share: "group", filter: "a/#" });
    for (const text of ["a", "$share/group", "$share//a", "$share/a+b/c"])
      expect(parseSharedFilter(text)).toBeUndefined();
  });
});

describe("reason codes", () => {
  it("have names and are failures from 0x80 on (§2.4)", () => {
    expect([isFailure(0x18), isFailure(0x80)]).toEqual([false, true]);
    expect([reasonName(0x8e), reasonName(0x05)]).toEqual(["sessionTakenOver", "0x05"]);
  });
});
