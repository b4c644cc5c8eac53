import { element, pretty } from "./element.js";
import { read, send } from "./session.js";
import type { View } from "./view.js";

interface Thing {
  readonly thingName: string;
  readonly thingTypeName?: string;
}

interface Shadow {
  /** Empty for the classic shadow. */
  readonly shadowName: string;
  readonly version: number;
  readonly desired: unknown;
  readonly reported: unknown;
  readonly delta: unknown;
}

interface Detail {
  readonly thingName: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly groups: readonly string[];
  readonly shadows: readonly Shadow[];
}

let chosen = "";
let search = "";
/** What is being written must not be overwritten by a refresh. */
let isEditing = false;

function column(title: string, value: unknown): HTMLElement {
  const text = value === undefined ? "nothing" : pretty(value);
  return element(
    "div",
    { class: "column" },
    element("h4", {}, title),
    element("pre", { tabindex: "0" }, text),
  );
}

function editor(thingName: string, { shadowName, desired }: Shadow): HTMLElement {
  const label = shadowName === "" ? "classic shadow" : `shadow ${shadowName}`;
  const area = element("textarea", {
    rows: "8",
    spellcheck: "false",
    "aria-label": `Desired state of the ${label}`,
    input: () => {
      isEditing = true;
    },
  });
  area.value = pretty(desired ?? {});
  const status = element("output");
  const save = async (): Promise<void> => {
    try {
      await send("shadow", { thingName, shadowName, desired: JSON.parse(area.value) as unknown });
      isEditing = false;
      status.value = "Saved.";
    } catch (error) {
      status.value = error instanceof Error ? error.message : String(error);
    }
  };
  const button = element("button", { type: "button", click: () => void save() }, "Update desired");
  return element("div", { class: "editor" }, area, button, " ", status);
}

function shadowSection(thingName: string, shadow: Shadow): HTMLElement {
  const { shadowName, version, desired, reported, delta } = shadow;
  const title = shadowName === "" ? "Classic shadow" : `Shadow ${shadowName}`;
  return element(
    "section",
    {},
    element("h3", {}, `${title}, version ${version}`),
    element(
      "div",
      { class: "columns" },
      column("Desired", desired),
      column("Reported", reported),
      column("Delta", delta),
    ),
    editor(thingName, shadow),
  );
}

const NO_SHADOW: Shadow = { shadowName: "", version: 0, desired: {}, reported: undefined, delta: undefined };

async function detail(): Promise<HTMLElement> {
  if (chosen === "") return element("p", { class: "empty" }, "Choose a thing.");
  const { thingName, attributes, groups, shadows } = await read<Detail>(
    `thing?name=${encodeURIComponent(chosen)}`,
  );
  const shown = shadows.length === 0 ? [NO_SHADOW] : shadows;
  return element(
    "article",
    {},
    element("h2", {}, thingName),
    element("p", {}, groups.length === 0 ? "In no group." : `In ${groups.join(", ")}.`),
    element("pre", {}, pretty(attributes)),
    ...shown.map((shadow) => shadowSection(thingName, shadow)),
  );
}

function list(things: readonly Thing[], redraw: () => void): HTMLElement {
  const field = element("input", {
    type: "search",
    placeholder: "Name begins with",
    "aria-label": "Search things by name",
    change: (event) => {
      search = (event.target as HTMLInputElement).value;
      redraw();
    },
  });
  field.value = search;
  const choose = (thingName: string): void => {
    chosen = thingName;
    isEditing = false;
    redraw();
  };
  const items = things.map(({ thingName, thingTypeName }) =>
    element(
      "li",
      {},
      element(
        "button",
        { type: "button", "aria-pressed": String(thingName === chosen), click: () => choose(thingName) },
        thingName,
      ),
      thingTypeName === undefined ? "" : ` ${thingTypeName}`,
    ),
  );
  return element("nav", { "aria-label": "Things" }, field, element("ul", {}, ...items));
}

export const things: View = {
  title: "Things",
  async refresh(place) {
    if (isEditing) return;
    const { total, things: found } = await read<{ total: number; things: readonly Thing[] }>(
      `things?prefix=${encodeURIComponent(search)}`,
    );
    const shown = await detail();
    place.replaceChildren(
      element("p", {}, `${total} things in the registry.`),
      element(
        "div",
        { class: "split" },
        list(found, () => void things.refresh(place)),
        shown,
      ),
    );
  },
  leave() {
    isEditing = false;
  },
};
