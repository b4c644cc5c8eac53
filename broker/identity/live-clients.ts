import type { ActingClient } from "./acting-client.js";

/** Connections that policies apply to, by client id and by what their principals are called. */
export class LiveClients {
  private readonly byClientId = new Map<string, ActingClient>();
  private readonly byTarget = new Map<string, Set<ActingClient>>();

  get size(): number {
    return this.byClientId.size;
  }

  find(clientId: string): ActingClient | undefined {
    return this.byClientId.get(clientId);
  }

  all(): Iterable<ActingClient> {
    return this.byClientId.values();
  }

  /** @param target As in `Principal.target`; principals without one go by their identifier. */
  of(target: string): Iterable<ActingClient> {
    return this.byTarget.get(target) ?? [];
  }

  add(client: ActingClient): void {
    this.byClientId.set(client.clientId, client);
    const target = targetOf(client);
    let siblings = this.byTarget.get(target);
    if (siblings === undefined) this.byTarget.set(target, (siblings = new Set()));
    siblings.add(client);
  }

  remove(client: ActingClient): void {
    if (this.byClientId.get(client.clientId) === client) this.byClientId.delete(client.clientId);
    const target = targetOf(client);
    const siblings = this.byTarget.get(target);
    siblings?.delete(client);
    if (siblings?.size === 0) this.byTarget.delete(target);
  }
}

const targetOf = ({ principal }: ActingClient): string => principal.target ?? principal.principalIdentifier;
