import type { DeliveryProbe } from "fleetrig/kernel";

/** Remembers each step of each message as `<verb> <sequence>`. */
export class ProbeLog implements DeliveryProbe {
  readonly steps: string[] = [];
  readonly reasonCodes: number[] = [];
  readonly sentAtUs = new Map<number, { scheduledUs: number; sentUs: number }>();

  sent(_stream: number, _thing: number, sequence: number, scheduledUs: number, sentUs: number): void {
    this.steps.push(`sent ${sequence}`);
    this.sentAtUs.set(sequence, { scheduledUs, sentUs });
  }
  acked(_stream: number, _thing: number, sequence: number, _atUs: number, reasonCode: number): void {
    this.steps.push(`acked ${sequence}`);
    this.reasonCodes.push(reasonCode);
  }
  retransmitted(_stream: number, _thing: number, sequence: number): void {
    this.steps.push(`again ${sequence}`);
  }
  discarded(_stream: number, _thing: number, sequence: number): void {
    this.steps.push(`discarded ${sequence}`);
  }
  received(): void {}
  ruleOutput(): void {}

  /** Sequences of one verb, in order. */
  of(verb: string): number[] {
    return this.steps.filter((step) => step.startsWith(`${verb} `)).map((step) => Number(step.split(" ")[1]));
  }
}
