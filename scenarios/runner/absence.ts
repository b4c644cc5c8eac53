import { type Expectation, findMetric } from "fleetrig/reports";
import type { Selection } from "fleetrig/sim";
import type { Action, Scenario } from "../scenario.js";
import { byReason } from "./present-members.js";
import type { PlannedFleet } from "./fleet-plan.js";

/** What an expectation is about, as far as its left-hand side says. */
type Subject = Pick<Expectation, "metric" | "labels">;

/** A member that the scenario asks for. */
interface Candidate {
  readonly name: string;
  readonly group: string;
  readonly isBoard: boolean;
  /** Why it takes no part; undefined when it does. */
  readonly reason: string | undefined;
}

export interface AbsenceOptions {
  readonly scenario: Scenario;
  readonly planned: PlannedFleet;
  /** Things that are boards. */
  readonly boards?: { has(thing: string): boolean } | undefined;
}

/** So many things, and reasons, are told by name. */
const MAX_NAMED = 3;

/**
 * Who takes no part because hardware is missing is *absent*. What is asked about the absent alone is skipped: nobody was there to pass
 * or to fail. What is asked about others too is judged on those; when that fails, the failure says who was absent.
 */
export class Absence {
  /** Everybody whom the scenario asks for; empty when nobody is absent. */
  private readonly fleet: readonly Candidate[];
  private readonly actions: readonly Action[];

  constructor(private readonly options: AbsenceOptions) {
    const { scenario, planned, boards } = options;
    const present = planned.things.map(({ name, group }) => ({
      name,
      group,
      isBoard: boards?.has(name) === true,
      reason: undefined,
    }));
    const absent = [...planned.absent].map(([name, one]) => ({ ...one, name, isBoard: true }));
    this.fleet = absent.length === 0 ? [] : [...present, ...absent];
    this.actions = scenario.stages.flatMap((stage) => stage.actions);
  }

  /** Why nobody is there whom the subject is about; undefined when somebody is. */
  reason(subject: Subject): string | undefined {
    const candidates = this.candidatesOf(subject);
    const meant = this.meantBy(subject, candidates);
    const [first, ...others] = meant.length > 0 ? meant : candidates;
    return others.every(({ reason }) => reason !== undefined) ? first?.reason : undefined;
  }

  /** Who of those the subject is about takes no part, and why: sentences; undefined when all do. */
  remark(subject: Subject): string | undefined {
    // How well the generator did is nothing that a device could have changed.
    if (findMetric(subject.metric)?.section === "trust") return undefined;
    const meant = this.meantBy(subject, this.candidatesOf(subject));
    const absent = meant.flatMap(({ name, reason }) => (reason === undefined ? [] : [{ name, reason }]));
    if (absent.length === 0) return undefined;
    const told = byReason(absent)
      .slice(0, MAX_NAMED)
      .map(({ reason, things }) => `${listed(things)}: ${reason}.`);
    return [`${absent.length} of ${meant.length} things took no part.`, ...told].join(" ");
  }

  private candidatesOf({ metric }: Subject): readonly Candidate[] {
    return findMetric(metric)?.section === "board" ? this.fleet.filter(({ isBoard }) => isBoard) : this.fleet;
  }

  private meantBy({ labels }: Subject, candidates: readonly Candidate[]): readonly Candidate[] {
    const { group, stream, action, update, job, thing = labels.bridge } = labels;
    const groups = stream === undefined ? undefined : this.groupsOf(stream);
    const selections = this.actions
      .filter(
        (one) =>
          one.id === action ||
          one.id === update ||
          (job !== undefined && one.verb === "createJob" && one.jobId === job),
      )
      .map(selectionOf);
    return candidates.filter(
      (one) =>
        (thing === undefined || one.name === thing) &&
        (group === undefined || one.group === group) &&
        (groups === undefined || groups.has(one.group)) &&
        (selections.length === 0 || selections.some((selection) => isSelected(one, selection))),
    );
  }

  private groupsOf(stream: string): ReadonlySet<string> {
    const { fleet } = this.options.scenario;
    return new Set(
      fleet
        .filter(({ telemetry }) => telemetry.some(({ name }) => name === stream))
        .map(({ group }) => group),
    );
  }
}

const listed = (names: readonly string[]): string => {
  const more = names.length - MAX_NAMED;
  return more > 0 ? `${names.slice(0, MAX_NAMED).join(", ")} and ${more} more` : names.join(", ");
};

/** As far as the file says: who is drawn out of a group is not known here. */
function isSelected({ name, group }: Candidate, { group: wanted, things }: Selection = {}): boolean {
  return things?.includes(name) ?? (wanted === undefined || wanted === group);
}

function selectionOf(action: Action): Selection | undefined {
  if (action.verb !== "createJob") return "select" in action ? action.select : undefined;
  return action.thingGroup === undefined ? action.targets : undefined;
}
