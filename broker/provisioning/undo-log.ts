/** How to take back what was done so far. */
export class UndoLog {
  private readonly steps: (() => void)[] = [];

  with(step: () => void): void {
    this.steps.push(step);
  }

  /** Takes everything back, the last first. */
  all(): void {
    for (const step of this.steps.splice(0).reverse()) step();
  }
}
