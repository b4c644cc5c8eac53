import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from "playwright-core";
import { lacksFiles } from "../rigs.js";

/** Debian's browser, driven without a download of our own. */
const EXECUTABLE = "/usr/bin/chromium";

const ARGUMENTS = [
  "--headless=new",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Where the rigs are required a missing browser is a failure; elsewhere the tests are skipped and say so. */
export const isBrowserMissing = lacksFiles(EXECUTABLE);

export const launch = (): Promise<Browser> =>
  chromium.launch({ executablePath: EXECUTABLE, args: ARGUMENTS });

/** What a page did that a report must never do. */
export interface Incidents {
  readonly dialogs: string[];
  readonly console: string[];
  readonly requests: string[];
}

export interface OpenedPage {
  readonly page: Page;
  readonly context: BrowserContext;
  readonly incidents: Incidents;
}

/** An address that leads nowhere: the page is handed over by the test, everything else is recorded and refused. */
const ADDRESS = "http://report.invalid/";

export async function open(
  browser: Browser,
  html: string,
  options: BrowserContextOptions = {},
): Promise<OpenedPage> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const incidents: Incidents = { dialogs: [], console: [], requests: [] };
  await context.route("**/*", async (route) => {
    const url = route.request().url();
    if (url === ADDRESS) return route.fulfill({ body: html, contentType: "text/html; charset=utf-8" });
    incidents.requests.push(url);
    return route.abort();
  });
  const page = await context.newPage();
  page.on("dialog", (dialog) => {
    incidents.dialogs.push(dialog.message());
    void dialog.dismiss();
  });
  page.on("console", (message) => incidents.console.push(message.text()));
  page.on("pageerror", (error) => incidents.console.push(error.message));
  await page.goto(ADDRESS, { waitUntil: "load" });
  return { page, context, incidents };
}

export const noIncidents: Incidents = { dialogs: [], console: [], requests: [] };
