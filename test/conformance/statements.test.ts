import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type ConformanceCase, readCaseFiles, readSpecification, SPEC_NAMES } from "./case-file.js";
import { renderPage } from "./page.js";
import { findSentence, readProof } from "./proof.js";
import { SETUPS } from "./setups.js";
import { TRANSPORTS } from "./transports.js";

describe.each(SPEC_NAMES)("statements of %s", (name) => {
  const { statements } = readSpecification(name);
  const cases = readCaseFiles(name).flatMap((file) => file.cases);

  it("are there once each", () => {
    const ids = statements.map(({ id }) => id);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
    expect(ids.length).toBe({ v5: 251, "v3.1.1": 141, aws: 65 }[name]);
  });

  it("are what the cases say they prove", () => {
    const ids = new Set(statements.map(({ id }) => id));
    expect(cases.flatMap(({ proves }) => proves).filter((id) => !ids.has(id))).toEqual([]);
  });

  it("belong to chapters that have a title", () => {
    const prefixes = readSpecification(name).chapters.map(([prefix]) => prefix);
    const isTitled = (section: string): boolean =>
      prefixes.some((prefix) => section === prefix || section.startsWith(`${prefix}.`));
    expect(statements.filter(({ section }) => !isTitled(section))).toEqual([]);
  });

  it("name tests that exist", () => {
    const references = statements.flatMap(({ tests }) => tests);
    expect(references.filter((reference) => !existsSync(reference.split(" › ")[0]!))).toEqual([]);
    expect(references.filter((reference) => !findSentence(reference))).toEqual([]);
  });

  it("say why when they have no proof, and only then", () => {
    const proofs = readProof(name).statements;
    const isWrong = proofs.filter(
      ({ state, statement }) => (state === "open") !== (statement.unproven !== undefined),
    );
    expect(isWrong.map(({ statement }) => statement.id)).toEqual([]);
  });

  it("have cases that are set up by programs and on transports that there are", () => {
    const ways = ["memory", ...TRANSPORTS.map(({ name }) => name)];
    const isUnknown = ({ setup = "guarded", transports = [] }: ConformanceCase): boolean =>
      SETUPS[setup] === undefined || transports.some((name) => !ways.includes(name));
    expect(cases.filter(isUnknown)).toEqual([]);
  });

  it("have cases with names of their own", () => {
    const names = cases.map((each) => each.name);
    expect(names.filter((each, index) => names.indexOf(each) !== index)).toEqual([]);
  });
});

describe("CONFORMANCE.md", () => {
  it("says what the data says (renew it with `npm run conformance`)", () => {
    expect(readFileSync("CONFORMANCE.md", "utf8") === renderPage()).toBe(true);
  });
});
