import { type Expectation, findMetric } from "fleetrig/reports";
import type { Selection } from "fleetrig/sim";
import type { Action, Scenario } from "../scenario.js";
import type { PlannedFleet } from "./fleet-plan.js";

/** What an expectation is about, as far as its left-hand side says. */
type Subject = Pick<Expectation, "metric" | "labels">;
type Reasons = ReadonlyMap<string, string>;

export interface AbsenceOptions {
  readonly scenario: Scenario;
  readonly planned: PlannedFleet;
  /** Things that are boards. */
  readonly boards?: { has(thing: string): boolean } | undefined;
}

/**
 * Who takes no part because hardware is missing is *absent*. What is asked about the absent alone is skipped: nobody was there to pass
 * or to fail. What is asked about others too is judged on those.
 */
export class Absence {
  private readonly things: Reasons;
  /** Groups of which nobody is present. */
  private readonly groups: Reasons;
  /** When nobody at all is present, or no board. */
  private readonly everybody: string | undefined;
  private readonly everyBoard: string | undefined;
  private readonly actions: readonly Action[];

  constructor(private readonly options: AbsenceOptions) {
    const { scenario, planned, boards } = options;
    const { plan, skipped, things, absent } = planned;
    const present = new Set(plan.groups.map(({ group }) => group));
    const someReason = skipped[0]?.reason;
    this.things = absent;
    this.groups = new Map(
      skipped.filter(({ group }) => !present.has(group)).map(({ group, reason }) => [group, reason]),
    );
    this.everybody = things.length === 0 ? someReason : undefined;
    this.everyBoard = things.some(({ name }) => boards?.has(name)) ? undefined : someReason;
    this.actions = scenario.stages.flatMap((stage) => stage.actions);
  }

  /** Why nobody is there whom the subject is about; undefined when somebody is. */
  reason({ metric, labels }: Subject): string | undefined {
    const { group, stream, action, update, job, thing = labels.bridge } = labels;
    return (
      this.everybody ??
      (thing === undefined ? undefined : this.things.get(thing)) ??
      (group === undefined ? undefined : this.groups.get(group)) ??
      (stream === undefined ? undefined : ofAll(this.groupsOf(stream), this.groups)) ??
      this.ofActions(({ id }) => id === action || id === update) ??
      this.ofActions((one) => one.verb === "createJob" && one.jobId === job) ??
      (findMetric(metric)?.section === "board" ? this.everyBoard : undefined)
    );
  }

  private groupsOf(stream: string): readonly string[] {
    return this.options.scenario.fleet
      .filter(({ telemetry }) => telemetry.some(({ name }) => name === stream))
      .map(({ group }) => group);
  }

  private ofActions(isMeant: (action: Action) => boolean): string | undefined {
    const reasons = this.actions.filter(isMeant).map((action) => this.ofSelection(selectionOf(action)));
    return reasons.includes(undefined) ? undefined : reasons[0];
  }

  private ofSelection(selection: Selection | undefined): string | undefined {
    const { group, things } = selection ?? {};
    if (things !== undefined) return ofAll(things, this.things);
    return group === undefined ? undefined : this.groups.get(group);
  }
}

const ofAll = (names: readonly string[], reasons: Reasons): string | undefined =>
  names.every((name) => reasons.has(name)) ? reasons.get(names[0] ?? "") : undefined;

function selectionOf(action: Action): Selection | undefined {
  if (action.verb !== "createJob") return "select" in action ? action.select : undefined;
  return action.thingGroup === undefined ? action.targets : undefined;
}
