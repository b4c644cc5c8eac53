import type { BoardSelector } from "fleetrig/hil";
import type { BenchDocument, BridgeDocument } from "../schema/bench.js";
import type { BenchSpec, BridgeSpec } from "../scenario.js";

/** What boards speak unless a bridge says otherwise: our own link. */
export const USUAL_PROFILE = "fleetrig";

export const normaliseBench = (document: BenchDocument | undefined): BenchSpec => ({
  file: document?.file,
  host: document?.host,
});

/** The document has passed every check: it names a thing or a group. */
export const normaliseBridge = (document: BridgeDocument): BridgeSpec => ({
  id: document.id,
  members:
    document.thing === undefined
      ? { group: document.group ?? "", count: document.count }
      : { thing: document.thing },
  select: normaliseSelector(document.board),
  path: document.path ?? "bridge",
  profile: document.profile ?? (document.board.virtual === "micropython" ? "micropython" : USUAL_PROFILE),
  isRequired: false,
});

const normaliseSelector = ({ mac, chip, tags, port, virtual }: BridgeDocument["board"]): BoardSelector => ({
  ...(mac !== undefined && { mac: mac.replaceAll(/[:-]/g, "").toLowerCase() }),
  ...(chip !== undefined && { chip }),
  ...(tags !== undefined && { tags }),
  ...(port !== undefined && { port }),
  ...(virtual !== undefined && { virtual }),
});
