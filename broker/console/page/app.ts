import { connections } from "./connections.js";
import { denials } from "./denials.js";
import { element } from "./element.js";
import { jobs } from "./jobs.js";
import { messages } from "./messages.js";
import { Refusal } from "./session.js";
import { things } from "./things.js";
import type { View } from "./view.js";

const VIEWS: readonly View[] = [connections, things, jobs, messages, denials];
const REFRESH_MS = 2_000;

const place = document.querySelector("main")!;
const tabs = document.querySelector("#tabs")!;
const notice = document.querySelector("#notice")!;

let shown = VIEWS[0]!;

const NO_TOKEN = "Open the console with the address that fleetrig cloud printed: it carries the token.";

async function refresh(): Promise<void> {
  try {
    await shown.refresh(place);
    notice.textContent = "";
  } catch (error) {
    const isToken = error instanceof Refusal && error.status === 401;
    notice.textContent = isToken ? NO_TOKEN : error instanceof Error ? error.message : String(error);
  }
}

function show(view: View): void {
  shown.leave?.();
  shown = view;
  place.replaceChildren();
  drawTabs();
  void refresh();
}

function drawTabs(): void {
  tabs.replaceChildren(
    ...VIEWS.map((view) =>
      element(
        "button",
        { type: "button", "aria-current": view === shown ? "page" : undefined, click: () => show(view) },
        view.title,
      ),
    ),
  );
}

async function keepFresh(): Promise<void> {
  for (;;) {
    await refresh();
    await new Promise((resolve) => setTimeout(resolve, REFRESH_MS));
  }
}

drawTabs();
void keepFresh();
