import type { Browser, Page } from "playwright-core";
import mqtt from "mqtt";
import { type CloudServer, createCloudServer } from "fleetrig/broker";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { build } from "../cli/process.js";
import { isBrowserMissing, launch } from "./chromium.js";
import { lowContrastTexts } from "./contrast.js";

const TOKEN = "a-token-of-the-console-test";
/** A name as an attacker would choose it. */
const HOSTILE = "<img src=x onerror=alert(1)>";

describe.skipIf(isBrowserMissing)("the console in a browser", () => {
  let browser: Browser;
  let server: CloudServer;
  let page: Page;
  const incidents: string[] = [];
  const stops: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    // The page's scripts are served as the compiler left them.
    build();
    browser = await launch();
  }, 120_000);
  afterAll(async () => browser?.close());

  beforeEach(async () => {
    server = await createCloudServer({
      token: TOKEN,
      ports: { mqtt: 0, http: 0, mqtts: "off", tls: "off", https: "off" },
      cloud: { access: {} },
    });
    stops.push(() => server.stop());
    const context = await browser.newContext();
    stops.push(() => context.close());
    page = await context.newPage();
    incidents.length = 0;
    page.on("dialog", (dialog) => {
      incidents.push(`dialog ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on("console", (message) => {
      if (message.type() === "error") incidents.push(message.text());
    });
    page.on("pageerror", (error) => incidents.push(String(error)));
    page.on("request", (request) => {
      const { origin } = new URL(request.url());
      if (!request.url().startsWith("data:") && origin !== server.endpoints.http)
        incidents.push(request.url());
    });
  });
  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
  });

  const open = (): Promise<unknown> => page.goto(`${server.consoleUrl}#token=${TOKEN}`);
  const tab = (name: string): Promise<void> => page.getByRole("button", { name, exact: true }).click();
  const connect = async (clientId: string) => {
    const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${server.port("mqtt")}`, {
      clientId,
      protocolVersion: 5,
      reconnectPeriod: 0,
    });
    stops.push(() => client.endAsync(true));
    return client;
  };

  it("shows who is connected, names of attackers as text, and ends a connection", async () => {
    const client = await connect(HOSTILE);
    const closed = new Promise<void>((resolve) => client.once("close", () => resolve()));
    await open();
    await page.getByRole("cell", { name: HOSTILE }).waitFor();
    await page.getByRole("button", { name: "Disconnect" }).click();
    await closed;
    expect(incidents).toEqual([]);
  });

  it("keeps the token out of the address, and asks for it where it is missing", async () => {
    await open();
    await page.getByText("0 clients with a session").waitFor();
    expect(page.url()).not.toContain(TOKEN);
    const stranger = await (await browser.newContext()).newPage();
    await stranger.goto(server.consoleUrl!);
    await stranger.getByText("it carries the token").waitFor();
    await stranger.context().close();
  });

  it("shows a thing's shadow side by side, and changes what is desired", async () => {
    const { registry, shadows } = server.cloud;
    registry.createThing({ thingName: "lamp-1", attributes: { site: "a" } });
    shadows.update({
      thing: "lamp-1",
      payload: { state: { desired: { on: true, hue: 3 }, reported: { on: false } } },
    });
    await open();
    await tab("Things");
    await page.getByRole("button", { name: "lamp-1" }).click();
    await page.getByRole("heading", { name: "Classic shadow, version 1" }).waitFor();
    expect(await page.locator(".column", { hasText: "Delta" }).innerText()).toContain('"on": true');
    const area = page.getByLabel("Desired state of the classic shadow");
    await area.fill('{"on": false}');
    await page.getByRole("button", { name: "Update desired" }).click();
    await page.getByRole("heading", { name: "Classic shadow, version 2" }).waitFor();
    expect(shadows.document({ thing: "lamp-1" })?.desired?.state).toEqual({ on: false });
    await area.fill("{");
    await page.getByRole("button", { name: "Update desired" }).click();
    await page.getByText("JSON").first().waitFor();
    expect(incidents).toEqual([]);
  });

  it("shows how far a rollout is", async () => {
    const { registry, jobs } = server.cloud;
    for (const thingName of ["t1", "t2"]) registry.createThing({ thingName });
    jobs.createJob({ jobId: "fw-1", targets: ["t1", "t2"], document: "{}" });
    await open();
    await tab("Jobs");
    await page.getByRole("cell", { name: "fw-1" }).waitFor();
    await page.getByText("2 queued").waitFor();
    expect(incidents).toEqual([]);
  });

  it("publishes and follows messages like a client", async () => {
    const client = await connect("c1");
    await client.subscribeAsync("hello/#");
    const received = new Promise<string>((resolve) =>
      client.once("message", (_topic, payload) => resolve(String(payload))),
    );
    await open();
    await tab("Messages");
    await page.getByLabel("Topic filter").fill("hello/#");
    await page.getByRole("button", { name: "Subscribe" }).click();
    await page.getByText("Following hello/#.").waitFor();
    await page.getByLabel("Topic", { exact: true }).fill("hello/world");
    await page.getByLabel("Payload").fill("from the page");
    await page.getByRole("button", { name: "Publish" }).click();
    expect(await received).toBe("from the page");
    await client.publishAsync("hello/back", HOSTILE);
    await page.getByText(HOSTILE).waitFor();
    await page.getByLabel("Topic filter").fill("a/#/b");
    await page.getByRole("button", { name: "Subscribe" }).click();
    await page.getByText("is no topic filter").waitFor();
    expect(incidents.filter((incident) => !incident.includes("400"))).toEqual([]);
  });

  it("says what was refused, to whom and why", async () => {
    server.cloud.access!.denials.unproven(
      { principal: "ab".repeat(32), clientId: "intruder" },
      { action: "iot:Connect", resource: "client/intruder", reason: "The certificate is not known." },
    );
    await open();
    await tab("Denials");
    await page.getByRole("cell", { name: "intruder", exact: true }).waitFor();
    await page.getByText("The certificate is not known.").waitFor();
    expect(incidents).toEqual([]);
  });

  it.each(["light", "dark"] as const)("is readable in %s, also on a narrow screen", async (colorScheme) => {
    server.cloud.registry.createThing({ thingName: "lamp-1" });
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width: 360, height: 740 });
    await open();
    await tab("Things");
    await page.getByRole("button", { name: "lamp-1" }).click();
    await page.getByRole("heading", { name: "lamp-1" }).waitFor();
    expect(await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")).toBe(true);
    expect(await page.evaluate(lowContrastTexts)).toEqual([]);
  });
});
