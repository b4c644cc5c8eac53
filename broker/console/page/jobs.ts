import { element, table } from "./element.js";
import { read } from "./session.js";
import type { View } from "./view.js";

interface Job {
  readonly jobId: string;
  readonly status: string;
  readonly targetSelection: string;
  /** Executions by status. */
  readonly counts: Readonly<Record<string, number>>;
  /** Things that the rollout has not reached yet. */
  readonly waiting: number;
}

const STATUSES = [
  "SUCCEEDED",
  "IN_PROGRESS",
  "QUEUED",
  "FAILED",
  "REJECTED",
  "TIMED_OUT",
  "CANCELED",
  "REMOVED",
];

/** The rollout as a bar: a share of the width for every status, with the figures beside it in words. */
function rollout({ counts, waiting }: Job): HTMLElement {
  const parts: readonly (readonly [string, number])[] = [
    ...STATUSES.map((status) => [status, counts[status] ?? 0] as const),
    ["WAITING", waiting],
  ];
  const present = parts.filter(([, count]) => count > 0);
  const words = present
    .map(([status, count]) => `${count} ${status.toLowerCase().replace("_", " ")}`)
    .join(", ");
  const bar = element("div", { class: "bar", "aria-hidden": "true" });
  for (const [status, count] of present) {
    const part = element("span", { class: `part ${status.toLowerCase()}` });
    part.style.flexGrow = String(count);
    bar.append(part);
  }
  return element("div", {}, bar, element("span", { class: "words" }, words === "" ? "no executions" : words));
}

export const jobs: View = {
  title: "Jobs",
  async refresh(place) {
    const { jobs: all } = await read<{ jobs: readonly Job[] }>("jobs");
    place.replaceChildren(
      table(
        {
          Job: ({ jobId }: Job) => jobId,
          Status: ({ status }) => status,
          Targets: ({ targetSelection }) => targetSelection,
          Rollout: rollout,
        },
        all,
        "There are no jobs.",
      ),
    );
  },
};
