import { renderJunit } from "fleetrig/reports";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HOSTILE_NAMES, hostileSuite } from "../reports/render/hostile-records.js";
import { isBrowserMissing, launch, open } from "./chromium.js";

describe("the JUnit report before a strict XML parser", () => {
  let browser: Browser;
  beforeAll(async () => {
    if (!isBrowserMissing) browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
  });

  it.skipIf(isBrowserMissing)("is well formed whatever the names, and counts what it holds", async () => {
    const { page, context } = await open(browser, "<!doctype html><title>parser</title>");
    const read = await page.evaluate((xml) => {
      const scope = globalThis as unknown as {
        DOMParser: new () => { parseFromString(text: string, type: string): XmlNode };
      };
      interface XmlNode {
        querySelector(selector: string): XmlNode | null;
        querySelectorAll(selector: string): ArrayLike<XmlNode>;
        getAttribute(name: string): string | null;
        readonly textContent: string | null;
      }
      const parsed = new scope.DOMParser().parseFromString(xml, "application/xml");
      const root = parsed.querySelector("testsuites");
      const count = (selector: string): number => parsed.querySelectorAll(selector).length;
      return {
        error: parsed.querySelector("parsererror")?.textContent ?? null,
        told: ["tests", "failures", "errors", "skipped"].map((name) => Number(root?.getAttribute(name))),
        held: ["testcase", "testcase > failure", "testcase > error", "testcase > skipped"].map(count),
        names: Array.from(parsed.querySelectorAll("testsuite"), (each) => each.getAttribute("name")),
      };
    }, renderJunit(hostileSuite()));
    expect(read.error).toBeNull();
    expect(read.held).toEqual(read.told);
    expect(read.names.slice(0, 2)).toEqual([
      `${HOSTILE_NAMES[0]} [${HOSTILE_NAMES[0]}] seed 42`,
      `${HOSTILE_NAMES[1]} [${HOSTILE_NAMES[1]}] seed 42`,
    ]);
    await context.close();
  });
});
