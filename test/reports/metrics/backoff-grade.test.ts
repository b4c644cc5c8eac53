import { createRandomSource } from "fleetrig/kernel";
import { type BackoffGrade, gradeBackoff, gradeGroup } from "fleetrig/reports";
import { describe, expect, it } from "vitest";

const capped = (attempt: number): number => Math.min(60, 2 ** attempt);
const gaps = (count: number, gap: (attempt: number) => number): number[] =>
  Array.from({ length: count }, (_, i) => gap(i));

describe("gradeBackoff", () => {
  it.each([
    ["constant", gaps(5, () => 1)],
    ["constant", gaps(6, (i) => 1 + 0.02 * (i % 2))],
    ["constant", [1, 2, 4, 4, 4, 4]],
    ["linear", gaps(5, (i) => 1 + i)],
    ["linear", gaps(12, (i) => Math.min(6, 1 + i))],
    ["exponential", gaps(5, (i) => 2 ** i)],
    ["exponential", gaps(9, capped)],
    ["exponential", gaps(6, (i) => 1.5 ** i * (1 + 0.01 * (i % 2)))],
    ["jittered", [0.4, 1.9, 0.7, 6, 3]],
    ["jittered", [9, 7, 5, 3, 1]],
    ["jittered", [1.7, 3.1, 47.2, 48.9, 47.5]],
  ] as const)("finds %s in %j", (grade, sequence) => {
    expect(gradeBackoff(sequence)).toBe(grade);
  });

  it("says nothing with fewer than five gaps", () => {
    expect(gradeBackoff([1, 1, 1, 1])).toBeUndefined();
  });

  const policies: Record<string, (random: () => number) => number[]> = {
    "full-jitter": (random) => gaps(5 + Math.floor(random() * 4), (i) => random() * capped(i)),
    "equal-jitter": (random) => gaps(5 + Math.floor(random() * 4), (i) => (0.5 + random() / 2) * capped(i)),
    decorrelated: (random) => {
      let previous = 1;
      return gaps(
        5 + Math.floor(random() * 4),
        () => (previous = Math.min(60, 1 + random() * (3 * previous - 1))),
      );
    },
  };

  it.each(Object.keys(policies))("grades a fleet of 2,000 devices with %s as jittered", (policy) => {
    for (let seed = 1; seed <= 5; seed += 1) {
      const stream = createRandomSource(seed).stream(policy);
      const grades = gaps(2000, () => 0).map(() => gradeBackoff(policies[policy]!(() => stream.fraction()))!);
      expect(gradeGroup(grades)).toBe("jittered");
    }
  });
});

describe("gradeGroup", () => {
  const fleet = (counts: Partial<Record<BackoffGrade, number>>): BackoffGrade[] =>
    Object.entries(counts).flatMap(([grade, count]) =>
      Array.from({ length: count }, () => grade as BackoffGrade),
    );

  it.each([
    [{ jittered: 2000, constant: 30 }, "jittered"],
    [{ jittered: 2000, constant: 60 }, "constant"],
    [{ jittered: 2000, constant: 30, exponential: 30 }, "exponential"],
    [{ jittered: 30, constant: 1 }, "jittered"],
    [{ jittered: 1, constant: 1 }, "constant"],
    [{ linear: 1 }, "linear"],
  ] as const)("grades %j as %s", (counts, grade) => {
    expect(gradeGroup(fleet(counts))).toBe(grade);
  });

  it("has no grade without devices", () => {
    expect(gradeGroup([])).toBeUndefined();
  });
});
