/** What an element can be given besides its children. Text never becomes markup. */
export interface Attributes {
  readonly [name: string]: string | boolean | ((event: Event) => void) | undefined;
}

/** `element("td", { class: "number" }, "7")`; functions become listeners of the event they are named after. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value === true) made.setAttribute(name, "");
    else if (typeof value === "string") made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

/** A table with one row per item; `empty` stands in its place when there is none. */
export function table<T>(
  columns: Readonly<Record<string, (item: T) => Node | string>>,
  items: readonly T[],
  empty: string,
): HTMLElement {
  if (items.length === 0) return element("p", { class: "empty" }, empty);
  const head = Object.keys(columns).map((name) => element("th", { scope: "col" }, name));
  const rows = items.map((item) =>
    element("tr", {}, ...Object.values(columns).map((cell) => element("td", {}, cell(item)))),
  );
  return element(
    "div",
    { class: "scroll" },
    element("table", {}, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...rows)),
  );
}

/** JSON to be read by people. */
export const pretty = (value: unknown): string => JSON.stringify(value, null, 2);
