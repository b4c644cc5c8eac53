import { element } from "./element.js";
import { follow, send } from "./session.js";
import type { View } from "./view.js";

interface Message {
  readonly topic: string;
  readonly payload: string;
  readonly qos: number;
  readonly retain: boolean;
}

const MAX_SHOWN = 200;

let following: AbortController | undefined;
let drawn: HTMLElement | undefined;

function field(
  label: string,
  value: string,
): { readonly input: HTMLInputElement; readonly node: HTMLElement } {
  const input = element("input", { type: "text", spellcheck: "false" });
  input.value = value;
  return { input, node: element("label", {}, `${label} `, input) };
}

function submitted(status: HTMLOutputElement, act: () => Promise<void>): (event: Event) => void {
  return (event) => {
    event.preventDefault();
    act().catch((error: unknown) => {
      status.value = error instanceof Error ? error.message : String(error);
    });
  };
}

function subscribeForm(list: HTMLElement): HTMLElement {
  const filter = field("Topic filter", "#");
  const status = element("output");
  const begin = async (): Promise<void> => {
    following?.abort();
    const controller = new AbortController();
    following = controller;
    status.value = `Following ${filter.input.value}.`;
    try {
      await follow(
        `messages?filter=${encodeURIComponent(filter.input.value)}`,
        controller.signal,
        (message) => {
          const { topic, payload, qos, retain } = message as Message;
          const head = element("code", {}, topic);
          const note = ` QoS ${qos}${retain ? ", retained" : ""}`;
          list.prepend(element("li", {}, head, note, element("pre", {}, payload)));
          while (list.childElementCount > MAX_SHOWN) list.lastElementChild!.remove();
        },
      );
    } catch (error) {
      if (!controller.signal.aborted) throw error;
    }
  };
  return element(
    "form",
    { submit: submitted(status, begin) },
    filter.node,
    element("button", {}, "Subscribe"),
    " ",
    status,
  );
}

function publishForm(): HTMLElement {
  const topic = field("Topic", "hello");
  const payload = field("Payload", '{"hello": "world"}');
  const retain = element("input", { type: "checkbox" });
  const status = element("output");
  const publish = async (): Promise<void> => {
    await send("publish", { topic: topic.input.value, payload: payload.input.value, retain: retain.checked });
    status.value = "Published.";
  };
  return element(
    "form",
    { submit: submitted(status, publish) },
    topic.node,
    payload.node,
    element("label", {}, retain, " retain "),
    element("button", {}, "Publish"),
    " ",
    status,
  );
}

export const messages: View = {
  title: "Messages",
  async refresh(place) {
    if (drawn !== undefined && place.contains(drawn)) return;
    const list = element("ul", { class: "messages", "aria-live": "off" });
    drawn = element(
      "div",
      {},
      element("h2", {}, "Publish"),
      publishForm(),
      element("h2", {}, "Subscribe"),
      subscribeForm(list),
      list,
    );
    place.replaceChildren(drawn);
  },
  leave() {
    following?.abort();
    following = undefined;
  },
};
