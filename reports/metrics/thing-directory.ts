/** The things of the run by name and index, in the order of the plan. */
export class ThingDirectory {
  private readonly indexByName = new Map<string, number>();
  private readonly sizes = new Map<string, number>();

  constructor(readonly things: readonly { readonly name: string; readonly group: string }[]) {
    things.forEach(({ name, group }, index) => {
      this.indexByName.set(name, index);
      this.sizes.set(group, (this.sizes.get(group) ?? 0) + 1);
    });
  }

  /** Undefined for a client that is no thing of this run. */
  indexOf(name: string): number | undefined {
    return this.indexByName.get(name);
  }

  groupOf(name: string): string | undefined {
    const index = this.indexByName.get(name);
    return index === undefined ? undefined : this.things[index]!.group;
  }

  hasGroup(group: string): boolean {
    return this.sizes.has(group);
  }

  /** Things of a group, or all things. */
  size(group: string | undefined): number {
    return group === undefined ? this.things.length : (this.sizes.get(group) ?? 0);
  }

  /** Whether a thing belongs to the group; without a group every client does. */
  isIn(name: string, group: string | undefined): boolean {
    return group === undefined || this.groupOf(name) === group;
  }
}
