import { renderHtml } from "fleetrig/reports";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HOSTILE_NAMES, hostileSuite } from "../reports/render/hostile-records.js";
import {
  brokenRun,
  rolloutRun,
  run,
  stormRun,
  suite,
  sweep,
  untrustedRun,
} from "../reports/render/records.js";
import { isBrowserMissing, launch, noIncidents, open } from "./chromium.js";
import { lowContrastTexts } from "./contrast.js";

const everything = suite(
  [run(), stormRun(), rolloutRun(), untrustedRun(), brokenRun()],
  [sweep(), sweep({ variant: "control" })],
);

describe("the HTML report in a browser", () => {
  let browser: Browser;
  beforeAll(async () => {
    if (!isBrowserMissing) browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
  });

  it.skipIf(isBrowserMissing)("runs nothing and asks for nothing on behalf of hostile names", async () => {
    const { page, context, incidents } = await open(browser, renderHtml(hostileSuite()));
    await page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true");
    await page.locator(".chart .canvas").first().hover();
    expect(incidents).toEqual(noIncidents);
    await context.close();
  });

  it.skipIf(isBrowserMissing)("lets no script run but its own", async () => {
    const { page, context, incidents } = await open(browser, renderHtml(suite([run()])));
    await page.evaluate(
      "const script = document.createElement('script'); script.textContent = 'alert(1)'; document.body.append(script)",
    );
    expect(incidents.dialogs).toEqual([]);
    expect(incidents.console.join()).toContain("Content Security Policy");
    await context.close();
  });

  it.skipIf(isBrowserMissing)("shows hostile names as text", async () => {
    const { page, context } = await open(browser, renderHtml(hostileSuite()));
    const titles = await page.locator("article h2 > bdi").allTextContents();
    expect(titles.slice(3)).toHaveLength(HOSTILE_NAMES.length);
    expect(titles).toEqual(
      expect.arrayContaining([
        "<img src=x onerror=alert(1)>",
        '"><script>alert(1)</script>',
        "</title></style></script><script>alert(1)</script>",
        "redlink",
        "gnp.exe isolated",
        "שלום עולם",
      ]),
    );
    expect(await page.locator("img, iframe, object, embed, form").count()).toBe(0);
    expect(await page.locator("script").count()).toBe(1);
    await context.close();
  });

  it.skipIf(isBrowserMissing)("shows charts, tables and commands without scripts", async () => {
    const { page, context } = await open(browser, renderHtml(everything), { javaScriptEnabled: false });
    expect(await page.locator("figure.chart svg").count()).toBeGreaterThan(15);
    for (const chart of await page.locator("figure.chart svg").all()) {
      const box = await chart.boundingBox();
      expect(box!.width).toBeGreaterThan(300);
      expect(box!.height).toBeGreaterThan(50);
    }
    expect(await page.getByRole("table").count()).toBeGreaterThan(15);
    expect(await page.locator(".replay code").first().textContent()).toContain("fleetrig run");
    expect(await page.locator("button:visible").count()).toBe(0);
    await context.close();
  });

  it.skipIf(isBrowserMissing).each([360, 768, 1920])(
    "fits %d px without scrolling sideways",
    async (width) => {
      for (const html of [renderHtml(everything), renderHtml(hostileSuite())]) {
        const { page, context } = await open(browser, html, { viewport: { width, height: 800 } });
        expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(width);
        await context.close();
      }
    },
  );

  it.skipIf(isBrowserMissing).each(["light", "dark"] as const)(
    "keeps 4.5:1 contrast for every text in the %s scheme",
    async (colorScheme) => {
      const { page, context } = await open(browser, renderHtml(everything), { colorScheme });
      expect(await page.evaluate(lowContrastTexts)).toEqual([]);
      await context.close();
    },
  );

  it.skipIf(isBrowserMissing)("switches its scheme, reads values off a chart and sorts a table", async () => {
    const { page, context, incidents } = await open(browser, renderHtml(everything));
    const background = (): Promise<unknown> =>
      page.evaluate("getComputedStyle(document.body).backgroundColor");
    const light = await background();
    await page.getByRole("button", { name: "Dark" }).click();
    expect(await background()).not.toBe(light);

    await page.locator("#run-1-traffic .canvas").hover();
    expect(await page.locator("#run-1-traffic .tip").textContent()).toMatch(
      /^2:45sent \d+\/sreceived \d+\/s$/,
    );

    await page.getByRole("button", { name: "Scenario" }).click();
    const first = page.locator("table.overview tbody tr").first();
    expect(await first.textContent()).toContain("boards");
    expect(incidents).toEqual(noIncidents);
    await context.close();
  });

  it.skipIf(isBrowserMissing)("can be walked through by its landmarks, headings and names", async () => {
    const { page, context } = await open(browser, renderHtml(everything));
    expect(await page.getByRole("main").count()).toBe(1);
    expect(await page.getByRole("banner").count()).toBe(1);
    expect(await page.getByRole("contentinfo").count()).toBe(1);
    expect(await page.getByRole("heading", { level: 1 }).count()).toBe(1);
    expect(await page.locator("table:not(:has(caption))").count()).toBe(0);
    expect(await page.locator("figure.chart svg:not([aria-label])").count()).toBe(0);
    const ids = await page.evaluate<string[]>(
      "[...document.querySelectorAll('[id]')].map((node) => node.id)",
    );
    expect(new Set(ids).size).toBe(ids.length);
    const targets = await page.evaluate<string[]>(
      "[...document.querySelectorAll('a')].map((a) => a.hash.slice(1))",
    );
    expect(targets.filter((target) => !ids.includes(target))).toEqual([]);
    await context.close();
  });
});
